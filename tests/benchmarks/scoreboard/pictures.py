"""The scoreboard as pictures."""

from pathlib import Path
from typing import Any

from matplotlib import pyplot

from .cells import PANE, Figures
from .rules import OURS, OURS_PANES
from .streams import CHANGES
from .writing import first

_OURS, _PEER, _BOUND = "#c1121f", "#8d99ae", "#1d3557"


def draw(kept: dict[str, Figures], folder: Path) -> None:
    """Delays by change, row by row and in panes; false alarms by law."""
    _delays(kept, folder / "delays.png")
    _quiet(kept["single"], folder / "quiet.png")


def _delays(kept: dict[str, Figures], path: Path) -> None:
    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(11, 9), sharex=True, layout="constrained")
    for axes, pane, ours in ((upper, 1, OURS.name), (lower, PANE, OURS_PANES.name)):
        for rule, figures in kept["single"].items():
            if rule == ours or figures["package"]:
                _row(axes, figures["delays"], str(pane), rule == ours, "driftbus" if rule == ours else None)
        for place, change in enumerate(CHANGES):
            for known in kept["known"].values():
                if change.name not in known["delays"]:
                    continue
                mean = known["delays"][change.name][str(pane)]["mean"]
                axes.hlines(mean, place - 0.35, place + 0.35, color=_BOUND, label="CUSUM that knows both laws" if place == 0 else None)
        axes.set_yscale("log")
        axes.set_ylabel("rows to the alarm")
        axes.set_title("row by row" if pane == 1 else f"panes of {pane}", loc="left")
        axes.plot([], [], "o", color=_PEER, alpha=0.7, label="a peer")
        axes.grid(axis="y", alpha=0.3)
    figure.legend(*upper.get_legend_handles_labels(), frameon=False, ncols=3, loc="outside upper right")
    lower.set_xticks(range(len(CHANGES)), [change.name.replace(", ", ",\n").replace(" in ", "\nin ") for change in CHANGES])
    figure.suptitle("Delay of everybody tuned to one false alarm in 10,000 rows", x=0.02, ha="left")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _row(axes: Any, cells: Figures, pane: str, own: bool, label: str | None) -> None:  # matplotlib's axes
    means = [cells[change.name][pane]["mean"] for change in CHANGES]
    errors = [2 * cells[change.name][pane]["error"] for change in CHANGES]
    style = {"color": _OURS, "markersize": 9, "zorder": 3} if own else {"color": _PEER, "markersize": 5, "alpha": 0.7}
    axes.errorbar(range(len(CHANGES)), means, yerr=errors, fmt="D" if own else "o", label=label, **style)


def _quiet(single: Figures, path: Path) -> None:
    laws = list(single[OURS.name]["laws"])
    names = list(single)
    figure, axes = pyplot.subplots(figsize=(11, 6), layout="constrained")
    for place, law in enumerate(laws):
        for row, rule in enumerate(names):
            alarms = 100_000 / first(single[rule]["laws"][law])["mean"]
            height = 0.8 / len(laws)
            axes.barh(row + place * height, alarms, height, color=f"C{place}", label=law if row == 0 else None)
    axes.axvline(10, color=_BOUND, linestyle="--", label="what it was tuned to on independent normal rows")
    axes.set_xscale("log")
    shown = [f"{rule} ({single[rule]['package']})" if single[rule]["package"] else rule for rule in names]
    axes.set_yticks([row + 0.27 for row in range(len(names))], shown)
    axes.invert_yaxis()
    axes.set_xlabel("false alarms per 100,000 rows in which nothing changes")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
