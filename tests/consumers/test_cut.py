"""The cutter against the executable form of its rules, however a log is split into batches."""

from typing import NamedTuple

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftbus.consumers.streams.buckets import Every
from driftbus.consumers.streams.cut import AcceptedRows, Cut, CutState, Item, Rules, WrongClock, cut, cut_by_clock, finish
from driftbus.consumers.streams.high_water import still_ahead

from ..oracle import streams as oracle

RULES = Rules(Every(10), grace=3, max_jump=100, max_rows=8, linger=4, lead=5, max_ahead=60)
ORACLE = oracle.Config(oracle.Every(10), grace=3, max_jump=100, confirm=2, max_rows=8, linger=4, lead=5, max_ahead=60)

_steps = st.tuples(
    st.sampled_from((1, 1, 1, 2, 3)),  # offsets have gaps
    st.sampled_from((0, 1, 2, 3, 5, 8, 12, 30, 90, 101, 150, 1000)),  # time goes on, at times in jumps
    st.sampled_from((0, 0, 0, 0, 1, 2, 3, 4, 9, 15, 40)),  # some are late
    st.sampled_from((0,) * 12 + (101, 500, 5000, -500)),  # some clocks are wrong
    st.sampled_from(("row",) * 9 + ("end",)),
)


@st.composite
def logs(draw: st.DrawFn) -> list[oracle.Record]:
    offset, time, log = -1, 1000, []
    for gap, step, lag, error, kind in draw(st.lists(_steps, max_size=40)):
        offset, time = offset + gap, time + step
        log.append(oracle.Record(offset, time - lag + error, kind, "m", 1))
    return log


class Run(NamedTuple):
    """A published run: (bucket, rows, late) of each pane, its dead offsets, and what was committed."""

    panes: list[tuple[int, int, int, int, int]]
    dead: list[int]
    position: int
    high_water: int | None
    ahead: tuple[int, ...]


class Reader:
    """Feeds `cut` batch by batch and collects what it publishes."""

    def __init__(self, state: CutState | None = None) -> None:
        self.state = state or CutState()
        self.held: list[oracle.Record] = []
        self.runs: list[Run] = []
        self._rows: list[tuple[int, bool]] = []
        self._dead: list[int] = []
        self._offsets: list[int] = []

    def feed(self, batch: list[oracle.Record], *, final: bool = False, now: int | None = None, silent: bool = False) -> None:
        self.held += batch
        offsets = np.array([record.offset for record in self.held], dtype=np.int64)
        times = np.array([record.timestamp for record in self.held], dtype=np.int64)
        ends = np.array([record.kind == "end" for record in self.held], dtype=bool)
        self.state, items, taken = cut(RULES, self.state, offsets, times, ends, final=final, now=now, silent=silent)
        for item in items:
            self.take(item)
        self.held = self.held[taken:]

    def take(self, item: Item) -> None:
        if isinstance(item, Cut):
            panes = sorted({bucket for bucket, _ in self._rows})
            counted = [
                (self._offsets[0], self._offsets[-1], b, sum(x == b for x, _ in self._rows), sum(late for x, late in self._rows if x == b))
                for b in panes
            ]
            self.runs.append(Run(counted, self._dead, item.position, item.high_water, item.ahead))
            self._rows, self._dead, self._offsets = [], [], []
        elif isinstance(item, WrongClock):
            self._dead.append(self.held[item.index].offset)
            self._offsets.append(self.held[item.index].offset)
        else:
            self._take_rows(item)

    def _take_rows(self, rows: AcceptedRows) -> None:
        for index, bucket, late in zip(range(rows.start, rows.stop), rows.buckets, rows.late, strict=True):
            self._offsets.append(self.held[index].offset)
            if self.held[index].kind == "row":
                self._rows.append((int(bucket), bool(late)))


def published(parts: list[oracle.Published]) -> list[Run]:
    runs = []
    for part in parts:
        ahead = () if part.high_water is None else still_ahead((), part.ahead, part.high_water)  # others tell a successor nothing
        runs.append(
            Run([(p.first, p.last, p.bucket, p.rows, p.late) for p in part.panes], part.dead, part.position, part.high_water, ahead)
        )
    return runs


@settings(max_examples=400)
@given(log=logs(), sizes=st.lists(st.integers(0, 7), max_size=60))
def test_any_batches_cut_as_the_rules_say(log: list[oracle.Record], sizes: list[int]) -> None:
    expected = oracle.Cutter(ORACLE, "p")
    parts = [part for record in log for part in expected.feed(record)] + expected.finish()
    reader, start = Reader(), 0
    for size in sizes:
        reader.feed(log[start : start + size])
        start = min(start + size, len(log))
    reader.feed(log[start:], final=True)
    assert reader.held == []
    reader.state, last = finish(reader.state, expected.position)
    reader.take(last)
    assert reader.runs == published(parts)


@settings(max_examples=300)
@given(log=logs(), crashes=st.lists(st.integers(0, 40), max_size=5))
def test_a_crash_changes_no_run(log: list[oracle.Record], crashes: list[int]) -> None:
    calm = Reader()
    calm.feed(log, final=True)
    runs: list[Run] = []
    position, water, above = 0, None, tuple[int, ...]()
    for crash in [*sorted(crashes), len(log)]:  # each process reads up to a crash; what it had not committed is read again
        reader = Reader(CutState(water, ahead=above))
        ahead = [record for record in log if record.offset >= position]
        known = [record for record in log[:crash] if record.offset >= position]
        reader.feed(known if crash < len(log) else ahead, final=crash == len(log))
        if reader.runs:
            runs += reader.runs
            position, water, above = reader.runs[-1][2:]
    assert runs == calm.runs


@settings(max_examples=300)
@given(log=logs(), silences=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3000)), max_size=4))
def test_a_silent_partition_is_cut_by_the_clock(log: list[oracle.Record], silences: list[tuple[int, int]]) -> None:
    expected, reader, parts, read = oracle.Cutter(ORACLE, "p"), Reader(), list[oracle.Published](), 0
    for stop, wait in sorted(silences):
        for record in log[read:stop]:
            parts += expected.feed(record)
        reader.feed(log[read:stop])
        read = max(read, min(stop, len(log)))
        wall = 1000 + stop * 30 + wait
        parts += expected.clock(wall)
        if reader.held:
            reader.feed([], now=wall, silent=True)
        reader.state, last = cut_by_clock(RULES, reader.state, expected.position, wall)
        if last is not None:
            reader.take(last)
    assert reader.runs == published(parts)


#: Offsets with gaps: the number of records read is the offset behind a run that ends long before them.
_GAPS = [oracle.Record(offset, 1101 if offset == 8 else 1000, "row", "m", 1) for offset in (0, 1, 2, 4, 7, 8, 10, 13, 16, 17, 18, 19)]


@settings(max_examples=300)
@example(log=_GAPS, turns=[(8, -50)])
@given(log=logs(), turns=st.lists(st.tuples(st.integers(0, 9), st.sampled_from((-200, -50, -1, 0, 30, 400))), max_size=12))
def test_live_the_wall_clock_refuses_what_is_ahead_of_it(log: list[oracle.Record], turns: list[tuple[int, int]]) -> None:
    """And what it decided is committed with the batch: a successor, whose clock says something else, goes on behind it."""
    calm, dies, parts, start = Reader(), Reader(), list[oracle.Published](), 0
    expected = oracle.Cutter(ORACLE, "p")
    for size, error in [*turns, (len(log), 0)]:
        batch = log[start : start + size]
        start += len(batch)
        now = max((record.timestamp for record in batch), default=0) + error
        parts += expected.feed(*batch, now=now)
        calm.feed(batch, now=now)
        dies.feed(batch, now=now)
        read = log[start - 1].offset if start else -1
        if dies.runs and dies.runs[-1].position > read and not dies.held:  # nothing is open: what is committed is all that is known
            *_, water, ahead = dies.runs[-1]
            dies.state = CutState(water, None, None, ahead=ahead)
    assert calm.runs == published(parts)
    assert [run.dead for run in dies.runs if run.dead] == [run.dead for run in calm.runs if run.dead]


def test_two_records_of_a_wrong_clock_make_nobody_late() -> None:
    log = [oracle.Record(i, 1000 + 3 * i + 5000 * (i in (7, 8)), "row", "m", 1) for i in range(20)]
    reader = Reader()
    reader.feed(log, final=True)
    reader.take(finish(reader.state, 20)[1])
    assert sorted(offset for run in reader.runs for offset in run.dead) == [7, 8]
    assert sum(late for run in reader.runs for *_, late in run.panes) == 0
    assert sum(rows for run in reader.runs for _, _, _, rows, _ in run.panes) == 18
