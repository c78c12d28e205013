"""Where what is said rests on less than all there was: spans of record time, of which intervals, slots and progress are no better known."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

Span = tuple[int, int]  # (start, end]


class Standing(NamedTuple):
    """How well a span is known."""

    start: int
    end: int
    complete: bool = True
    clock_decided: bool = False


def standings(start: int, end: int, partly: Sequence[Span], decided: Sequence[Span]) -> Iterator[Standing]:
    """The parts of a span, in order, each as long as may be. ``partly``: where it is not complete; ``decided``: where a clock said so.

    >>> [tuple(part) for part in standings(0, 30, [], [])]
    [(0, 30, True, False)]
    >>> [tuple(part) for part in standings(0, 30, [(10, 20)], [(20, 90)])]
    [(0, 10, True, False), (10, 20, False, False), (20, 30, True, True)]
    """
    cuts = sorted({end, *(cut for span in (*partly, *decided) for cut in span if start < cut < end)})
    part = None
    for cut in cuts:
        found = Standing(start, cut, not _in(cut, partly), _in(cut, decided))
        if part is not None and part[2:] != found[2:]:
            yield part
            part = None
        part = found if part is None else part._replace(end=cut)
        start = cut
    if part is not None:
        yield part


def _in(time: int, spans: Iterable[Span]) -> bool:
    return any(start < time <= end for start, end in spans)


class Doubts:
    """The spans that are not known as well as may be, as long as something may yet be told of them."""

    def __init__(self) -> None:
        self._partly: list[Span] = []
        self._decided: list[Span] = []

    def note(self, standing: Standing) -> None:
        """It holds for this span, which lies before others where time has gone back."""
        for holds, spans in ((not standing.complete, self._partly), (standing.clock_decided, self._decided)):
            if holds and spans and spans[-1][0] <= standing.end and standing.start <= spans[-1][1]:
                spans[-1] = (
                    min(spans[-1][0], standing.start),
                    max(spans[-1][1], standing.end),
                )  # as few as may be: a clock may decide for days
            elif holds:
                spans.append((standing.start, standing.end))

    def of(self, start: int, end: int) -> Standing:
        """How well a span is known."""
        partly, decided = (any(begun < end and start < ended for begun, ended in spans) for spans in (self._partly, self._decided))
        return Standing(start, end, not partly, decided)

    def forget(self, before: int) -> None:
        """What ends by then will not be asked for."""
        self._partly, self._decided = ([span for span in spans if span[1] > before] for spans in (self._partly, self._decided))

    def plain(self) -> list[list[Span]]:
        """As it stands in a snapshot."""
        return [self._partly, self._decided]

    @classmethod
    def restored(cls, plain: Sequence[Sequence[Sequence[int]]]) -> "Doubts":
        """What `plain` wrote."""
        doubts = cls()
        doubts._partly, doubts._decided = ([(start, end) for start, end in spans] for spans in plain)
        return doubts
