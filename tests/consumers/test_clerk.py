"""The clerk: what is said of models, copied once to where their panes lie, in its place in record time."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.addressing import partition_of
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.clerk.clerk import SOURCES, Source
from driftbus.consumers.clerk.copying import Copying
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.folding import Folding
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.progress import Progress

from ..streaming import BEGINNING, Event, everything, prepare, reference, rows, send
from .clerks import HOUR, MODELS, clerk_of, deployed, evidence, finish, kind, progress, settings, told, world, written


def test_a_fact_lies_where_its_models_panes_do_in_the_bucket_of_the_time_it_states(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    for model in ("m0", "m1", "m2", "of no configuration"):
        tell(bus, chosen, deployed("7", model=model, job="j1", parent="6"))
    assert finish(bus, chosen)["facts"] == 4
    found = evidence(bus, chosen)
    assert {one.model: place for place, one in found} == {one.model: partition_of(one.model, 3) for _, one in found}
    assert {(one.of, one.stream, one.topic, one.about, one.bucket) for _, one in found} == {
        ("model", "predictions", MODELS.topic, BEGINNING + HOUR, BEGINNING + HOUR + 10_000)
    }
    said = {"model": "m0", "version": "7", "kind": "deployed", "time": BEGINNING + HOUR, "job": "j1", "parent": "6", "application": "test"}
    assert next(one.fact for _, one in found if one.model == "m0") == said


def test_live_the_bucket_is_that_of_the_append_time(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "live")
    bus = world(chosen)
    tell(bus, chosen, deployed("7"))
    finish(bus, chosen)
    [batch] = bus.read(MODELS, 0, 1)
    assert batch.append_time
    [(_, one)] = evidence(bus, chosen)
    assert (one.bucket, one.about) == (int(batch.timestamps[0]) // 10_000 * 10_000 + 10_000, BEGINNING + HOUR)


def test_a_time_that_no_bucket_has_is_brought_into_the_years(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    written(bus, {"model": "m0", "version": "1", "kind": "deployed", "time": 253_402_300_799_999})
    bus.publish(
        [Output(MODELS.topic, 0, b"model/m0/2/deployed/j", b'{"model":"m0","version":2,"kind":"deployed","job":"j"}', (), -(2**60))]
    )
    finish(bus, chosen)
    assert len(evidence(bus, chosen)) == 2


def test_with_a_record_clock_progress_has_ended_once_all_is_read(tmp_path: Path) -> None:
    """Said in all partitions, behind the facts in front of it; and again when more has come."""
    chosen = settings(tmp_path)
    bus = world(chosen)
    with closing(clerk_of(bus, chosen, lambda: BEGINNING, SOURCES[:1])) as one:
        turns(one)
        first = progress(bus, chosen)
        assert {p: [(said.ended, said.through, said.by_clock) for said in all_] for p, all_ in first.items()} == {
            p: [(True, None, False)] for p in range(3)
        }
        assert first[0][0].source.topic == MODELS.topic
        assert [(topic.topic, topic.partitions) for topic in first[0][0].topics] == [(MODELS.topic, 1)]
        turns(one)
        assert progress(bus, chosen) == first
        tell(bus, chosen, deployed("7"))
        turns(one)
        assert {p: len(all_) for p, all_ in progress(bus, chosen).items()} == {0: 2, 1: 2, 2: 2}
    assert [kind(event) for event in everything(bus, chosen.topics.summaries)[partition_of("m0", 3)]][1:] == [Evidence.TYPE, Progress.TYPE]


def test_live_progress_is_the_wall_clocks_and_goes_on_while_nothing_comes(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "live")
    bus, clock = world(chosen), [BEGINNING]
    with closing(clerk_of(bus, chosen, lambda: clock[0])) as one:
        for now in (BEGINNING, BEGINNING + 9_000, BEGINNING + 20_000):
            clock[0] = now
            turns(one)
        said = progress(bus, chosen)[1]
        assert [(each.through, each.by_clock, each.ended) for each in said] == [
            (BEGINNING - 10_000, True, False),
            (BEGINNING + 10_000, True, False),
        ]
        one.finish()
        turns(one)
        assert one.done
        assert [each.ended for each in progress(bus, chosen)[1]] == [False, False, True]


def turns(one: Folding[Any, Evidence], most: int = 3) -> None:
    for _ in range(most):
        one.turn(0)


def test_it_is_done_where_nothing_was_ever_said(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    finish(bus, chosen)
    assert {said.ended for all_ in progress(bus, chosen).values() for said in all_} == {True}


def test_twice_is_once(tmp_path: Path) -> None:
    """The same job says it again: by command, by any client, in other words; to this clerk and to the one after it."""
    chosen = settings(tmp_path)
    bus = world(chosen)
    tell(bus, chosen, deployed("7", job="j1"))
    finish(bus, chosen)
    for fields in ({}, {"parent": "6"}, {"time": BEGINNING}):
        written(bus, {"model": "m0", "version": "7", "kind": "deployed", "job": "j1", **fields})
    tell(bus, chosen, deployed("7", job="j1"))
    assert finish(bus, chosen).get("facts", 0) == 0
    tell(bus, chosen, deployed("7", job="j2"))
    finish(bus, chosen)
    assert [one.fact["job"] for _, one in evidence(bus, chosen)] == ["j1", "j2"]


def test_twice_is_once_for_whoever_follows_one_that_died_though_compaction_took_what_it_had_read(tmp_path: Path) -> None:
    """What the log no longer holds cannot be folded again: what was copied is written down in the transaction that copied it."""
    chosen = settings(tmp_path, snapshot_every="1d")
    bus = world(chosen)
    for job in ("j1", "j2", "j2", "j3", "j1"):
        tell(bus, chosen, deployed("7", job=job))
        turns(clerk_of(bus, chosen, lambda: BEGINNING))  # and dies: it is never closed
    assert [one.fact["job"] for _, one in evidence(bus, chosen)] == ["j1", "j2", "j3"]


def test_compaction_leaves_the_last_wording_and_takes_no_event(tmp_path: Path) -> None:
    """A clerk that comes after it says the same facts, by the same ids; of two wordings the last one, which stands later in the log."""
    chosen, others = settings(tmp_path), settings(tmp_path, application="other", topics={"prefix": "other"})
    bus = world(chosen)
    create_topics(bus, others)
    for topics in (chosen.topics, others.topics):
        for place, fields in enumerate(({"parent": "5"}, {"parent": "6"})):
            if topics is chosen.topics and place:
                finish(bus, chosen)  # this one has read the first wording
            written(bus, {"model": "m0", "version": "7", "kind": "deployed", "job": "j1", "time": BEGINNING, **fields}, topic=topics.models)
        written(bus, {"model": "m0", "version": "8", "kind": "deployed", "job": "j2", "time": BEGINNING}, topic=topics.models)
        bus.publish([Output(topics.models, 0, b"model/m0/9/deployed/gone", None)])
    assert [batch.offsets.tolist() for batch in bus.read(MODELS, 0, 9)] == [[1, 2, 3]]
    finish(bus, chosen)
    finish(bus.as_instance("one", "other"), others)
    early, late = ([one for _, one in evidence(bus, each)] for each in (chosen, others))
    assert [(one.id, one.fact.get("parent"), one.offset) for one in early] == [(early[0].id, "5", 0), (early[1].id, None, 2)]
    assert [(one.id, one.fact.get("parent"), one.offset) for one in late] == [(early[0].id, "6", 1), (early[1].id, None, 2)]


def test_of_another_application_it_is_passed_over_and_told_once(tmp_path: Path) -> None:
    """Two applications share the topics: each copies its own events, and those that are nobody's."""
    ours, theirs = (settings(tmp_path, application=name) for name in ("ours", "theirs"))
    bus = EmbeddedBus(":memory:", "ours", "one")
    bus.create("scored", 4)
    create_topics(bus, ours)
    for chosen in (ours, theirs):
        tell(bus, chosen, deployed(chosen.application))
        tell(bus, chosen, deployed("1", job=chosen.application))
    written(bus, {"model": "m0", "version": "both", "kind": "deployed", "job": "j"})
    finish(bus, ours)
    finish(bus.as_instance("one", "theirs"), theirs)
    by_source: dict[str, set[str]] = {}
    for events in everything(bus, ours.topics.summaries).values():
        for event in events:
            if kind(event) == Evidence.TYPE:
                by_source.setdefault(dict(event.headers)["ce_source"].decode(), set()).add(Evidence.decoded(event.value).version)
    assert by_source == {"/driftbus/ours": {"ours", "1", "both"}, "/driftbus/theirs": {"theirs", "1", "both"}}
    assert sorted(text.partition(";")[0] for text in told(bus, ours)[1]) == [
        f"application {name} writes to driftbus.models too" for name in ("ours", "theirs")
    ]


def test_another_process_goes_on_where_one_left(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "live")
    bus = world(chosen)
    one, other = (clerk_of(bus.as_instance(name), chosen, lambda: BEGINNING) for name in ("a", "b"))
    for number in range(10):
        tell(bus, chosen, deployed(str(number)))
        turns(one, 1)
        turns(other, 1)
        if number == 4:
            one.close()
            one = clerk_of(bus.as_instance("c"), chosen, lambda: BEGINNING)
    for each in (one, other):
        each.finish()
    while not (one.done and other.done):
        turns(one, 1)
        turns(other, 1)
    one.close()
    other.close()
    assert [one.version for _, one in evidence(bus, chosen)] == [str(number) for number in range(10)]


def _answers(application: str, key: bytes | None, value: bytes | None, headers: Any) -> ModelEvent | None:
    return None if value is None else ModelEvent.decoded(value)


def test_further_sources_are_a_line_each(tmp_path: Path) -> None:
    """Each with progress, snapshots and memory of its own, in one group."""
    sources = (*SOURCES, Source("answer", "answers", _answers))
    chosen = settings(tmp_path)
    bus = world(chosen)
    bus.create("driftbus.answers", 2, settings={"cleanup.policy": "compact"})
    for number in range(6):
        tell(bus, chosen, deployed(str(number)))
        bus.publish([Output("driftbus.answers", number % 2, b"k%d" % number, deployed(str(number)).encoded())])
        finish(bus, chosen, sources)
    found = [(one.of, one.version) for _, one in evidence(bus, chosen)]
    assert sorted(found) == [(of, str(number)) for of in ("answer", "model") for number in range(6)]
    assert {said.source.partition for said in progress(bus, chosen, "answer")[0]} == {0, 1}
    kept = {
        event.key.decode().split("/")[1] for events in everything(bus, chosen.topics.snapshots).values() for event in events if event.key
    }
    assert kept == {"clerk", "clerk-answer", "clerk-feedback"}
    for number in range(6):
        bus.publish([Output("driftbus.answers", number % 2, b"k%d" % number, deployed(str(number)).encoded())])
    assert finish(bus, chosen, sources).get("facts", 0) == 0


def test_what_is_remembered_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    day = 24 * HOUR
    for number, at in enumerate([0, 1, 50, 89, 92]):
        tell(bus, chosen, deployed(str(number), time=BEGINNING + at * day))
    with closing(clerk_of(bus, chosen, lambda: BEGINNING)) as one:
        turns(one)
        [fold] = one.folds().values()
        assert isinstance(fold, Copying)
        assert len(fold.copied) == 3
        monkeypatch.setattr("driftbus.consumers.clerk.copying.MOST_REMEMBERED", 2)
        tell(bus, chosen, deployed("more", time=BEGINNING))
        turns(one)
        assert len(fold.copied) == 2


def test_drift_events_are_what_they_are_without_it(tmp_path: Path) -> None:
    """The detector passes over a kind that it does not test, and over its progress; announcements are read as ever beside the events."""

    def events(name: str, roles: tuple[str, ...]) -> list[Event]:
        chosen = settings(tmp_path / name)
        bus = EmbeddedBus(":memory:", chosen.application, "one")
        prepare(bus, chosen, [reference("m0")])
        send(bus, rows(700, ["m0"], 3, shifted=("m0", 200, 400)))
        for number in range(20):
            tell(bus, chosen, deployed(str(number), time=BEGINNING + number * 30_000))
        with closing(Pipeline(bus, chosen, roles)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        assert sum(one.of == "model" for _, one in evidence(bus, chosen)) == (20 if "clerk" in roles else 0)
        return [event for found in everything(bus, chosen.topics.drift).values() for event in found]

    without = events("without", ("profiler", "detector"))
    assert [event.content["status"] for event in without] == ["opened", "resolved"]
    assert events("with", ("profiler", "clerk", "detector")) == without
