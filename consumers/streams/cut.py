"""Where one input partition is cut into runs: a pure function of its records' offsets and timestamps.

The rules, each with the case that broke its simpler form, in short:

- *High water* H is what the accepted records have reached (`high_water`: a single one raises it by ``lead`` at most). The partition is
  complete through H - grace. A row belongs to the bucket that contains max(its timestamp, H - grace); it is late if that is not its own.
- A *cut* falls before the record that makes another bucket complete, and where ``offset // max_rows`` changes (for memory only).
- (offset, H, the newest records that are still ahead of H) is all that survives: H at a cut includes the record behind the cut. Without
  it, a late first record after a crash would open the wrong bucket.
- *Jumps*: a partition's first record, or one more than ``max_jump`` above H, is judged by the next two: if one of them is more than
  ``max_jump`` earlier, the clock that wrote it was wrong. Nothing is committed past an unjudged record. End records are no exception:
  one of a far time would make a partition deaf, since whatever comes behind it is late. A partition begins with the least of
  its first record and those two.
- *Live*, a record more than ``max_ahead`` in front of the wall clock was written by a wrong clock, whatever follows. What a wall clock has
  decided is committed at once, by a cut behind the records that it was asked about: after a crash it says something else.
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
from .high_water import still_ahead, waters

#: In ms, the years that an ISO time can be of, whole buckets included: no clock that could be meant writes what lies beyond.
EARLIEST, LATEST = -30_000_000_000_000, 250_000_000_000_000
#: Records that judge a jump: one is not enough, since producers batch and a wrong clock usually writes two in a row.
CONFIRM = 2
#: Records that are looked at together where clocks jump.
_FEW = 64


@dataclass(frozen=True)
class Rules:
    """The settings of a stream that decide its cuts (times in ms)."""

    buckets: Buckets
    grace: int = 1_000
    max_jump: int = 3_600_000
    max_rows: int = 50_000
    linger: int = 2_000
    lead: int = 1_000  #: so far one record may raise the high water
    max_ahead: int | None = None  #: live: so far a record may stand in front of the wall clock
    by_offset: bool = False  #: panes are of so many rows

    @classmethod
    def of(cls, stream: Stream) -> "Rules":
        """The rules of a configured stream."""
        if stream.pane.unit == "rows":
            return cls(buckets(stream.pane), grace=0, max_jump=LATEST, max_rows=stream.max_rows, lead=LATEST, by_offset=True)
        lead = max(stream.grace, stream.pane.milliseconds)
        max_ahead = stream.max_ahead if stream.clock == "live" else None
        return cls(buckets(stream.pane), stream.grace, stream.longest_jump, stream.max_rows, stream.linger, lead, max_ahead)

    def times(self, offsets: NDArray[np.int64], timestamps: Times, ends: NDArray[np.bool_]) -> Times:
        """When records stand: by their timestamps, or by their offsets; an end record then closes the bucket it stands in."""
        if not self.by_offset:
            return timestamps
        times = offsets * ROW_MS
        return np.where(ends, self.buckets.ends(times), times)


@dataclass(frozen=True)
class CutState:
    """What the cutter of a partition remembers. ``high_water`` and ``ahead`` are committed; the open run is read again after a crash."""

    high_water: int | None = None
    first: int | None = None  #: first offset of the open run; None: no run is open
    last: int | None = None  #: last offset taken
    by_clock: bool = False  #: the wall clock raised `high_water`, not a record
    ahead: tuple[int, ...] = ()  #: times of the newest records, in a row, that are above `high_water`

    def complete(self, rules: Rules) -> int | None:
        """Buckets that end at or before it have all their rows in front of the last taken record."""
        return None if self.high_water is None else self.high_water - rules.grace


class Cut(NamedTuple):
    """The open run closes here; what is committed with its panes."""

    position: int
    high_water: int | None
    ahead: tuple[int, ...] = ()  #: see `CutState`; of the records in front of ``position``


@dataclass(frozen=True)
class AcceptedRows:
    """Accepted records ``start`` to ``stop`` (indices into what was handed in), all of the open run."""

    start: int
    stop: int
    buckets: NDArray[np.int64]
    late: NDArray[np.bool_]
    waters: NDArray[np.int64]  #: H behind each


@dataclass(frozen=True)
class WrongClock:
    """The record at this index was written by a wrong clock: a dead letter."""

    index: int
    beyond_now: int | None = None  #: the wall clock that said so, ms; None: the records around it did


Item = AcceptedRows | WrongClock | Cut


def cut(
    rules: Rules,
    state: CutState,
    offsets: NDArray[np.int64],
    timestamps: Times,
    ends: NDArray[np.bool_],
    *,
    final: bool = False,
    now: int | None = None,
    silent: bool = False,
) -> tuple[CutState, list[Item], int]:
    """Take as many records as can be judged; returns the state, what became of them, and their number. The others must be handed in again.

    ``ends``: end records and marks, which raise H at once, and are no rows. ``final``: no more records will come; ``now``: live, the wall
    clock; ``silent``: it is to judge what the records that have not followed cannot.
    """
    found: list[Item] = []
    timestamps = rules.times(offsets, timestamps, ends)
    latest = None if now is None or rules.max_ahead is None else now + rules.max_ahead
    taken, total, span, by_clock = 0, len(offsets), len(offsets), False
    while taken < total:
        reached = _until_jump(rules, state, timestamps[taken : taken + span], ends[taken : taken + span], latest)
        if len(reached):
            state = _accept(rules, state, offsets, timestamps, taken, reached, found)
            taken, span = taken + len(reached), span * 2
            continue
        span = _FEW
        verdict, asked = _judge(rules, timestamps, ends, taken, final=final, latest=latest, wall=now if silent else None)
        if verdict is None:
            break
        by_clock |= asked
        if verdict:
            state = _accept(rules, state, offsets, timestamps, taken, _reached_by(rules, state, timestamps, ends, taken), found)
        else:
            state = _refuse(rules, state, int(offsets[taken]), WrongClock(taken, now if asked else None), found)
        taken += 1
    if by_clock:
        found.append(Cut(int(offsets[taken - 1]) + 1, state.high_water, state.ahead))
        state = replace(state, first=None)
    return state, found, taken


def cut_by_clock(rules: Rules, state: CutState, position: int, wall: int) -> tuple[CutState, Cut | None]:
    """Live: a partition read to its end and silent for ``linger`` is complete up to the last bucket end before now - linger - grace."""
    water = rules.buckets.start(wall - rules.linger - rules.grace) + rules.grace
    if state.high_water is not None and water <= state.high_water:
        return state, None
    ahead = still_ahead(state.ahead, (), water)
    return CutState(water, None, state.last, by_clock=True, ahead=ahead), Cut(position, water, ahead)


def finish(state: CutState, position: int) -> tuple[CutState, Cut]:
    """At the end offset that was taken at start: what is there is all there is."""
    return replace(state, first=None), Cut(position, state.high_water, state.ahead)


def _until_jump(rules: Rules, state: CutState, times: Times, ends: NDArray[np.bool_], latest: int | None) -> Times:
    """The high water after each record in front of the first one that needs a judgement."""
    if state.high_water is None:
        return times[:0]
    reached = waters(state.high_water, state.ahead, times, ends, rules.lead)
    jumps = (times < EARLIEST) | (times > (LATEST if latest is None else min(LATEST, latest)))
    jumps |= times > np.concatenate(([state.high_water], reached[:-1])) + rules.max_jump
    return reached[: int(jumps.argmax())] if jumps.any() else reached


def _judge(
    rules: Rules, timestamps: Times, ends: NDArray[np.bool_], index: int, *, final: bool, latest: int | None, wall: int | None
) -> tuple[bool | None, bool]:
    """Whether a jump is accepted (None: it cannot be told yet), and whether a clock said so."""
    time, (others, closing) = int(timestamps[index]), _judges(timestamps, ends, index)
    if not EARLIEST <= time <= LATEST:
        return False, False
    if latest is not None and time > latest:
        return False, True
    if ((others < time - rules.max_jump) & (others >= EARLIEST)).any():
        return False, False
    if len(others) < CONFIRM and not final and not closing:
        return (None, False) if wall is None else (time <= wall, True)
    return True, False


def _judges(timestamps: Times, ends: NDArray[np.bool_], index: int) -> tuple[Times, bool]:
    """The times of the records that judge one, and whether an end record is the last of them.

    What comes behind an end record does not count, whether it is here already or not.
    """
    following = slice(index + 1, index + 1 + CONFIRM)
    closing = np.flatnonzero(ends[following] & ~ends[index])
    if len(closing):
        following = slice(index + 1, index + 2 + int(closing[0]))
    return timestamps[following], bool(len(closing))


def _reached_by(rules: Rules, state: CutState, timestamps: Times, ends: NDArray[np.bool_], index: int) -> Times:
    """The high water after a record that was judged. The first one of a partition may be ahead of those that follow."""
    times = timestamps[index : index + 1]
    if state.high_water is not None:
        return waters(state.high_water, state.ahead, times, ends[index : index + 1], rules.lead)
    others, _ = _judges(timestamps, ends, index)
    return np.array([min([int(times[0]), *others[others >= EARLIEST].tolist()])], dtype=np.int64)


def _accept(
    rules: Rules,
    state: CutState,
    offsets: NDArray[np.int64],
    timestamps: Times,
    start: int,
    reached: Times,
    found: list[Item],
) -> CutState:
    """Take the records that raise the high water so, cut where they complete a bucket or fill a run."""
    stop = start + len(reached)
    times, offs = timestamps[start:stop], offsets[start:stop]
    open_ends = rules.buckets.ends(reached - rules.grace)
    memory = offs // rules.max_rows
    cuts = np.zeros(len(times), dtype=bool)
    cuts[1:] = (open_ends[1:] != open_ends[:-1]) | (memory[1:] != memory[:-1])
    if state.first is not None:
        closes = state.high_water is not None and int(open_ends[0]) != rules.buckets.end(state.high_water - rules.grace)
        cuts[0] = closes or (state.last is not None and int(memory[0]) != state.last // rules.max_rows)
    rows = rules.buckets.ends(np.maximum(times, reached - rules.grace))
    late = rows != rules.buckets.ends(times)
    first = state.first
    for begin, end in _spans(cuts):
        if cuts[begin]:
            water = int(reached[begin])
            found.append(Cut(int(offs[begin]), water, still_ahead(state.ahead, times[:begin], water)))
            first = None
        first = int(offs[begin]) if first is None else first
        found.append(AcceptedRows(start + begin, start + end, rows[begin:end], late[begin:end], reached[begin:end]))
    high_water = int(reached[-1])
    by_clock = state.by_clock and high_water == state.high_water
    return CutState(high_water, first, int(offs[-1]), by_clock, still_ahead(state.ahead, times, high_water))


def _refuse(rules: Rules, state: CutState, offset: int, wrong: WrongClock, found: list[Item]) -> CutState:
    """Take a record of a wrong clock: it belongs to the run, but moves no time."""
    first = state.first
    if first is not None and state.last is not None and offset // rules.max_rows != state.last // rules.max_rows:
        found.append(Cut(offset, state.high_water, state.ahead))
        first = None
    found.append(wrong)
    return replace(state, first=offset if first is None else first, last=offset)


def _spans(cuts: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    return pairwise([0, *(int(i) for i in np.flatnonzero(cuts) if i), len(cuts)])
