"""The rules from two topics to outcomes, executable: readers cut logs into blocks, an aligner brings both sides of a join together, and the
joiner of `tests.oracle.labels` takes what it makes ready.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .. import labels, streams
from .worlds import PANE, PREDICTIONS, RULES, Content, Join, Known, Predicted, World

#: Of a class, cells of calibration: bins of the score, and one without.
_BINS, _CELLS = 16, 17
#: Where a label that met nothing names a model that none of the join's is.
OTHERS = "(others)"
#: Revisions in an interval, at most.
_REVISED = 12


class Row(NamedTuple):
    """A prediction or a label as it travels."""

    water: int  #: the high water of its partition behind it
    source: str
    offset: int
    bucket: int
    content: Predicted | Known

    @property
    def order(self) -> tuple[int, str, int]:
        return self.water, self.source, self.offset


class Block(NamedTuple):
    """The sampled rows of one run and bucket that wait in one partition of the joins topic."""

    join: str
    source: str
    first: int
    last: int
    bucket: int
    number: int
    rows: tuple[Row, ...]


class Halves(NamedTuple):
    """Of the hash of an id: one says whether it is sampled, the other where it waits."""

    hi: int
    lo: int


@dataclass
class Reader(streams.Cutter):
    """Of predictions or of labels: its rows leave with their run."""

    contents: Mapping[tuple[str, int], Content] = field(default_factory=dict)
    waits: Callable[[Predicted | Known], tuple[str, int] | None] = lambda _: None  #: in which join and partition, if it is sampled
    waters: dict[int, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def _take(self, record: streams.Record, good: bool) -> list[streams.Published]:
        out = super()._take(record, good)
        if self.run and self.run[-1][0] is record:
            assert self.high_water is not None
            self.waters[record.offset] = self.high_water
        return out

    def _publish(self, position: int, ahead: list[int] | None = None) -> streams.Published:
        groups: dict[tuple[str, int, int], list[Row]] = {}
        for record, bucket in self.run:
            content = self.contents[self.partition, record.offset]
            place = None if content is None else self.waits(content)
            if content is not None and place is not None:
                row = Row(self.waters[record.offset], self.partition, record.offset, bucket, content)
                groups.setdefault((place[0], bucket, place[1]), []).append(row)
        for (join, bucket, number), rows in sorted(groups.items()):
            assert self.first is not None
            assert self.last is not None
            self.blocks.append(Block(join, self.partition, self.first, self.last, bucket, number, tuple(rows)))
        return super()._publish(position, ahead)


def waiting(world: World, halves: Callable[[str], Halves], stream: str) -> Callable[[Predicted | Known], tuple[str, int] | None]:
    """Where the rows of a stream wait: by their id alone, whatever their model."""
    named = {join.name: join for join in world.joins}

    def place(content: Predicted | Known) -> tuple[str, int] | None:
        join = world.join_of(content.model) if isinstance(content, Predicted) else named[stream]
        if join is None or not halves(content.id).hi < join.rate * 2**64:
            return None
        return join.name, halves(content.id).lo % world.partitions

    return place


def blocks(world: World, halves: Callable[[str], Halves]) -> list[Block]:
    """What all readers come to, each run of the product ending where the world's parts do."""
    found: list[Block] = []
    for source in world.logs:
        reader = Reader(RULES, source, contents=world.contents, waits=waiting(world, halves, source.split("/")[0]))
        for part in world.parts():
            reader.feed(*(record for record in part[source] if record.offset >= reader.position))
            reader.finish()
        found += reader.blocks
    return found


@dataclass
class JoinAligner(streams.Aligner):
    """Waits for all streams of a join: one that has not spoken yet holds like a partition that has not."""

    awaits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.heard.update((f"stream {stream}", self.now) for stream in self.awaits)

    def feed(self, offset: int, appended: int, record: streams.Pane | streams.Progress) -> list[tuple[int, bool, list[streams.Pane]]]:
        if isinstance(record, streams.Progress):
            self.heard.pop(f"stream {record.partition.split('/')[0]}", None)
        return super().feed(offset, appended, record)


def spans(join: Join) -> labels.Join:
    revise = max(PANE, -(-(join.about // _REVISED) // PANE) * PANE)
    return labels.Join(RULES.buckets, streams.Every(join.about), streams.Every(revise), join.wait, join.early, join.maturity)


@dataclass
class Partition:
    """One join in one partition of the joins topic: blocks and progress in, outcomes out."""

    world: World
    join: Join
    blocks: dict[int, Block] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.streams = PREDICTIONS, self.join.name
        self.aligner = JoinAligner(RULES.buckets, patience=streams.NEVER, awaits=self.streams)
        self.joiner = labels.Joiner(spans(self.join))

    def feed(self, offset: int, fact: Block | streams.Progress) -> list[labels.Outcome]:
        if isinstance(fact, Block):
            if fact.join == self.join.name:
                self.blocks[offset] = fact
                self.aligner.feed(offset, 0, streams.Pane(fact.source, fact.first, fact.last, fact.bucket, "", len(fact.rows), offset, 0))
            return []
        if fact.partition.split("/")[0] not in self.streams:
            return []
        out: list[labels.Outcome] = []
        for step, _, panes in self.aligner.feed(offset, 0, fact):
            if panes:
                rows = sorted((row for pane in panes for row in self.blocks.pop(pane.total).rows), key=lambda row: row.order)
                out += self.joiner.take(step, *sides(self.world, self.join, rows))
        out += self.joiner.passed(self.aligner.passed)
        if fact.ended and not self.aligner.ended and self.aligner.complete:  # all have
            out += self.joiner.ended(max(self.aligner.complete.values()))
        return out


def fold(world: World, join: Join, facts: Iterable[tuple[int, Block | streams.Progress]]) -> tuple[list[labels.Outcome], int]:
    """All that one join tells in one partition, and how far it is over."""
    partition = Partition(world, join)
    outcomes = [outcome for offset, fact in facts for outcome in partition.feed(offset, fact)]
    return outcomes, partition.joiner.through


def sides(world: World, join: Join, rows: Iterable[Row]) -> tuple[list[labels.Prediction], list[labels.Label]]:
    """Rows as the joiner takes them, both sides in their order."""
    predictions: list[labels.Prediction] = []
    known: list[labels.Label] = []
    for row in rows:
        content = row.content
        if isinstance(content, Predicted):
            predicted, cell = predicted_in(content)
            place = str(world.place(row.bucket))
            predictions.append(labels.Prediction(content.id, content.model, content.version, place, row.bucket, predicted, cell))
        else:
            model = content.model if content.model in ("", *join.models) else OTHERS
            value = None if content.value is None else int(content.value)
            known.append(labels.Label(content.id, value, row.bucket, model, content.revision))
    return predictions, known


def predicted_in(row: Predicted) -> tuple[int, int]:
    """What a score predicts, and its cell."""
    predicted = int(row.score >= 0.5)
    return predicted, predicted * _CELLS + int(row.score * _BINS)
