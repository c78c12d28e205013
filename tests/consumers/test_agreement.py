"""The feature log on the bus: what agreement panes add up to is what a batch computation finds in the topics, whatever happened to rows."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import cache
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.agreement import comparisons
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.agreement.layout import ROWS
from driftbus.detectors.diagnosis.agreeing import SIGN, AgreementPanes, added
from driftbus.detectors.diagnosis.evidence import Agreeing
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import AGREEMENT, Pane
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.stored.reference import CategoricalProfile, NumericProfile, ProfiledField

from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..streaming import BEGINNING, configuration, everything, prepare, reference
from .test_joiner import MINUTE, run

SERVED, LOG = "scored", "offline"
#: Predictions are made for so long; rows of the log come for a while longer.
SPAN = 60 * MINUTE
#: At a row a second 500 rows are too few for less: `grain`.
GRAIN = 10 * MINUTE
FEATURES = ("amount", "age", "colour")


@cache
def fields(model: str) -> tuple[ProfiledField, ...]:
    return reference(model).fields


def settings(log: dict[str, Any] | None = None, **changes: Any) -> Configuration:  # keys of any type
    own = {"topics": [LOG], "wait": "30m", "early": "1m", "mapping": {"revision": "rev"}, **(log or {})}
    models = {
        "m0": {"agreement": {"log": "warehouse"}, "features": {"amount": {"tolerance": 0.001}}},
        "m1": {"agreement": {"log": "warehouse", "features": ["colour", "age"]}},
        "m2": {},
    }
    stream = {"pane": "1m", "mapping": {"entity": "customer", "as_of": "as_of"}}
    return configuration(**{"features": {"warehouse": own}, "models": models, "stream": stream, **changes})


class Row(NamedTuple):
    """A prediction as it was sent, and the values that are in force for it in the end; None: none came."""

    about: int
    model: str
    served: dict[str, Any]
    offline: dict[str, Any] | None


def values(draw: np.random.Generator) -> dict[str, Any]:
    """Of any kind, or none."""
    every = {
        "amount": float(draw.normal() * (1e9 if draw.random() < 0.02 else 1)),
        "age": int(draw.integers(18, 60)),
        "colour": str(draw.choice(["red", "green", "blue", "z" * 5_000], p=[0.4, 0.4, 0.19, 0.01])),
    }
    found: dict[str, Any] = {name: value for name, value in every.items() if draw.random() < 0.95}
    return found | ({"age": None} if draw.random() < 0.05 else {})


def changed(draw: np.random.Generator, served: dict[str, Any]) -> dict[str, Any]:
    """What the training pipeline makes of them: mostly the same."""
    found = dict(served)
    chance = draw.random()
    if chance < 0.1 and found.get("amount") is not None:
        found["amount"] = found["amount"] * 100
    elif chance < 0.2:
        found |= values(draw)
    elif chance < 0.3 and found.get("amount") is not None:
        found["amount"] = found["amount"] * (1 + 1e-5)  # within the tolerance of m0
    return found


def told(draw: np.random.Generator, time: int, served: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any], int]]:
    """When rows of the log come, what they say, and their revisions; none within a minute of when it is too late."""
    if draw.random() < 0.1:
        return
    delay = int(draw.integers(20 * MINUTE)) if draw.random() < 0.9 else 32 * MINUTE
    first = changed(draw, served)
    yield time + delay, first, 1
    if delay > 20 * MINUTE:
        return
    if draw.random() < 0.2:  # twice
        yield time + delay + int(draw.integers(4 * MINUTE)), first, 1
    if draw.random() < 0.2:  # corrected, and then an old one again
        yield time + delay + 5 * MINUTE, changed(draw, served), 2
        yield time + delay + 8 * MINUTE, first, 1


def log(seed: int, rows: int = 600) -> tuple[list[Output], list[Row]]:
    draw = np.random.default_rng(seed)
    sent: list[tuple[int, Output]] = []
    found: list[Row] = []
    for i in range(rows):
        time, model, served = BEGINNING + int(draw.integers(SPAN)), f"m{int(draw.integers(3))}", values(draw)
        as_of = time - int(draw.integers(3)) * MINUTE
        named = {"customer": f"c{i % 50}", "as_of": as_of + i % 7}  # the same customer often, at other times
        message = {"model": model, "version": "1", "features": served, "score": 0.5, **named}
        sent.append((time, Output(SERVED, int(draw.integers(4)), None, msgspec.json.encode(message), (), time)))
        best: tuple[int, int, dict[str, Any]] | None = None
        for known, offline, revision in told(draw, time, served):
            entity = {"entity": named["customer"], "as_of": named["as_of"], "values": offline, "rev": revision}
            sent.append((known, Output(LOG, int(draw.integers(3)), None, msgspec.json.encode(entity), (), known)))
            if known <= time + 29 * MINUTE and (best is None or (revision, known) >= best[:2]):
                best = revision, known, offline
        end = (time // MINUTE + 1) * MINUTE
        found.append(Row(-(-end // GRAIN) * GRAIN, model, served, best and best[2]))
    sent.sort(key=lambda one: one[0])
    return [output for _, output in sent], found


def publish(bus: Bus, chosen: Configuration, sent: list[Output]) -> None:
    prepare(bus, chosen, [reference(f"m{i}") for i in range(3)])
    bus.create(LOG, 3, settings={"retention.ms": "-1"})
    bus.publish(sent)
    for topic, partitions in ((SERVED, 4), (LOG, 3)):
        bus.publish(end_records("test", topic, partitions, BEGINNING + SPAN + 70 * MINUTE))


def panes(bus: Bus, chosen: Configuration) -> list[Pane]:
    """What the joiner published, in the order of the summaries' partitions."""
    events = (event for found in everything(bus, chosen.topics.summaries).values() for event in found)
    found = (Pane.decoded(event.value) for event in events if dict(event.headers)["ce_type"] == b"io.driftbus.pane")
    return [pane for pane in found if pane.of == AGREEMENT]


def summed(chosen: Configuration, found: list[Pane]) -> dict[tuple[int, str], dict[str, Agreeing]]:
    comparison_of, totals = comparisons(chosen), dict[tuple[int, str], dict[str, Agreeing]]()
    for pane in found:
        if pane.reference:
            comparison = comparison_of(pane.model, pane.reference, fields(pane.model))
            parts = [totals.get((pane.about, pane.model), {}), AgreementPanes(comparison).read(pane)]
            totals[pane.about, pane.model] = added(parts)
    return totals


def number(value: float) -> str:
    return repr(float(value))


def expected(chosen: Configuration, model: str, name: str, rows: list[Row]) -> dict[str, Any]:
    """One feature's pairs, row by row, in whole numbers of Python."""
    field = next(one for one in fields(model) if one.name == name)
    tolerance = chosen.model(model).feature(name).tolerance or 1e-6
    counts, sums, bins, names = Counter[str](), [0] * 5, Counter[int](), Counter[str]()
    for row in rows:
        x, y = (row.offline or {}).get(name), row.served.get(name)
        if x is None:
            continue
        counts["pairs"] += 1
        profile = field.values
        if isinstance(profile, CategoricalProfile):
            bins[profile.categories.index(x) if x in profile.categories else len(profile.categories)] += 1
        else:
            assert isinstance(profile, NumericProfile)
            bins[profile.bin_of[sum(edge <= x for edge in profile.edges)]] += 1
        if y is None:
            counts["missing"] += 1
            continue
        if isinstance(profile, NumericProfile):
            if abs(x - y) <= tolerance * max(abs(x), abs(y), profile.sd):
                continue
            a, b = (round(min(max((one - profile.mean) / profile.sd * 4096, -(2.0**32)), 2.0**32)) for one in (x, y))
            sums = [one + more for one, more in zip(sums, (a, b, a * a, a * b, b * b), strict=True)]
            names[number(y)] += 1
        elif x == y:
            continue
        else:
            names[y] += 1
        counts["differing"] += 1
    return {**counts, "sums": tuple(sums), "bins": +bins, "names": names}


@pytest.mark.parametrize("seed", range(2))
def test_the_panes_add_up_to_the_batch_computation(seed: int) -> None:
    sent, rows = log(seed)
    chosen = settings()
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, "profiler", "joiner")
        found = panes(bus, chosen)
        letters = everything(bus, chosen.topics.dead_letter)
    assert not any(letters.values())
    totals = summed(chosen, found)
    assert {model for _, model in totals} == {"m0", "m1"}
    for about, model in {(row.about, row.model) for row in rows if row.model != "m2"}:
        own = [row for row in rows if (row.about, row.model) == (about, model)]
        names = FEATURES if model == "m0" else ("colour", "age")
        assert set(totals[about, model]) == set(names)
        for name in names:
            got, wanted = totals[about, model][name], expected(chosen, model, name, own)
            assert (got.pairs, got.differing, got.missing) == tuple(wanted.get(key, 0) for key in ("pairs", "differing", "missing"))
            assert got.sums == wanted["sums"]
            assert got.offline is not None
            assert got.cells is not None
            assert {place: int(count) for place, count in enumerate(got.offline) if count} == wanted["bins"]
            assert got.cells.sum() == got.differing
            assert got.cells.min() >= 0
            if name == "colour":  # the others have too many values for names to add up
                named = {value: count for value, count in got.commonest.items() if not value.startswith(SIGN)}
                assert named == {value: count for value, count in wanted["names"].items() if value in ("red", "green")}
                assert sum(got.commonest.values()) == got.differing
    heads = sum((pane.counts[: len(ROWS)] for pane in found if pane.reference), np.zeros(len(ROWS), dtype=np.int64)).tolist()
    asked = [row for row in rows if row.model != "m2"]
    joined = sum(row.offline is not None for row in asked)
    assert dict(zip(ROWS, heads, strict=True)) == {
        "predicted": len(asked),
        "duplicates": 0,
        "expired": len(asked) - joined,
        "joined": joined,
    }


def known(pane: Pane) -> bytes:
    """Whatever the topic's id is."""
    return pane.model_copy(update={"topic_id": ""}).encoded()


def test_whoever_dies_whenever_the_panes_are_the_same() -> None:
    sent, _ = log(7, rows=200)
    draw, outcomes, chosen = np.random.default_rng(7), [], settings()
    for interrupted in (False, True):
        with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
            publish(bus, chosen, sent)
            for role in [role for role in ("profiler", "joiner") for _ in range(3)] if interrupted else []:
                dying = Interrupting(bus.as_instance("one"), role=role, dies_at=str(draw.choice(POINTS)), hits=int(draw.integers(3)))
                with suppress(Died):
                    for _ in turns(Pipeline(cast(Bus, dying), chosen, ["profiler", "joiner"]), int(draw.integers(1, 20))):
                        pass
            run(bus.as_instance("one"), chosen, "profiler", "joiner")
            outcomes.append(sorted(map(known, panes(bus, chosen))))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]


def test_a_daily_batch_holds_no_labels_up() -> None:
    """Its join has progress of its own."""
    sent, _ = log(3, rows=100)
    chosen = settings()
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, "profiler", "joiner")
        events = (event for own in everything(bus, chosen.topics.summaries).values() for event in own)
        said = [Progress.decoded(event.value) for event in events if dict(event.headers)["ce_type"] == b"io.driftbus.progress"]
    of = {(one.stream, one.of) for one in said}
    assert of == {("predictions", "predictions"), ("warehouse", AGREEMENT)}
    assert any(one.ended for one in said if one.of == AGREEMENT)
