"""A model of whose outcomes only people know: what its lane of the detector notes is evidence in order, and holds nobody up."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.diagnoser import kinds
from driftbus.consumers.diagnoser.fold import Fold
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.streams.lanes import Lane
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.episode import EPISODE
from driftbus.schemas.messages.pane import REVIEWED
from driftbus.schemas.messages.progress import Progress

from ..streaming import configuration, everything, prepare, reference, send
from .facts import GRAIN, Record, Traffic, fold, interleaved, note, progress, said, settings, writers
from .test_pipeline import PER_SECOND, sent, spoilt

GRAINS, BROKEN, MENDED, LOGS = 14, 5, 10, 6
ASKED = {"labels": {}, "models": {"m0": {"review": {"slot": "1m"}}}}
LANE = Lane("m0", REVIEWED).source.topic
#: Apart, in an order in which each finds what it reads; and all in one.
APART, TOGETHER = ("profiler", "clerk", "detector", "reviewer", "detector", "diagnoser"), ()


def facts(seed: int) -> dict[str, list[Record]]:
    """Amount is missing for some grains; that it does harm the answers of two later ones say, when the next slot is said."""
    found = writers(Traffic(seed, null=lambda number: 0.33 if BROKEN <= number < MENDED else 0.0), GRAINS, seed=seed, noted=BROKEN + 1)
    people = found["people"] = []
    for number in range(1, GRAINS + 1):
        if number in (BROKEN + 2, BROKEN + 3):
            episode = f"p{number}"
            people.append(Record("people", note(number, number, episode=episode).model_copy(update={"topic": LANE})))
        people.append(Record("people", progress(EPISODE, "m0", LANE, number), number))
    return {name: found[name] for name in ("profiler", "clerk", "detector", "people")}


def told(records: Sequence[Record]) -> list[bytes]:
    chosen = fold(settings(**ASKED))
    events = [event.encoded() for event in said(chosen, records)]
    return [*events, *(content for _, content in sorted(chosen.snapshot(0)[1].items()))]


def orders(seed: int) -> tuple[list[bytes], list[bytes]]:
    """What is said where all speak in turn, and where people are slow."""
    of_writers = facts(seed)
    people = of_writers["people"]
    of_others = {name: records for name, records in of_writers.items() if records is not people}
    return told([*interleaved(of_writers, seed)]), told([*interleaved(of_others, seed), *people])


def test_two_orders_say_the_same() -> None:
    for seed in range(LOGS):
        first, second = orders(seed)
        assert first == second
        assert any(b'"p7"' in one and b'"resolved"' in one for one in first)


def test_not_awaited_they_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def awaited(chosen: Configuration, of: kinds.Kinds) -> Mapping[str, tuple[str, ...]]:
        return {name: topics for name, topics in kinds.awaited(chosen, of).items() if LANE not in name}

    monkeypatch.setattr("driftbus.consumers.diagnoser.fold.awaited", awaited)
    monkeypatch.setattr("driftbus.consumers.diagnoser.fold.belongs", lambda fact, of, topics: True)
    assert any(first != second for first, second in map(orders, range(LOGS)))


def test_what_is_said_of_two_slots_before_holds_nobody_up() -> None:
    """Of what else there is it is known at once what it says: a slot is told when the next one is."""
    chosen, records = fold(settings(**ASKED)), facts(0)
    reached = [record for name in ("profiler", "clerk", "detector") for record in records[name]]
    slots = [record for record in records["people"] if isinstance(record.fact, Progress) and record.through <= GRAINS - 2]
    said(chosen, [*slots, *reached])
    assert _through(chosen) == records["profiler"][-1].fact.time
    behind = fold(settings(**ASKED))
    said(behind, [*slots[:-1], *reached])
    assert _through(behind) == records["profiler"][-1].fact.time - GRAIN


def _through(chosen: Fold) -> int:
    [group] = (one for one in chosen.groups.values() if one.kinds.reviewed)
    return group.aligner.evaluated


def _causes(folder: Path, roles: Sequence[str]) -> list[bytes]:
    chosen = configuration(
        artifacts=str(folder), stream={"pane": "1m"}, models={"m0": {"review": {"slot": "2m"}}}, topics={"prefix": "p", "partitions": 2}
    )
    known = reference("m0")
    assert known.last is not None
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        prepare(bus, chosen, [known.model_copy(update={"last": known.last // PER_SECOND})])
        send(bus, sent(spoilt)[0])
        for some in [[role] for role in roles] or [list[str]()]:
            with closing(Pipeline(bus, chosen, *([some] if some else []))) as pipeline:
                for _ in pipeline.run_until_end():
                    pass
        return [event.value for events in everything(bus, chosen.topics.root_causes).values() for event in events]


def test_roles_apart_and_together_say_the_same_and_end(tmp_path: Path) -> None:
    """There is somebody who says that nothing more is to come of what people answer."""
    apart = _causes(tmp_path, APART)
    assert any(b'"confirmed"' in one and b"feature_unavailability" in one for one in apart)
    assert _causes(tmp_path, TOGETHER) == apart
