"""The rules of streams, executable: one input partition's cutter and one summaries partition's aligner.

Not the product's code: no columns, no bytes, no speed. An oracle to test the product against, and a place to try a change of the rules
before making it.
Times are milliseconds. A bucket is named by its end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

NEVER = 1 << 60


class Buckets(Protocol):
    """Intervals [start, end) that tile time: a fixed length, months, ..."""

    def start(self, time: int) -> int: ...
    def end(self, time: int) -> int: ...


@dataclass(frozen=True)
class Every:
    length: int

    def start(self, time: int) -> int:
        return time // self.length * self.length

    def end(self, time: int) -> int:
        return self.start(time) + self.length


class Record(NamedTuple):
    offset: int
    timestamp: int
    kind: str = "row"  # row | poison | end
    model: str = ""
    value: int = 0


class Pane(NamedTuple):
    partition: str
    first: int  # first offset of its run
    last: int
    bucket: int
    model: str
    rows: int
    total: int  # every sum in a pane is an integer: addition is exact in any order
    late: int


class Progress(NamedTuple):
    partition: str
    complete: int | None  # buckets that end at or before it are complete
    ended: bool
    partitions: tuple[str, ...]  # all partitions of the stream, as this process knows them


@dataclass(frozen=True)
class Config:
    buckets: Buckets
    grace: int = 1_000
    max_jump: int = 3_600_000
    confirm: int = 2
    max_rows: int = 50_000
    linger: int = 2_000
    lead: int = 1_000
    newest: int = 5
    max_ahead: int = NEVER


@dataclass
class Cutter:
    """Cuts one input partition. What survives a crash is (position, high_water, ahead), committed together."""

    config: Config
    partition: str
    position: int = 0
    high_water: int | None = None
    ended: bool = False
    ahead: list[int] = field(default_factory=list)  # times of the newest records taken
    begin: int = 0  # the first high water
    by_clock: bool = False  # the wall clock judged what is taken and not yet published
    held: list[Record] = field(default_factory=list)  # read, not yet judged: nothing is committed past them
    run: list[tuple[Record, int]] = field(default_factory=list)  # (record, bucket) of the open run
    dead: list[int] = field(default_factory=list)
    first: int | None = None
    last: int | None = None

    def complete(self) -> int | None:
        return None if self.high_water is None else self.high_water - self.config.grace

    def feed(self, *records: Record, now: int | None = None) -> list[Published]:
        """Live, at the wall clock `now`, which judges what is too far ahead of it."""
        out: list[Published] = []
        for record in records:
            self.position = record.offset + 1
            self.held.append(record)
            out += self._judge(now=now)
        return out + self._judge(now=now) + self._committed_verdicts()

    def clock(self, wall: int) -> list[Published]:
        """Live only: the partition was read to its end and has been silent for `linger`."""
        out = self._judge(now=wall, silent=True) + self._committed_verdicts() if self.held else []
        grace = self.config.grace
        water = self.config.buckets.start(wall - self.config.linger - grace) + grace
        if self.high_water is None or water > self.high_water:
            self.high_water = water
            out.append(self._publish(self.position))
        return out

    def _committed_verdicts(self) -> list[Published]:
        """What the wall clock decided is committed at once: after a crash it says something else."""
        if not self.by_clock:
            return []
        assert self.last is not None
        self.by_clock = False
        return [self._publish(self.last + 1)]

    def finish(self) -> list[Published]:
        """The end offset taken at the start of `--until-end`. `ended` is said in progress, never committed."""
        out = [*self._judge(final=True), self._publish(self.position)]
        self.ended = True
        return out

    def _judge(self, final: bool = False, now: int | None = None, silent: bool = False) -> list[Published]:
        """A partition's first record, or one more than max_jump above the high water, is judged by the next ones."""
        out: list[Published] = []
        jump, confirm = self.config.max_jump, self.config.confirm
        while self.held:
            record, following = self.held[0], self.held[1 : confirm + 1]
            good = True
            if now is not None and record.timestamp > now + self.config.max_ahead:
                good, self.by_clock = False, True
            elif self.high_water is None or record.timestamp > self.high_water + jump:
                if any(f.timestamp < record.timestamp - jump for f in following):
                    good = False
                elif len(following) < confirm and not final and (record.kind == "end" or all(f.kind != "end" for f in following)):
                    if now is None or not silent:
                        return out
                    good, self.by_clock = record.timestamp <= now, True
            if good and self.high_water is None:  # begins with the least of the first and its judges
                self.begin = min([record.timestamp, *(f.timestamp for f in following)])
            out += self._take(self.held.pop(0), good)
        return out

    def _take(self, record: Record, good: bool) -> list[Published]:
        out: list[Published] = []
        config, before, ahead = self.config, self.high_water, self.ahead
        if good:
            self.ahead = [*ahead, record.timestamp][-config.newest :]
            self.high_water = self._raised(record)
        closes = before is not None and self._open(self.high_water) != self._open(before)
        full = self.last is not None and record.offset // config.max_rows != self.last // config.max_rows
        if self.first is not None and (closes or full):
            out.append(self._publish(record.offset, ahead))  # the cut stands before this record; its high water is committed with it
        self.first = record.offset if self.first is None else self.first
        self.last = record.offset
        if not good or record.kind == "poison":
            self.dead.append(record.offset)
        elif record.kind == "row":
            assert self.high_water is not None
            self.run.append((record, config.buckets.end(max(record.timestamp, self.high_water - config.grace))))
        return out

    def _raised(self, record: Record) -> int:
        """A record raises the high water by `lead` at most; beyond that it is what each of the newest records has reached."""
        if self.high_water is None:
            return self.begin
        water = self.high_water
        if len(self.ahead) == self.config.newest:
            water = max(water, min(self.ahead))
        if record.kind == "end" or record.timestamp <= water + self.config.lead:
            water = max(water, record.timestamp)
        return water

    def _open(self, water: int | None) -> int:
        assert water is not None
        return self.config.buckets.end(water - self.config.grace)

    def _publish(self, position: int, ahead: list[int] | None = None) -> Published:
        groups: dict[tuple[int, str], list[tuple[Record, int]]] = {}
        for record, bucket in self.run:
            groups.setdefault((bucket, record.model), []).append((record, bucket))
        panes = [
            Pane(
                self.partition,
                self.first or 0,
                -1 if self.last is None else self.last,
                bucket,
                model,
                len(rows),
                sum(r.value for r, _ in rows),
                sum(self.config.buckets.end(r.timestamp) != b for r, b in rows),
            )
            for (bucket, model), rows in sorted(groups.items())
        ]
        published = Published(panes, self.dead, position, self.high_water, tuple(self.ahead if ahead is None else ahead))
        self.run, self.dead, self.first = [], [], None
        return published


class Published(NamedTuple):
    """One transaction's share of a partition: its panes, then progress, and (position, high_water, ahead) as it is committed."""

    panes: list[Pane]
    dead: list[int]
    position: int
    high_water: int | None
    ahead: tuple[int, ...] = ()


@dataclass
class Aligner:
    """A pure function of one summaries partition, one record at a time. Its only clock is the records' append time."""

    buckets: Buckets
    patience: int = 300_000
    stride: int = 20_000  # the clock advances at most so far per record: silence of everyone uses up nobody's patience
    appended: int | None = None
    now: int = 0
    evaluated: int = -NEVER  # every bucket that ends at or before it has been evaluated
    passed: int = -NEVER  # told to be over
    pending: list[tuple[int, int, bool, Pane]] = field(default_factory=list)  # (bucket, log offset, was late, pane)
    heard: dict[str, int] = field(default_factory=dict)
    complete: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)

    def feed(self, offset: int, appended: int, record: Pane | Progress) -> list[tuple[int, bool, list[Pane]]]:
        """Returns the buckets that can now be evaluated: (bucket, whole, panes); of empty ones that are passed over, the last one."""
        self.now += min(max(0, appended - (appended if self.appended is None else self.appended)), self.stride)
        self.appended = appended if self.appended is None else max(self.appended, appended)
        if isinstance(record, Pane):
            late = record.bucket <= self.evaluated  # its bucket is gone, for whatever reason: it counts in the next one
            self.pending.append((self.buckets.end(self.evaluated) if late else record.bucket, offset, late, record))
            return []
        for partition in record.partitions:
            self.heard.setdefault(partition, self.now)
        self.heard[record.partition] = self.now
        if record.complete is not None:
            self.complete[record.partition] = max(record.complete, self.complete.get(record.partition, -NEVER))
        (self.ended.add if record.ended else self.ended.discard)(record.partition)
        for partition, since in self.heard.items():
            if self.now - since > self.patience:
                self.given_up.add(partition)
            elif partition in self.ended or self.complete.get(partition, -NEVER) >= self.evaluated:
                self.given_up.discard(partition)
        holding = [self.complete.get(p, -NEVER) for p in self.heard if p not in self.given_up | self.ended]
        through = min(holding, default=NEVER)
        out = []
        while due := [x for x in self.pending if x[0] <= through]:
            bucket = min(x[0] for x in due)
            panes = sorted((x for x in due if x[0] == bucket), key=lambda x: x[1])
            self.pending = [x for x in self.pending if x[0] != bucket]
            out.append((bucket, not self.given_up and not any(late for _, _, late, _ in panes), [x[3] for x in panes]))
            self.evaluated = bucket
        over = min((self.complete.get(p, -NEVER) for p in self.heard if p not in self.given_up), default=-NEVER)
        if through == NEVER:  # all have ended and everything is evaluated: a later run continues
            through = max((self.complete[p] for p in self.ended if p in self.complete), default=-NEVER)
            self.ended.clear()
        self.passed = max(self.passed, self.evaluated)
        if through > -NEVER and self.buckets.start(through) > self.passed:  # told, but a later run goes on where each partition stopped
            self.passed = self.buckets.start(through)
            out.append((self.passed, not self.given_up, []))
        if over > -NEVER:
            self.evaluated = max(self.evaluated, self.buckets.start(over))
        return out
