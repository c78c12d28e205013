"""A picture of performance: what was realised, with its interval, and what was estimated, by the time of the predictions."""

from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.performance import Performance
from ...schemas.messages.reviewed import Reviewed
from .event_line import short_id
from .picture import episodes
from .series import ByPeople, Point, began, by_people, per_point, series, versions

_REALISED, _ESTIMATED, _COMPLETED, _DRIFT, _MARK = "#1f5f99", "#f0a02f", "#7aa95c", "#d1344b", "#5a3fd6"
_PEOPLE = "#a1468f"
_INK, _GRID, _FAINT = "#1f2933", "#e4e7eb", "#9aa5b1"
#: Of versions side by side.
_VERSIONS = ("#1f5f99", "#f0a02f", "#7aa95c", "#a1468f", "#5a3fd6", "#6b7280")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Points in a panel: more cannot be told apart.
_MOST_POINTS = 120
#: Versions with a panel of their own, the newest.
_MOST_VERSIONS = len(_VERSIONS)
#: Lines of deployments that are named, in a panel.
_MOST_NAMED = 12
#: Above and below what is drawn, as a share of it; where all is one value, so much.
_ROOM, _LEAST_ROOM = 0.12, 0.005


class Happened(NamedTuple):
    """Something that was done at a time, such as a deployment."""

    at: int  #: ms
    text: str


def draw(
    path: Path,
    records: Sequence[Performance],
    metric: str,
    matured: Container[str],
    drifts: Sequence[DriftEvent] = (),
    happened: Sequence[Happened] = (),
    reviewed: Sequence[Reviewed] = (),
) -> None:
    """Draw a panel per version of one model, and above them one of all, where there are several.

    Points are what was realised, hollow where labels still come (all but ``matured``, which are keys of records); lines what was
    estimated; diamonds what reviewers' answers say; shades where an episode was open; upright lines what happened.
    """
    try:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ImportError:
        msg = 'a picture needs matplotlib; install it with: pip install "driftbus[plot]"'
        raise RuntimeError(msg) from None

    shown = list(versions(records))[-_MOST_VERSIONS:]
    together = len(shown) > 1
    panels = len(shown) + together
    figure = Figure(figsize=(10, 1.2 + 2.6 * panels), layout="constrained", facecolor="white")
    axes = list(figure.subplots(panels, 1, sharex=True, sharey=True, squeeze=False)[:, 0])
    drawn = {version: series(own, metric, _MOST_POINTS, matured) for version, own in shown}
    points = [point for own in drawn.values() for point in own]
    people = [(one, one.version, found) for one in reviewed if (found := by_people(one, metric)) is not None]
    first, last = min(point.start for point in points), max(point.end for point in points)
    if together:
        _side_by_side(axes[0], drawn)
        _dress(axes[0], f"{records[0].model}: {metric}, realised")
        axes[0].legend(loc="best", fontsize=9, frameon=False, labelcolor=_INK, ncols=len(drawn))
    for axis, (version, own) in zip(axes[together:], shown, strict=True):
        _curves(axis, drawn[version])
        _by_people(axis, [one for one in people if one[1] == version])
        baseline = next((one.baseline[metric] for one in reversed(own) if one.baseline.get(metric) is not None), None)
        if baseline is not None:
            axis.axhline(baseline, color=_FAINT, lw=1, ls=(0, (1, 2)), label="baseline: the first labelled ones", zorder=1)
        _shade(axis, [one for one in drifts if one.version == version], _at(first), _at(drawn[version][-1].end))
        each = per_point(own, _MOST_POINTS)
        _dress(axis, f"{records[0].model}/{version}: {metric}" + (f", {each} intervals a point" if each > 1 else ""))
    axes[0].set_ylim(*_limits(points, [each[2] for each in people]))
    axes[0].set_xlim(_at(first), _at(last))
    _mark(axes, [one for one in happened if first <= one.at <= last])
    locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib's stubs
    axes[-1].xaxis.set_major_locator(locator)
    axes[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
    named = {label: handle for axis in axes[together:] for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=3, fontsize=10, frameon=False, labelcolor=_INK)
    figure.savefig(path, dpi=120, bbox_inches="tight", pad_inches=0.2)


def _at(milliseconds: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _middle(point: Point) -> datetime:
    return _at((point.start + point.end) / 2)


def _curves(axis: Any, points: Sequence[Point]) -> None:  # matplotlib's axis, here and below
    known = [point for point in points if point.realised is not None]
    within = [point for point in known if point.low is not None and point.high is not None]
    signs = ((True, _REALISED, 1.0, "realised"), (False, "white", 0.5, "realised, labels still come"))
    for matured, face, alpha, label in signs:
        own = [point for point in known if point.matured is matured]
        if own:
            values = [point.realised for point in own]
            axis.plot(list(map(_middle, own)), values, "o", ms=4, mfc=face, mec=_REALISED, alpha=alpha, label=label, zorder=3)
        bounds = [point for point in within if point.matured is matured]
        if bounds:
            style = {"color": _REALISED, "alpha": 0.4 * alpha, "lw": 1.2, "label": "its interval, 95 %" if matured else None}
            axis.vlines(list(map(_middle, bounds)), [p.low for p in bounds], [p.high for p in bounds], **style)
    if not known:
        axis.text(0.5, 0.5, "no label yet", transform=axis.transAxes, ha="center", va="center", color=_INK)
    for name, colour in (("estimated", _ESTIMATED), ("completed", _COMPLETED)):
        there = [(_middle(point), value) for point in points if (value := getattr(point, name)) is not None]
        if there:
            axis.plot(*zip(*there, strict=True), "-" if len(there) > 1 else "_", color=colour, lw=1.4, label=name)


def _by_people(axis: Any, told: Sequence[tuple[Reviewed, str, ByPeople]]) -> None:
    if not told:
        return
    at = [_at((one.start + one.about) / 2) for one, _, _ in told]
    axis.plot(at, [found.value for _, _, found in told], "D", ms=4, color=_PEOPLE, label="reviewed, with its interval", zorder=4)
    bounds = [(time, found.low, found.high) for time, (_, _, found) in zip(at, told, strict=True) if found.low is not None]
    if bounds:
        axis.vlines(*zip(*bounds, strict=True), color=_PEOPLE, alpha=0.5, lw=1.2)


def _side_by_side(axis: Any, drawn: dict[str, list[Point]]) -> None:
    for (version, points), colour in zip(drawn.items(), _VERSIONS, strict=False):
        known = [point for point in points if point.realised is not None]
        values = [point.realised for point in known]
        axis.plot(list(map(_middle, known)), values, "o-", ms=3, lw=1.2, color=colour, label=_plain(version))


def _shade(axis: Any, events: Sequence[DriftEvent], first: datetime, last: datetime) -> None:
    label = "an episode of performance, from its onset until it was over"
    for episode in episodes(events):
        start = began(one for one in events if one.episode == episode.first.episode)
        axis.axvspan(start, episode.resolved or max(last, episode.opened), color=_DRIFT, alpha=0.1, lw=0, zorder=0, label=label)
        _write(axis, max(start, first), 0.02, f" {short_id(episode.first.episode)}", color=_DRIFT)


def _mark(axes: Sequence[Any], happened: Sequence[Happened]) -> None:
    for axis in axes:
        for one in happened:
            axis.axvline(_at(one.at), color=_MARK, ls=(0, (4, 2)), lw=1.1, zorder=2)
    for one in happened[:_MOST_NAMED]:
        _write(axes[0], _at(one.at), 0.98, _plain(one.text), color=_MARK, rotation=90, ha="right", va="top")


def _write(axis: Any, at: datetime, height: float, text: str, **style: Any) -> None:  # matplotlib's keywords
    """At a time, and at a share of the panel's height: inside of it, so that the layout need not mind."""
    axis.text(at, height, text, transform=axis.get_xaxis_transform(), fontsize=8, clip_on=True, **style).set_in_layout(False)


def _dress(axis: Any, title: str) -> None:
    axis.set_title(_plain(title), loc="left", fontsize=12, color=_INK)
    axis.grid(color=_GRID)
    axis.set_axisbelow(True)
    axis.tick_params(length=0, colors=_INK, labelsize=10)
    axis.spines[:].set_visible(False)


def _limits(points: Sequence[Point], people: Sequence[ByPeople] = ()) -> tuple[float, float]:
    """From the least to the largest, with some room; intervals of which little is known yet may lie outside."""
    firm = [value for p in points for value in (p.estimated, p.completed, *((p.realised, p.low, p.high) if p.matured else ()))]
    firm += [value for one in people for value in one]
    values = [value for value in firm if value is not None] or [p.realised for p in points if p.realised is not None] or [0.0, 1.0]
    room = max((max(values) - min(values)) * _ROOM, abs(max(values)) * _LEAST_ROOM, 1e-9)
    return min(values) - room, max(values) + room


def _plain(text: str) -> str:
    """For matplotlib, which takes what stands between two dollars for a formula."""
    return text.replace("$", r"\$")
