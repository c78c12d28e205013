"""Where what the joiner says rests on less than all there was: spans of record time, for the panes of an interval and for progress."""

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
        self._spans: list[Standing] = []

    def note(self, standing: Standing) -> None:
        """It holds for this span."""
        if not standing.complete or standing.clock_decided:
            self._spans.append(standing)

    def of(self, start: int, end: int) -> Standing:
        """How well a span is known; what lies before it will not be asked for."""
        self._spans = [one for one in self._spans if one.end > start]
        met = [one for one in self._spans if one.start < end]
        return Standing(start, end, all(one.complete for one in met), any(one.clock_decided for one in met))
