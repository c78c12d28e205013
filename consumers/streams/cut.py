"""Where one input partition is cut into runs: a pure function of its records' offsets and timestamps.

The rules, each with the case that broke its simpler form, in short:

- *High water* H is the largest accepted timestamp. The partition is complete through H - grace. A row belongs to the bucket that
  contains max(its timestamp, H - grace); it is late if that is not its own.
- A *cut* falls before the record that makes another bucket complete, and where ``offset // max_rows`` changes (for memory only).
- (offset, H) is all that survives: H at a cut includes the record behind the cut. Without it, a late first record after a crash would
  open the wrong bucket.
- *Jumps*: a partition's first record, or one more than ``max_jump`` above H, is judged by the next two: if one of them is more than
  ``max_jump`` earlier, the clock that wrote it was wrong. Nothing is committed past an unjudged record. End records are no exception:
  one of a far time would make a partition deaf, since whatever comes behind it is late.
- *Panes of so many rows*: a record's time is its offset, a second for each. Offsets only rise: nothing is late, no clock is wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import ROW_MS, Stream
from .buckets import Buckets, Times, buckets

#: In ms, the years that an ISO time can be of, whole buckets included: no clock that could be meant writes what lies beyond.
EARLIEST, LATEST = -30_000_000_000_000, 250_000_000_000_000
#: Records that judge a jump: one is not enough, since producers batch and a wrong clock usually writes two in a row.
CONFIRM = 2


@dataclass(frozen=True)
class Rules:
    """The settings of a stream that decide its cuts (times in ms)."""

    buckets: Buckets
    grace: int = 1_000
    max_jump: int = 3_600_000
    max_rows: int = 50_000
    linger: int = 2_000
    by_offset: bool = False  #: panes are of so many rows

    @classmethod
    def of(cls, stream: Stream) -> "Rules":
        """The rules of a configured stream."""
        if stream.pane.unit == "rows":
            return cls(buckets(stream.pane), grace=0, max_jump=LATEST, max_rows=stream.max_rows, by_offset=True)
        return cls(buckets(stream.pane), stream.grace, stream.longest_jump, stream.max_rows, stream.linger)

    def times(self, offsets: NDArray[np.int64], timestamps: Times, ends: NDArray[np.bool_]) -> Times:
        """When records stand: by their timestamps, or by their offsets; an end record then closes the bucket it stands in."""
        if not self.by_offset:
            return timestamps
        times = offsets * ROW_MS
        return np.where(ends, self.buckets.ends(times), times)


@dataclass(frozen=True)
class CutState:
    """What the cutter of a partition remembers. Only ``high_water`` is committed; the open run is read again after a crash."""

    high_water: int | None = None
    first: int | None = None  #: first offset of the open run; None: no run is open
    last: int | None = None  #: last offset taken
    by_clock: bool = False  #: the wall clock raised `high_water`, not a record

    def complete(self, rules: Rules) -> int | None:
        """Buckets that end at or before it have all their rows in front of the last taken record."""
        return None if self.high_water is None else self.high_water - rules.grace


class Cut(NamedTuple):
    """The open run closes here; what is committed with its panes."""

    position: int
    high_water: int | None


@dataclass(frozen=True)
class AcceptedRows:
    """Accepted records ``start`` to ``stop`` (indices into what was handed in), all of the open run."""

    start: int
    stop: int
    buckets: NDArray[np.int64]
    late: NDArray[np.bool_]


@dataclass(frozen=True)
class WrongClock:
    """The record at this index was written by a wrong clock: a dead letter."""

    index: int


Item = AcceptedRows | WrongClock | Cut


def cut(
    rules: Rules,
    state: CutState,
    offsets: NDArray[np.int64],
    timestamps: Times,
    ends: NDArray[np.bool_],
    *,
    final: bool = False,
    wall: int | None = None,
) -> tuple[CutState, list[Item], int]:
    """Take as many records as can be judged; returns the state, what became of them, and their number. The others must be handed in again.

    ``ends`` marks end records: they raise H, and are no rows. ``final``: no more records will come; ``wall``: the
    partition is silent, and this clock judges what the following records cannot.
    """
    found: list[Item] = []
    timestamps = rules.times(offsets, timestamps, ends)
    taken, total = 0, len(offsets)
    while taken < total:
        jump = _next_jump(rules, state, timestamps, taken)
        if jump > taken:
            state = _accept(rules, state, offsets, timestamps, taken, jump, found)
            taken = jump
            continue
        verdict = _judge(rules, timestamps, ends, taken, final=final, wall=wall)
        if verdict is None:
            break
        if verdict:
            state = _accept(rules, state, offsets, timestamps, taken, taken + 1, found)
        else:
            state = _refuse(rules, state, int(offsets[taken]), taken, found)
        taken += 1
    return state, found, taken


def cut_by_clock(rules: Rules, state: CutState, position: int, wall: int) -> tuple[CutState, Cut | None]:
    """Live: a partition read to its end and silent for ``linger`` is complete up to the last bucket end before now - linger - grace."""
    water = rules.buckets.start(wall - rules.linger - rules.grace) + rules.grace
    if state.high_water is not None and water <= state.high_water:
        return state, None
    return CutState(water, None, state.last, by_clock=True), Cut(position, water)


def finish(state: CutState, position: int) -> tuple[CutState, Cut]:
    """At the end offset that was taken at start: what is there is all there is."""
    return replace(state, first=None), Cut(position, state.high_water)


def _next_jump(rules: Rules, state: CutState, timestamps: Times, start: int) -> int:
    """The first record from ``start`` on that needs a judgement; the number of records if none does."""
    if state.high_water is None:
        return start
    times = timestamps[start:]
    impossible = (times < EARLIEST) | (times > LATEST)
    before = np.maximum.accumulate(np.concatenate(([state.high_water], times[:-1])))
    jumps = impossible | (times > before + rules.max_jump)
    first = int(jumps.argmax())
    return start + first if jumps[first] else len(timestamps)


def _judge(rules: Rules, timestamps: Times, ends: NDArray[np.bool_], index: int, *, final: bool, wall: int | None) -> bool | None:
    """Whether a jump is accepted; None: it cannot be told yet."""
    following = slice(index + 1, index + 1 + CONFIRM)
    closing = np.flatnonzero(ends[following] & ~ends[index])
    if len(closing):  # what comes behind an end record does not count, whether it is here already or not
        following = slice(index + 1, index + 2 + int(closing[0]))
    time, others = timestamps[index], timestamps[following]
    if not EARLIEST <= time <= LATEST or ((others < time - rules.max_jump) & (others >= EARLIEST)).any():
        return False
    if len(others) < CONFIRM and not final and not len(closing):
        return None if wall is None else bool(time <= wall)
    return True


def _accept(
    rules: Rules,
    state: CutState,
    offsets: NDArray[np.int64],
    timestamps: Times,
    start: int,
    stop: int,
    found: list[Item],
) -> CutState:
    """Take records that need no judgement, cut where they complete a bucket or fill a run."""
    times, offs = timestamps[start:stop], offsets[start:stop]
    waters = np.maximum.accumulate(times)
    if state.high_water is not None:
        np.maximum(waters, state.high_water, out=waters)
    open_ends = rules.buckets.ends(waters - rules.grace)
    memory = offs // rules.max_rows
    cuts = np.zeros(len(times), dtype=bool)
    cuts[1:] = (open_ends[1:] != open_ends[:-1]) | (memory[1:] != memory[:-1])
    if state.first is not None:
        closes = state.high_water is not None and int(open_ends[0]) != rules.buckets.end(state.high_water - rules.grace)
        cuts[0] = closes or (state.last is not None and int(memory[0]) != state.last // rules.max_rows)
    rows = rules.buckets.ends(np.maximum(times, waters - rules.grace))
    late = rows != rules.buckets.ends(times)
    first = state.first
    for begin, end in _spans(cuts):
        if cuts[begin]:
            found.append(Cut(int(offs[begin]), int(waters[begin])))
            first = None
        first = int(offs[begin]) if first is None else first
        found.append(AcceptedRows(start + begin, start + end, rows[begin:end], late[begin:end]))
    by_clock = state.by_clock and int(waters[-1]) == state.high_water
    return CutState(int(waters[-1]), first, int(offs[-1]), by_clock)


def _refuse(rules: Rules, state: CutState, offset: int, index: int, found: list[Item]) -> CutState:
    """Take a record of a wrong clock: it belongs to the run, but moves no time."""
    first = state.first
    if first is not None and state.last is not None and offset // rules.max_rows != state.last // rules.max_rows:
        found.append(Cut(offset, state.high_water))
        first = None
    found.append(WrongClock(index))
    return replace(state, first=offset if first is None else first, last=offset)


def _spans(cuts: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    return pairwise([0, *(int(i) for i in np.flatnonzero(cuts) if i), len(cuts)])
