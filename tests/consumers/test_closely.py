"""What panes say of numbers beside their bins: the same however a run is read, what a loop counts, and only where causes are looked for."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.decode.times import LONGEST_AGE
from driftbus.consumers.profiler.runs import ClosedRun
from driftbus.consumers.profiler.tally import Tally
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.consumers.streams.cut import CutState, Rules, cut, finish
from driftbus.consumers.streams.records import Records
from driftbus.detectors.counting.closely import MOST_REPEATED, SHARED
from driftbus.detectors.counting.magnitudes import cells_of, mantissa
from driftbus.detectors.counting.sampling import drawn
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.configuration.segments import OTHER
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.stored.reference import AvailabilityProfile, NumericProfile, ProfiledField, Reference
from driftbus.schemas.stored.segmentation import Segmentation

from ..streaming import BEGINNING, configuration, prepare, reference

PLACE = InputPartition(topic="scored", topic_id="1", partition=0)
EVERY_MS = 40


def tallied(chosen: Configuration, profile: Reference, values: list[bytes], batch: int) -> list[Pane]:
    """The panes of a partition that is read in batches."""
    return [pane for run in runs_of(chosen, profile, values, batch) for pane in run.panes]


def runs_of(chosen: Configuration, profile: Reference, values: list[bytes], batch: int) -> list[ClosedRun]:
    """All its runs."""
    rules = Rules.of(chosen.streams["predictions"])
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, [profile])
        references = HeldReferences(bus, chosen, ArtifactStore(chosen.artifacts))
    tally = Tally("predictions", PLACE, JSONDecoder(chosen.streams["predictions"].mapping), references, rules.buckets)
    state, runs = CutState(), list[ClosedRun]()
    for start in range(0, len(values), batch):
        some = values[start : start + batch]
        offsets = np.arange(start, start + len(some))
        records = Records(offsets, BEGINNING + offsets * EVERY_MS, np.zeros(len(some), dtype=bool), some, lambda: (), lambda: ())
        state, items, _ = cut(rules, state, records.offsets, records.timestamps, records.ends, final=True)
        runs += tally.add(records, items)
    _, last = finish(state, len(values))
    empty = np.zeros(0, dtype=np.int64)
    return runs + tally.add(Records(empty, empty, empty.astype(bool), (), lambda: (), lambda: ()), [last])


def settings(folder: Path, **model: Any) -> Configuration:  # settings of any type
    return configuration(artifacts=str(folder), models={"m0": model})


def rows(number: int) -> list[dict[str, Any]]:  # JSON
    """Amounts of which a third is one value, and ages of which some are null."""
    draw = np.random.default_rng(3)
    amounts = np.where(draw.random(number) < 0.35, 0.25, draw.normal(0, 3, number))
    ages = draw.integers(18, 60, number)
    return [
        {"amount": float(amount), "age": None if place % 7 == 0 else int(age), "colour": "red"}
        for place, (amount, age) in enumerate(zip(amounts, ages, strict=True))
    ]


def written(sent: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps({"model": "m0", "version": "1", "features": features, "score": 0.5}).encode() for features in sent]


def profile_in(profile: Reference, name: str) -> NumericProfile:
    values = next(field.values for field in profile.fields if field.name == name)
    assert isinstance(values, NumericProfile)
    return values


def offsets_of(pane: Pane) -> NDArray[np.int64]:
    """Of its run those whose records lie in its bucket."""
    offsets = np.arange(pane.first, pane.last + 1)
    inside = offsets * EVERY_MS // 10_000 == (pane.bucket - BEGINNING) // 10_000 - 1
    return np.asarray(offsets[inside], dtype=np.int64)


def _by_run(panes: list[Pane]) -> Iterator[tuple[Pane, list[Pane]]]:
    for _, own in groupby(panes, key=lambda pane: (pane.first, pane.bucket)):
        first, *others = own
        yield first, others


@pytest.mark.parametrize("division", [None, Segmentation(rules={"old": "age > 40"}, names=("old", OTHER))])
def test_whatever_the_batches_panes_say_what_a_loop_counts(tmp_path: Path, division: Segmentation | None) -> None:
    chosen, profile, sent = settings(tmp_path), reference("m0").model_copy(update={"segmentation": division}), rows(800)
    found = [tallied(chosen, profile, written(sent), batch) for batch in (800, 37, 1)]
    assert [pane.encoded() for pane in found[0]] == [pane.encoded() for pane in found[1]] == [pane.encoded() for pane in found[2]]
    for pane, others in _by_run(found[0]):
        inside = [sent[offset] for offset in offsets_of(pane)]
        assert not any(other.magnitudes or other.repeated for other in others)  # those of other segments
        assert pane.magnitudes.keys() == {"amount", "age", "score"}
        for name in ("amount", "age"):
            there = np.array([row[name] for row in inside if row[name] is not None], dtype=np.float64)
            cells = cells_of(there, mantissa(profile_in(profile, name)))
            assert dict(zip(*pane.magnitudes[name].tolist(), strict=True)) == Counter(cells.tolist())
        common = Counter(row["amount"] for row in inside)[0.25]
        named = dict(
            zip(np.ascontiguousarray(pane.repeated["amount"][0]).view(np.float64).tolist(), pane.repeated["amount"][1], strict=True)
        )
        assert named[0.25] == common
        assert len(named) == (1 if len(inside) > SHARED else MOST_REPEATED)
        assert pane.repeated["score"][1].tolist() == [len(inside)]
        assert [Pane.decoded(part.encoded()).encoded() for part, _ in pane.split()] == [value for _, value in pane.split()]


def test_a_fast_stream_is_sampled_by_offset(tmp_path: Path) -> None:
    profile = reference("m0").model_copy(update={"last": 10_000})  # 1,000 rows a second
    panes = tallied(settings(tmp_path), profile, written(rows(800)), 100)
    assert [pane.magnitudes["amount"][1].sum() for pane in panes] == [drawn(offsets_of(pane), 1 / 3).sum() for pane in panes]


def test_where_nobody_looks_for_causes_panes_are_as_they_were(tmp_path: Path) -> None:
    on, off = ([*tallied(settings(tmp_path, **model), reference("m0"), written(rows(100)), 50)] for model in ({}, {"diagnosis": "off"}))
    assert [pane.encoded() for pane in off] == [pane.model_copy(update={"magnitudes": {}, "repeated": {}}).encoded() for pane in on]


AT = BEGINNING / 1000


def as_of(*times: object) -> list[bytes]:
    """Rows that came 40 ms apart, and say as of when two of their features are."""
    sent = zip(rows(len(times)), times, strict=True)
    return [
        json.dumps({"model": "m0", "version": "1", "features": features, "score": 0.5, "as_of": {"a": time, "b": AT - 100}}).encode()
        for features, time in sent
    ]


AGED = {"features": {"amount": {"source": "s"}, "age": {"source": "s", "as_of": "as_of.b"}, "colour": {"source": "s"}}}


@pytest.mark.parametrize("batch", [1, 3, 10])
def test_ages_are_summed_in_whole_seconds(tmp_path: Path, batch: int) -> None:
    chosen = configuration(artifacts=str(tmp_path), models={"m0": AGED}, sources={"s": {"as_of": "as_of.a"}})
    values = as_of(AT - 7.5, "2023-11-14T22:13:19Z", None, AT + 60, "soon", -1e300)  # 22:13:20 is the beginning
    [pane] = tallied(chosen, reference("m0"), values, batch)
    assert pane.ages == {"amount": (7 + 1 + 0 + LONGEST_AGE, 4), "colour": (7 + 1 + 0 + LONGEST_AGE, 4), "age": (600, 6)}
    assert Pane.decoded(pane.encoded()).ages == pane.ages


def test_a_time_that_is_no_time_is_a_dead_letter_of_its_field(tmp_path: Path) -> None:
    chosen = configuration(artifacts=str(tmp_path), models={"m0": AGED}, sources={"s": {"as_of": "as_of.a"}})
    [run] = runs_of(chosen, reference("m0"), as_of(AT, "soon"), 10)
    assert [(bad.offset, bad.field) for bad in run.bad] == [(1, "as_of.a")]
    assert [pane.rows for pane in run.panes] == [2]


def test_a_time_that_is_watched_itself_is_read_once(tmp_path: Path) -> None:
    fields = (*reference("m0").fields, ProfiledField(name="at", type="timestamp", availability=AvailabilityProfile(counts=(9, 0, 0, 0))))
    chosen = settings(tmp_path, features={"amount": {"as_of": "features.at"}})
    values = written([{**features, "at": AT - 3} for features in rows(20)])
    [pane] = tallied(chosen, reference("m0").model_copy(update={"fields": fields}), values, 7)
    assert pane.ages == {"amount": (60, 20)}
