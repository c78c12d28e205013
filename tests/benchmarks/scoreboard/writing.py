"""The documents, made of the figures that are kept: ``docs/scoreboard.md``, and two pictures beside the figures."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .cells import PANE, QUIET, SECTIONS, Figures
from .rules import OURS, OURS_ON_ERRORS, OURS_PANES
from .streams import CHANGES, ERRORS, TARGET

DOCUMENT = Path(__file__).parent.parent.parent.parent / "docs" / "scoreboard.md"
BOUND = "CUSUM that knows both laws"
#: Who alarms after less than this share of the rows wanted, or had given up half the runs before the change, is not compared.
MATCHED = 0.85
#: Alarms that a mean delay should be made of.
WANTED = 400
#: Standard errors by which a peer must be faster to count as faster; and rows, where the change is found in a few.
BEYOND, ROWS_AT_SCALE = 2.0, 3.0
SCALE = CHANGES[4].name


def figures(folder: Path) -> dict[str, Figures]:
    """All sections."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def line(cells: Iterable[object]) -> str:
    """Of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])


def shown(cell: Mapping[str, Any]) -> str:
    """A mean and its standard error."""
    mean, error = cell["mean"], cell["error"]
    digits = 1 if mean < 100 else 0
    return f"{mean:,.{digits}f} ±{error:,.{digits}f}"


def gain(ours: Mapping[str, Any], peer: Mapping[str, Any]) -> tuple[float, float]:
    """By how many rows the peer is faster, and the standard error of that, by pairs: both saw the same streams."""
    differences = np.array(ours["by_reference"], dtype=np.float64) - np.array(peer["by_reference"], dtype=np.float64)
    differences = differences[np.isfinite(differences)]
    return float(differences.mean()), float(differences.std(ddof=1) / len(differences) ** 0.5)


def faster(ours: Mapping[str, Any], peer: Mapping[str, Any], change: str) -> bool:
    """Whether the peer is faster by more than chance, or on scale by more than a few rows."""
    rows, error = gain(ours, peer)
    return rows > (max(ROWS_AT_SCALE, BEYOND * error) if change == SCALE else BEYOND * error)


def delays(section: Figures, ours: str, pane: int, changes: Sequence[str], known: Figures) -> tuple[str, list[str]]:
    """The table of delays, ours first and the bound last, and in words who is faster than ours."""
    at, own = str(pane), section[ours]
    rows: list[list[str]] = [
        [f"**{ours}**", shown(own[QUIET][at]), *(f"**{shown(own['delays'][name][at])}**" for name in changes)],
    ]
    lost = []
    for rule, peer in section.items():
        if not peer["package"]:
            continue
        fewest = min(peer["delays"][name][at]["alarms"] for name in changes)
        comparable = peer[QUIET][at]["mean"] > MATCHED * TARGET and fewest > WANTED / 2
        cells = []
        for name in changes:
            mine, its = own["delays"][name][at], peer["delays"][name][at]
            ahead = comparable and faster(mine, its, name)
            cells.append(shown(its) + (" ◀" if ahead else ""))
            if ahead:
                less, error = gain(mine, its)
                lost.append(f"{rule} ({peer['package']}) on *{name}*, by {less:.1f} ±{error:.1f} rows")
        rows.append([f"{rule} ({peer['package']})", shown(peer[QUIET][at]) + ("" if comparable else " ✗"), *cells])
    if known:
        bound = {name: cells["delays"][name][at] for cells in known.values() for name in changes if name in cells["delays"]}
        rows.append([BOUND, "", *(shown(bound[name]) if name in bound else "-" for name in changes)])
        multiples = (f"{own['delays'][name][at]['mean'] / bound[name]['mean']:.2f}" if name in bound else "-" for name in changes)
        rows.append(["ours, in multiples of it", "", *multiples])
    return table(["", "rows per false alarm", *changes], rows), lost


def losses(lost: list[str]) -> str:
    """Who is faster, in a sentence or a list."""
    if not lost:
        return "No peer is faster than driftbus by more than two standard errors on any of these."
    return "Faster than driftbus by more than two standard errors (marked ◀):\n\n" + "\n".join(f"- {one}" for one in lost)


def per_100_000(cell: Mapping[str, Any]) -> str:
    """False alarms per 100,000 rows."""
    alarms = 100_000 / cell["mean"]
    return f"{alarms:,.1f}" if alarms < 100 else f"{alarms:,.0f}"


def document(kept: dict[str, Figures]) -> str:
    """The text."""
    single, errors_changes = kept["single"], [change.name for change in ERRORS]
    names = [change.name for change in CHANGES]
    by_row, lost = delays(single, OURS.name, 1, names, kept["known"])
    by_pane, lost_in_panes = delays(single, OURS_PANES.name, PANE, names, kept["known"])
    many_names = [change.name for change in SECTIONS[-1].changes]
    by_row_of_many, lost_in_many = delays(kept["many"], OURS.name, 1, many_names, {})
    errors, lost_on_errors = delays(kept["errors"], OURS_ON_ERRORS.name, 1, errors_changes, kept["errors_known"])
    laws = list(single[OURS.name]["laws"])
    return TEXT.format(
        by_row=by_row,
        by_row_lost=losses(lost),
        by_pane=by_pane,
        by_pane_lost=losses(lost_in_panes),
        upward=upward(single, names[:3]),
        many=by_row_of_many,
        many_lost=losses(lost_in_many),
        errors=errors,
        errors_lost=losses(lost_on_errors),
        late=late(kept["errors_late"]),
        dependent=table(
            ["", "independent, normal", *laws],
            [
                [_named(rule, f), *(per_100_000(first(cell)) for cell in (f[QUIET], *(f["laws"][law] for law in laws)))]
                for rule, f in single.items()
            ],
        ),
        defaults=defaults({name.removeprefix("defaults_"): cells for name, cells in kept.items() if name.startswith("defaults")}),
        thresholds=table(
            ["", "what is tuned", "threshold", "note"],
            [[_named(rule, f), f["tuned"], f"{f['threshold']:.4g}", f["note"]] for rule, f in single.items()],
        ),
        references=kept["machine"]["references"],
        runs=kept["machine"]["runs"],
        minutes=round(kept["machine"]["seconds"] / 60),
        few=few(kept),
        machine=", ".join(
            f"{name} {value}" for name, value in kept["machine"].items() if name not in ("seconds", "references", "runs") and value
        ),
    )


def late(section: Figures) -> str:
    """The table of labels that come late, a delay a line."""
    orders = next(iter(section.values()))["delays"]
    rows = [[order, *(_late(f["delays"][order]) for f in section.values())] for order in orders]
    names = [f"**{rule}**" if place == 0 else rule for place, rule in enumerate(section)]
    return table(["delay of labels", *names], [["labels per false alarm", *(f"{f['arl']:,}" for f in section.values())], *rows])


def _late(cell: Mapping[str, Any]) -> str:
    """Labels and predictions; crossed out where most runs had alarmed before."""
    if 2 * cell["early"] > cell["runs"]:
        return f"✗ {cell['early']}"
    return f"{cell['labels']:,} ±{cell['error']}; {cell['served']:,}" + (f" ({cell['early']})" if cell["early"] else "")


def few(kept: dict[str, Figures]) -> str:
    """Whose delays are means of fewer alarms than wanted."""
    least = {
        f"{rule} ({section})": min(cell["alarms"] for cells in f["delays"].values() for cell in cells.values())
        for section in ("single", "many", "errors")
        for rule, f in kept[section].items()
    }
    return ", ".join(f"{name} {alarms}" for name, alarms in least.items() if alarms < WANTED) or "none"


def first(by_pane: Mapping[str, Any]) -> Mapping[str, Any]:
    """At the smallest pane."""
    cell: Mapping[str, Any] = next(iter(by_pane.values()))
    return cell


def upward(single: Figures, names: Sequence[str]) -> str:
    """What those who look in one direction only need on that one."""
    ones = [(rule, f) for rule, f in single.items() if "increases only" in f["note"]]
    return "; ".join(f"{rule} {', '.join(_rows(first(f['delays'][name])['upward']) for name in names)}" for rule, f in ones)


def defaults(units: Mapping[str, Figures]) -> str:
    """The table of those who are told a threshold."""
    step = CHANGES[2].name
    rows = []
    for rule, f in next(iter(units.values())).items():
        cells = [(first(cells[rule][QUIET]), first(cells[rule]["delays"][step])) for cells in units.values()]
        rows.append([_named(rule, f), f"{f['tuned']} {f['threshold']:.4g}", *(_default(cell) for pair in cells for cell in pair)])
    return table(
        ["", "its threshold", *(f"{what}, {unit.replace('_', ' ')}" for unit in units for what in ("rows per false alarm", step))], rows
    )


def _rows(mean: float) -> str:
    return f"{mean:,.{1 if mean < 100 else 0}f}"


def _named(rule: str, figures_: Figures) -> str:
    return f"{rule} ({figures_['package']})" if figures_["package"] else f"**{rule}**"


def _default(cell: Mapping[str, Any]) -> str:
    """A mean, unless hardly any run has an alarm that counts."""
    if cell["alarms"] < len(cell["by_reference"]):
        return "hardly ever" if cell.get("never", 1) else "alarms before it"
    return _rows(cell["mean"])


TEXT = (Path(__file__).parent / "scoreboard.md").read_text(encoding="utf-8")


def write(folder: Path) -> None:
    """The document and its pictures."""
    from .pictures import draw  # needs matplotlib

    kept = figures(folder)
    DOCUMENT.write_text(document(kept), encoding="utf-8")
    draw(kept, folder)
    print(f"written: {DOCUMENT}")
