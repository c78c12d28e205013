"""One input partition in a profiler's hands: its records handed to the cutter, its runs to the tally."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...schemas.messages.progress import InputPartition
from ..bus.interface import Output, Position
from ..process.last_net import SetAside
from ..streams.cut import Cut, CutState, Item, Rules, cut, cut_by_clock, finish
from ..streams.records import NO_RECORDS, Records
from .runs import NOTHING_ASIDE, ClosedRun
from .side import Tallying

_TOPIC = "topic="
#: Committed beside a position behind which it was said that nothing is left.
ENDED = "ended"


@dataclass
class Partition:
    """What is known of one partition. What is committed survives this process: the open run is read again by whoever is next."""

    source: InputPartition
    committed: Position
    rules: Rules
    new_tally: Callable[[], Tallying]
    heard_at: int  #: wall ms of the last record, or of taking the partition over
    said_at: int = 0  #: wall ms of the last progress
    retired: dict[str, int] = field(default_factory=dict)  #: the models that were last said to be
    until: int | None = None  #: the end offset that `Profiler.finish` found
    ended: bool = False
    closed: list[ClosedRun] = field(default_factory=list)  #: not yet committed
    notices: list[Output] = field(default_factory=list)  #: not yet committed
    aside: SetAside = field(default_factory=SetAside)
    position: int = field(init=False)  #: behind the last record read
    state: CutState = field(init=False)
    tally: Tallying = field(init=False)
    held: Records = field(init=False)  #: read, and not yet judged by the cutter

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget all that is not committed: it will be read again."""
        self.position, self.state = self.committed.offset, _state(self.committed.metadata)
        self.tally, self.held, self.closed, self.ended = self.new_tally(), NO_RECORDS, [], False

    def take(self, records: Records, now: int | None = None) -> list[ClosedRun]:
        """The next records, live at this wall clock; those set aside keep their time and place, and are no rows. Returns the runs that
        they close.
        """
        if len(records):
            self.position = max(self.position, int(records.offsets[-1]) + 1)
        return self._cut(records, now=now)

    def take_clock(self, position: int, now: int) -> list[ClosedRun]:
        """Live: read to its end and silent for `linger`, so this wall clock judges, and closes buckets."""
        closed = self._cut(NO_RECORDS, now=now, silent=True) if len(self.held) else []
        state, last = cut_by_clock(self.rules, self.state, position, now)
        if last is not None:
            self.state, self.position = state, position
            closed += self._tally(NO_RECORDS, [last])
        return closed

    def end(self) -> list[ClosedRun]:
        """What was there when `until` was taken is all there is."""
        closed = self._cut(NO_RECORDS, final=True)
        self.position = max(self.position, self.until or 0)
        self.state, last = finish(self.state, self.position)
        closed += self._tally(NO_RECORDS, [last])
        self.ended = True
        return closed

    def _cut(self, records: Records, *, final: bool = False, now: int | None = None, silent: bool = False) -> list[ClosedRun]:
        """Hand the held records and these to the cutter; count what it takes."""
        records = self.held.followed_by(records)
        columns = records.offsets, records.timestamps, records.ends
        self.state, items, taken = cut(self.rules, self.state, *columns, final=final, now=now, silent=silent)
        self.held = records.since(taken) if taken < len(records) else NO_RECORDS
        return self._tally(records, items)

    def _tally(self, records: Records, items: Sequence[Item]) -> list[ClosedRun]:
        aside = (
            self.aside.among(int(records.offsets[0]), int(records.offsets[-1])) if self.aside.reasons and len(records) else NOTHING_ASIDE
        )
        closed = self.tally.add(records, items, aside)
        self.closed += closed
        return closed

    def metadata(self, last: Cut) -> str:
        """What is committed beside an offset: the high water, whether a clock said it, how far the newest records in front are above it.

        And of which topic of that name it is said. ``1700000000000 topic=ID``, ``1700000000000 clock +3000000 +3000500 topic=ID``. Beside
        the last one of a run to the end stands `ENDED`, too.
        """
        if last.high_water is None:
            return ""
        clock = ["clock"] if self.state.by_clock else []
        above = (f"+{time - last.high_water}" for time in last.ahead)
        return " ".join([str(last.high_water), *clock, *above, f"{_TOPIC}{self.source.topic_id}"])

    def last(self, position: Position) -> Position:
        """Of what has `ended`, with the word for it: what was said in its transaction."""
        if not self.ended or ENDED in position.metadata.split(" "):
            return position
        return position._replace(metadata=f"{position.metadata} {ENDED}".strip())

    def committed_at(self, position: Position, now: int) -> None:
        """All that was closed and noticed is published."""
        self.committed, self.closed, self.notices, self.said_at = position, [], [], now
        self.aside.forget(position.offset)

    def moved(self, first: int) -> None:
        """Retention took what lies in front of ``first``: go on from there."""
        self.committed = self.committed._replace(offset=first)
        self.restart()


def topic_of(metadata: str) -> str | None:
    """The id of the topic that a position was committed for; None: it does not say.

    >>> topic_of("1700000000000 clock topic=ZSQy"), topic_of("1700000000000")
    ('ZSQy', None)
    """
    return next((word.removeprefix(_TOPIC) for word in metadata.split(" ") if word.startswith(_TOPIC)), None)


def _state(metadata: str) -> CutState:
    water, *others = metadata.split(" ")
    if water in ("", ENDED):
        return CutState()
    ahead = tuple(int(water) + int(other) for other in others if other.startswith("+"))
    return CutState(int(water), by_clock="clock" in others, ahead=ahead)
