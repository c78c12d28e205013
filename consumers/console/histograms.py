"""Two histograms side by side, as text."""

from collections.abc import Iterator, Sequence

from ...schemas.messages.drift import Histogram

#: Columns of a bar of one half; of a bin's name.
_BAR, _NAME = 20, 20
_EIGHTHS = " ▏▎▍▌▋▊▉"


def side_by_side(reference: Histogram, current: Histogram) -> Iterator[str]:
    """A line a bin: its share then, and now. Both have the same bins; both scales are one, so that lengths can be compared."""
    was, now = shares(reference.counts), shares(current.counts)
    most = max([*was, *now], default=0.0)
    if not reference.bins or not most:
        return
    width = min(max(map(len, reference.bins)), _NAME)
    yield f"{'':{width}}  {'reference':<{_BAR + 7}}  now"
    for name, before, after in zip(reference.bins, was, now, strict=True):
        shown = name if len(name) <= width else f"{name[: width - 1]}…"
        yield f"{shown:>{width}}  {before:>6.1%} {bar(before / most):<{_BAR}}  {after:>6.1%} {bar(after / most)}".rstrip()


def bar(part: float) -> str:
    """A length between 0 and 1.

    >>> bar(1.0) == "█" * 20, bar(0.0), bar(0.001)
    (True, '', '▏')
    """
    eighths = round(part * _BAR * 8)
    if part > 0:
        eighths = max(eighths, 1)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + _EIGHTHS[rest].strip()


def shares(counts: Sequence[int]) -> list[float]:
    """Of the whole; corrections may have taken more than there was."""
    kept = [max(count, 0) for count in counts]
    total = sum(kept)
    return [count / total for count in kept] if total else [0.0] * len(kept)
