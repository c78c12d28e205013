"""A picture of performance: what was realised, with its interval, and what was estimated, by the time of the predictions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.performance import Performance
from .picture import episodes

_REALISED, _ESTIMATED, _COMPLETED, _DRIFT, _INK, _GRID = "#1f5f99", "#f0a02f", "#7aa95c", "#d1344b", "#1f2933", "#e4e7eb"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def draw(path: Path, records: Sequence[Performance], metric: str, drifts: Sequence[DriftEvent] = ()) -> None:
    """Draw a panel per model version: points of what was realised, lines of what was estimated, shades where an episode was open."""
    try:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ImportError:
        msg = 'a picture needs matplotlib; install it with: pip install "driftbus[plot]"'
        raise RuntimeError(msg) from None

    versions = sorted({(one.model, one.version) for one in records})
    figure = Figure(figsize=(10, 1.2 + 2.6 * len(versions)), layout="constrained", facecolor="white")
    axes = figure.subplots(len(versions), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (model, version) in zip(axes, versions, strict=True):
        own = [one for one in records if (one.model, one.version) == (model, version)]
        middle = [_EPOCH + timedelta(milliseconds=(one.start + one.about) / 2) for one in own]
        known = [place for place, one in enumerate(own) if one.realised.get(metric) is not None]
        values = [own[place].realised[metric] or 0.0 for place in known]
        if metric == "accuracy":
            below = [value - (own[place].low or value) for value, place in zip(values, known, strict=True)]
            above = [(own[place].high or value) - value for value, place in zip(values, known, strict=True)]
            axis.errorbar([middle[p] for p in known], values, [below, above], fmt="none", ecolor=_REALISED, alpha=0.35, lw=1)
        final = [place for place in known if own[place].final]
        axis.plot([middle[p] for p in known], values, "o", ms=4, mfc="white", mec=_REALISED, label="realised, labels still come")
        axis.plot([middle[p] for p in final], [own[p].realised[metric] for p in final], "o", ms=4, color=_REALISED, label="realised, final")
        for name, colour in (("estimated", _ESTIMATED), ("completed", _COMPLETED)):
            there = [(at, value) for at, one in zip(middle, own, strict=True) if (value := getattr(one, name).get(metric)) is not None]
            if there:
                axis.plot(*zip(*there, strict=True), color=colour, lw=1.2, label=name)
        for episode in episodes([event for event in drifts if (event.model, event.version) == (model, version)]):
            end = max((span.end or middle[-1] for span in episode.spans.values()), default=middle[-1])
            axis.axvspan(episode.opened, end, color=_DRIFT, alpha=0.1, lw=0)
        axis.set_title(f"{model}/{version}: {metric}".replace("$", r"\$"), loc="left", fontsize=12, color=_INK)
        axis.grid(color=_GRID)
        axis.set_axisbelow(True)
        axis.tick_params(length=0, colors=_INK, labelsize=10)
        axis.spines[:].set_visible(False)
    locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib's stubs
    axes[-1].xaxis.set_major_locator(locator)
    axes[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=10, frameon=False, labelcolor=_INK)
    figure.savefig(path, dpi=120, bbox_inches="tight", pad_inches=0.2)
