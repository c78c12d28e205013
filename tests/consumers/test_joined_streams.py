"""Streams come to a join, and leave it, at a restart: what is said waits for those that there are, and is the same whoever dies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.consumers.joiner.blocks import Blocks, Kept
from driftbus.consumers.joiner.counted import CountedBy
from driftbus.consumers.joiner.fold import Fold
from driftbus.consumers.joiner.reads import of_stream
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.stored.snapshot import PartitionState

from .test_blocks import LABELS

MINUTE = 60_000
#: The topics of each stream of predictions; a model for each.
Streams = Mapping[str, Sequence[str]]
ONE: Streams = {"one": ["a"]}
WORLDS: Sequence[Streams] = (ONE, {"one": ["a", "b"]}, {"one": ["b"]}, {"one": ["a"], "two": ["c"]}, {"two": ["c"]})


def chosen(streams: Streams) -> Configuration:
    read = {name: {"topics": topics, "pane": "1m", "clock": "record", "mapping": {"id": "id"}} for name, topics in streams.items()}
    models = {f"m{name}": {"labels": "outcomes", "stream": name} for name in streams}
    labels = {"outcomes": {"topics": [LABELS], "wait": "2m", "early": "1m", "about": "2m"}}
    return Configuration.model_validate({"application": "test", "bus": "embedded", "streams": read, "models": models, "labels": labels})


def progress(stream: str, topic: str, minute: int, beside: Sequence[str] = ()) -> Progress:
    """As the joiner reads it, of a topic with one partition."""
    named = {name: of_stream(stream, name) for name in (topic, *beside)}
    return Progress(
        stream=stream,
        source=InputPartition(topic=named[topic], topic_id=topic, partition=0),
        through=minute * MINUTE,
        topics=tuple(InputTopic(topic=own, topic_id=name, partitions=1) for name, own in named.items()),
    )


@dataclass
class Life:
    """A partition's joiner, and those that follow it."""

    fold: Fold
    state: PartitionState | None = None

    def feed(self, log: Sequence[Progress], offset: int) -> list[int]:
        """How far what is said has got, in minutes."""
        said = (one.fact for one in self.fold.feed(offset, offset, log[offset]))
        return [(fact.through or 0) // MINUTE for fact in said if isinstance(fact, Progress)]

    def again(self, log: Sequence[Progress], offset: int, streams: Streams) -> None:
        """A successor, which begins at this offset."""
        self.fold = begun(streams, self.state)
        for number in range(0 if self.state is None else self.state.position, offset):
            self.feed(log, number)
        changed = self.fold.changed
        assert self.fold.resumed() == []
        if changed:
            self.write(offset)

    def write(self, offset: int) -> None:
        self.state, parts = self.fold.snapshot(offset)
        self.state = PartitionState.model_validate_json(self.state.model_dump_json())
        assert parts == {}


def begun(streams: Streams, state: PartitionState | None = None) -> Fold:
    def blocks_of(_: int) -> Blocks:
        return Blocks(lambda *_: iter(()), 1)

    nothing = cast(CountedBy, None)
    made = (
        Fold(chosen(streams), nothing, blocks_of)
        if state is None
        else Fold.restored(chosen(streams), nothing, blocks_of, state, dict[int, Kept]())
    )
    made.situated(InputPartition(topic="joins", topic_id="j", partition=0), append_time=True)
    return made


def test_a_stream_that_is_new_is_waited_for() -> None:
    log = [progress("one", "a", 9), progress("outcomes", LABELS, 9), progress("outcomes", LABELS, 12), progress("one", "a", 12)]
    log += [progress("two", "c", 10), progress("two", "c", 20)]
    life = Life(begun(ONE))
    assert [life.feed(log, offset) for offset in range(2)] == [[], [9]]
    life.write(2)
    life.again(log, 2, WORLDS[3])
    assert [life.feed(log, offset) for offset in range(2, 6)] == [[], [], [10], [12]]


def test_a_stream_and_a_topic_that_are_read_no_more_hold_nobody_up() -> None:
    log = [progress("one", "a", 9), progress("two", "c", 5), progress("outcomes", LABELS, 9), progress("outcomes", LABELS, 12)]
    log += [progress("one", "b", 11, ["a"]), progress("one", "a", 1)]
    life = Life(begun(WORLDS[3]))
    assert [life.feed(log, offset) for offset in range(3)] == [[], [], [5]]
    life.write(3)
    life.again(log, 3, {"one": ["b"]})
    assert [life.feed(log, offset) for offset in range(3, 6)] == [[], [11], []]


_progress = st.tuples(st.sampled_from("abcl"), st.integers(0, 3))


@settings(max_examples=300)
@given(
    said=st.lists(_progress, max_size=60),
    changes=st.dictionaries(st.integers(0, 60), st.sampled_from(WORLDS), max_size=3),
    restarts=st.sets(st.integers(0, 60), max_size=5),
    written=st.sets(st.integers(0, 60), max_size=8),
)
def test_whoever_dies_what_is_said_waits_for_those_that_there_are(
    said: list[tuple[str, int]], changes: dict[int, Streams], restarts: set[int], written: set[int]
) -> None:
    streams = {"a": "one", "b": "one", "c": "two", "l": "outcomes"}
    names, at, log = {"l": LABELS}, dict.fromkeys("abcl", 0), list[Progress]()
    for topic, minutes in said:
        at[topic] += minutes
        beside = {"a": "b", "b": "a"}.get(topic, "")  # who reads a stream names all of its topics
        log.append(progress(streams[topic], names.get(topic, topic), at[topic], beside))
    found = []
    for dying in (set[int](), restarts):
        life, now, all_said = Life(begun(ONE)), ONE, list[list[int]]()
        for offset in range(len(log)):
            now = changes.get(offset, now)
            if offset in changes or offset in dying:
                life.again(log, offset, now)
            all_said.append(life.feed(log, offset))
            reached = {(one.stream, one.source.topic): (one.through or 0) // MINUTE for one in log[: offset + 1]}
            awaited = [(name, of_stream(name, topic)) for name, own in now.items() for topic in own[:1]]
            assert all(
                through <= reached.get(one, -1) for through in all_said[-1] for one in (*awaited, ("outcomes", f"outcomes/{LABELS}"))
            )
            if offset in written:
                life.write(offset + 1)
        found.append(all_said)
    assert found[0] == found[1]
