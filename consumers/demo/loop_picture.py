"""One picture of the closed loop: what each policy cost week by week, the jobs and changes that it took, and what was forbidden."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_FROZEN, _NAIVE, _GATED, _FAULT, _INK, _GRID = "#8a94a0", "#e08a1e", "#1f6fb2", "#d1344b", "#1f2933", "#e4e7eb"


class Drawn(NamedTuple):
    """A policy's line, and its dots below."""

    name: str
    mean: float  #: loss of the year
    loss: NDArray[np.float64]  #: by week
    jobs: Sequence[int]  #: ms
    changes: Sequence[int]  #: ms: another version came into force


class Forbidden(NamedTuple):
    """From when to when no job could start, and why."""

    start: int
    end: int
    text: str


def draw(
    path: Path, weeks: Sequence[int], policies: tuple[Drawn, Drawn, Drawn], fault: tuple[int, int], forbidden: Sequence[Forbidden]
) -> None:
    """Frozen, naive, gated. ``weeks``: where each begins, ms."""
    from matplotlib.dates import DateFormatter, MonthLocator
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6.2), layout="constrained", facecolor="white")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1.6])
    middle = [_at(week + 7 * 43_200_000) for week in weeks]
    for policy, colour, width in zip(policies, (_FROZEN, _NAIVE, _GATED), (1.6, 1.6, 2.6), strict=True):
        front = 3 if policy is policies[2] else 2
        above.plot(middle, policy.loss, color=colour, lw=width, zorder=front, label=f"{policy.name}: {policy.mean:.3f} over the year")
    above.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=11, labelcolor="linecolor", borderpad=0)
    for axis in (above, below):
        axis.axvspan(_at(fault[0]), _at(fault[1]), color=_FAULT, alpha=0.13, lw=0, zorder=0)
        axis.grid(axis="x", color=_GRID)
        axis.set_axisbelow(True)
        axis.tick_params(length=0, colors=_INK, labelsize=10)
        axis.spines[:].set_visible(False)
    above.set_ylabel("log loss, by week (less is better)", color=_INK)
    top = above.get_ylim()[1]
    above.annotate(
        "a fault: scheduled times\ncome as HHMM",
        (_at(fault[1]), top),
        xytext=(5, -4),
        textcoords="offset points",
        va="top",
        color=_FAULT,
        fontsize=10.5,
    )
    _strip(below, policies, forbidden)
    below.xaxis.set_major_locator(MonthLocator(tz=UTC))  # type: ignore[no-untyped-call]  # matplotlib's stubs
    below.xaxis.set_major_formatter(DateFormatter("%b", tz=UTC))  # type: ignore[no-untyped-call]
    _, naive, gated = policies
    above.set_title(
        f"Gated: {len(gated.jobs)} jobs, {len(gated.changes)} changes of the model; at each alarm: {len(naive.jobs)} of each",
        loc="left",
        color=_INK,
        fontsize=13,
        pad=30,
    )
    figure.savefig(path, dpi=120, bbox_inches="tight", pad_inches=0.2)


def _strip(axis: Any, policies: tuple[Drawn, Drawn, Drawn], forbidden: Sequence[Forbidden]) -> None:  # matplotlib's
    """Jobs, changes, and what was forbidden, a row each."""
    _, naive, gated = policies
    rows = (
        (naive.name, naive.jobs, _NAIVE, "|"),
        ("gated: jobs", gated.jobs, _GATED, "|"),
        ("gated: promoted", gated.changes, _GATED, "^"),
    )
    for row, (_, times, colour, sign) in enumerate(rows):
        axis.plot(
            [_at(time) for time in times], [row] * len(times), ls="none", marker=sign, ms=12 if sign == "|" else 9, mew=2, color=colour
        )
    for one in forbidden:
        axis.barh(3, _days(one.end - one.start), left=_at(one.start), height=0.7, color=_FAULT)
    if forbidden:
        longest = max(forbidden, key=lambda one: one.end - one.start)
        axis.annotate(
            longest.text, (_at(longest.end), 3), xytext=(6, 0), textcoords="offset points", va="center", color=_FAULT, fontsize=10.5
        )
    axis.set_yticks(range(4), [*(name for name, *_ in rows), "no job may start"], fontsize=10)
    axis.set_ylim(3.6, -0.6)


def _at(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)


def _days(length: int) -> float:
    return length / 86_400_000
