"""Record time of one model version in windows of rows enough, and which of them are looked at: a baseline, the newest, older ones merged.

A window is a run of grains. It closes at the first grain's end at which it holds `LEAST_ROWS` rows; all other evidence belongs to the
window that its time lies in, however late it comes. Until the *baseline* stands all windows are kept: it is the first in which nothing was
known to be amiss. Then it stays as it is; of the others the newest are kept as they are, and older ones for their outcomes alone, merged in
pairs, so that labels that come after days find the time that they are about.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .sums import Sums, added

#: Rows of a window, at least.
LEAST_ROWS = 500
#: Windows of a baseline; fewer do, where no more can be had.
BASELINE, LEAST_BASELINE = 24, 12
#: Windows before a change that are baseline enough, once there is one.
BEFORE_A_CHANGE = 6
#: Windows behind which a baseline is taken whatever was amiss.
MOST_AWAITED = 96
#: Windows of which everything is looked at.
NEWEST = 24
#: Of merged windows, how many of each length are kept before two become one.
OF_EACH_LENGTH = 8
_LONG_AGO = -(1 << 62)


class Span(NamedTuple):
    """Record time in which something is amiss, ms; ``end`` None: it still is."""

    start: int
    end: int | None = None
    before: int = BEFORE_A_CHANGE  #: windows before it that are baseline enough
    about: frozenset[str] | None = None  #: the fields that are; None: all


class Window:
    """One, or several merged. It holds times ``start`` < t <= ``end``; ``first`` and ``last`` are the numbers of what it is made of.

    Its sums are kept as they stand in snapshots, a quarter of their size, unless somebody works with them. That they were written says
    nothing of whether they were looked at: snapshots are taken when a process likes.
    """

    def __init__(self, first: int, last: int, start: int, end: int, sums: Sums | bytes, *, trimmed: bool = False) -> None:
        self.first, self.last, self.start, self.end, self.trimmed = first, last, start, end, trimmed
        self._sums = sums if isinstance(sums, Sums) else None
        self._encoded = sums if isinstance(sums, bytes) else None

    @property
    def sums(self) -> Sums:
        """What it holds. Whoever changes them says so."""
        if self._sums is None:
            assert self._encoded is not None
            self._sums = Sums.decoded(self._encoded)
        return self._sums

    def changed(self) -> None:
        """Something is added."""
        self._sums, self._encoded, self.trimmed = self.sums, None, False

    def trim(self) -> None:
        """Keep of names those with the most rows, once behind what was added."""
        if not self.trimmed:
            self.sums.trim()
            self._encoded, self.trimmed = None, True

    def within(self, span: Span) -> bool:
        """Whether some of it lies there."""
        return self.end > span.start and (span.end is None or self.start < span.end)

    def written(self) -> bytes:
        """As it stands in a snapshot: the same object while nothing is added."""
        if self._encoded is None:
            self._encoded = self.sums.encoded()
        return self._encoded

    def packed(self) -> None:
        """Nobody works with its sums for now."""
        self.written()
        self._sums = None


class _Chosen(NamedTuple):
    windows: list[Window]
    doubtful: bool  #: something is, or was, amiss in them


@dataclass
class Windows:
    """Those of one version and reference."""

    closed: int = 0  #: how many were, ever
    through: int = _LONG_AGO  #: to where they reach
    open: Window | None = None
    baseline: list[Window] = field(default_factory=list)
    newest: list[Window] = field(default_factory=list)  #: until the baseline stands all
    older: list[list[Window]] = field(default_factory=list)  #: by length: of 1, 2, 4, ... windows, the oldest first
    stands: bool = False  #: the baseline is settled
    doubtful: bool = False  #: it was taken though something was amiss in it
    expired: int = 0  #: outcomes about times that are not kept

    def all(self) -> Iterator[Window]:
        """Every one that is kept."""
        yield from self.baseline
        for length in self.older:
            yield from length
        yield from self.newest
        if self.open is not None:
            yield self.open

    def containing(self, time: int) -> Window | None:
        """The one that holds a time; None: it is kept no more, or was never one."""
        if time > self.through:
            return self.open
        return next((one for one in self.all() if one is not self.open and one.start < time <= one.end), None)

    def opened(self, start: int) -> Window:
        """The open one; ``start``: where it begins, if it is new."""
        if self.open is None:
            begin = max(start, self.through)
            self.open = Window(self.closed, self.closed, begin, begin, Sums())
        return self.open

    def close(self, end: int) -> bool:
        """A grain ends; whether the open window closes with it."""
        if self.open is None or self.open.sums.rows < LEAST_ROWS:
            return False
        self.open.end = self.through = end
        self.open.changed()
        self.newest.append(self.open)
        self.open = None
        self.closed += 1
        return True

    def settle(self, amiss: Sequence[Span], since: int) -> None:
        """Take the baseline, if it can be; let go of what is kept no more.

        Parameters
        ----------
        amiss
            When something was known to be.
        since
            Nothing that comes is about what lies before.
        """
        if not self.stands:
            self._take(amiss)
        if self.stands:
            while len(self.newest) > NEWEST:
                self._age(self.newest.pop(0))
            self.older = [[one for one in length if one.end > since] for length in self.older]

    def of_field(self, name: str, amiss: Sequence[Span]) -> Sequence[Window]:
        """What a field's own values are compared with, whatever is amiss with others alone; none before there is enough."""
        if self.stands:
            return self.baseline
        found = self._chosen([span for span in amiss if span.about is None or name in span.about])
        return () if found is None else found.windows

    def _take(self, amiss: Sequence[Span]) -> None:
        found = self._chosen(amiss)
        if found is not None:
            kept = {one.first for one in found.windows}
            self.newest = [one for one in self.newest if one.first not in kept]
            self.baseline, self.doubtful, self.stands = found.windows, found.doubtful, True

    def _chosen(self, amiss: Sequence[Span]) -> _Chosen | None:
        """What has been amiss almost for as long as there are windows does not count: it is how production differs from the reference."""
        ever = [span for span in amiss if _goes_on(span, amiss) and sum(one.end <= span.start for one in self.newest) < span.before]
        amiss = [span for span in amiss if span not in ever]
        clean = [one for one in self.newest if not any(one.within(span) for span in amiss)]
        now = [span.start for span in amiss if span.end is None]
        before = [one for one in clean if one.end <= min(now)] if now else []
        if len(clean) >= BASELINE:
            taken = clean[:BASELINE]
        elif now and len(before) >= min(span.before for span in amiss if span.end is None):
            taken = before
        elif len(self.newest) >= MOST_AWAITED:
            taken = clean if len(clean) >= LEAST_BASELINE else self.newest[:BASELINE]
        else:
            return None
        return _Chosen(taken, bool(ever) or len(taken) > len(clean))

    def _age(self, window: Window) -> None:
        """Keep a window for its outcomes; of too many of one length the two oldest become one."""
        window = Window(window.first, window.last, window.start, window.end, window.sums.outcomes_alone())
        place = 0
        while True:
            if place == len(self.older):
                self.older.append([])
            length = self.older[place]
            length.append(window)
            if len(length) <= OF_EACH_LENGTH:
                return
            earlier, later = length[:2]
            del length[:2]
            window = Window(earlier.first, later.last, earlier.start, later.end, added((earlier.sums, later.sums)))
            place += 1

    def without_outcomes(self) -> None:
        """Let go of outcomes: they are to be counted in another way, and what is counted in two does not add."""
        for one in self.all():
            if len(one.sums.outcomes):
                one.sums.outcomes = Sums().outcomes
                one.changed()

    def without_pairs(self) -> None:
        """Let go of pairs of online and offline values, for the same reason."""
        for one in self.all():
            if len(one.sums.pairs):
                one.sums.pairs, one.sums.commonest = Sums().pairs, Sums().commonest
                one.changed()

    def plain(self) -> tuple[list[Any], dict[str, bytes]]:  # plain data
        """As it stands in a snapshot: all but the sums, and these by the name of each window."""
        sums: dict[str, bytes] = {}

        def listed(windows: Sequence[Window]) -> list[tuple[int, int, int, int, bool]]:
            sums.update((_name(one.first, one.last), one.written()) for one in windows)
            return [(one.first, one.last, one.start, one.end, one.trimmed) for one in windows]

        lists = [[self.open] if self.open else [], self.baseline, self.newest, *self.older]
        flags = [self.closed, self.through, self.stands, self.doubtful, self.expired]
        return [flags, [listed(windows) for windows in lists]], sums

    @classmethod
    def restored(cls, plain: Sequence[Any], sums_of: Callable[[str], bytes]) -> "Windows":
        """What `plain` wrote."""
        (closed, through, stands, doubtful, expired), lists = plain

        def windows(listed: Sequence[tuple[int, int, int, int, bool]]) -> list[Window]:
            found = []
            for first, last, start, end, trimmed in listed:
                found.append(Window(first, last, start, end, sums_of(_name(first, last)), trimmed=trimmed))
            return found

        open_, baseline, newest, *older = map(windows, lists)
        return cls(closed, through, open_[0] if open_ else None, baseline, newest, older, stands, doubtful, expired)


def _goes_on(span: Span, spans: Sequence[Span]) -> bool:
    """Whether it is not over, or the same is amiss again as soon as it is."""
    return span.end is None or any(one.about == span.about and span.start < one.start <= span.end for one in spans)


def _name(first: int, last: int) -> str:
    return f"{first}-{last}"
