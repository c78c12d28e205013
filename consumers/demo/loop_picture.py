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

    frozen, _, gated = policies
    figure = Figure(figsize=(10, 6.2), layout="constrained", facecolor="white")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.8])
    middle = [_at(week + 7 * 43_200_000) for week in weeks]
    told = ("never trained again", "trained at each alarm", "trained and replaced by driftbus")
    for policy, name, colour, width in zip(policies, told, (_FROZEN, _NAIVE, _GATED), (1.6, 1.6, 2.8), strict=True):
        label = f"{name}: {policy.mean:.3f}"
        above.plot(middle, policy.loss, color=colour, lw=width, zorder=3 if policy is gated else 2, label=label)
    above.fill_between(middle, gated.loss, frozen.loss, where=gated.loss < frozen.loss, color=_GATED, alpha=0.18, lw=0, interpolate=True)
    for axis in (above, below):
        axis.axvspan(_at(fault[0]), _at(fault[1]), color=_FAULT, alpha=0.15, lw=0, zorder=0)
        axis.grid(axis="x", color=_GRID)
        axis.set_axisbelow(True)
        axis.tick_params(length=0, colors=_INK, labelsize=11)
        axis.spines[:].set_visible(False)
        for change in gated.changes:
            axis.axvline(_at(change), color=_GATED, lw=1.2, ls=":", zorder=1)
    beside = {"textcoords": "offset points", "va": "top", "color": _FAULT, "fontsize": 11.5}
    above.annotate("a fault of the input:\ntimes come as 1405, not 845", (_at(fault[1]), above.get_ylim()[1]), xytext=(5, -2), **beside)
    _strip(below, policies, forbidden)
    below.xaxis.set_major_locator(MonthLocator(tz=UTC))  # type: ignore[no-untyped-call]  # matplotlib's stubs
    below.xaxis.set_major_formatter(DateFormatter("%b", tz=UTC))  # type: ignore[no-untyped-call]
    above.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=3, frameon=False, fontsize=11, labelcolor="linecolor")
    figure.suptitle("How wrong a model of late flights is, week by week (log loss; less is better)", color=_INK, fontsize=14)
    figure.savefig(path, dpi=110, bbox_inches="tight", pad_inches=0.2)


def _strip(axis: Any, policies: tuple[Drawn, Drawn, Drawn], forbidden: Sequence[Forbidden]) -> None:  # matplotlib's
    """Jobs, changes, and what was forbidden, a row each."""
    _, naive, gated = policies
    rows = (
        (f"at each alarm: trained {len(naive.jobs)} times", naive.jobs, _NAIVE, "|"),
        (f"driftbus: trained {len(gated.jobs)} times", gated.jobs, _GATED, "|"),
        ("driftbus: new model serves", gated.changes, _GATED, "^"),
    )
    for row, (_, times, colour, sign) in enumerate(rows):
        axis.plot(
            [_at(time) for time in times], [row] * len(times), ls="none", marker=sign, ms=14 if sign == "|" else 11, mew=2.2, color=colour
        )
    for one in forbidden:
        axis.barh(3, _days(one.end - one.start), left=_at(one.start), height=0.7, color=_FAULT)
    if forbidden:
        longest = max(forbidden, key=lambda one: one.end - one.start)
        axis.annotate(
            longest.text.replace("; ", "\n"),
            (_at(longest.end), 3),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=_FAULT,
            fontsize=11.5,
        )
    axis.set_yticks(range(4), [*(name for name, *_ in rows), "driftbus: training forbidden"], fontsize=11)
    axis.set_ylim(3.6, -0.6)


def _at(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)


def _days(length: int) -> float:
    return length / 86_400_000
