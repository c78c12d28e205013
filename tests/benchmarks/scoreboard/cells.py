"""The cells of the scoreboard: what is measured of whom, as plain figures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .measuring import Delays, Runs, World, delays, panes, quiet_runs, tuned
from .rules import MANY, ON_ERRORS, OURS, OURS_ON_ERRORS, OURS_PANES, PEERS, Rule, bound
from .streams import CHANGES, ERRORS, LAWS, Change, Law

Figures = dict[str, Any]  # plain figures, as they are kept in JSON

PANE = 50
QUIET = "false alarms"
#: Each run of so many features costs as many rows, so there are fewer of them.
FEATURES, MANY_RUNS = 20, 24
#: A unit so many times as large makes the same values so many times smaller.
UNIT = 1_000.0
#: Alarm rows that are kept, to repeat: a tenth.
KEPT_REFERENCES = 3


def spread(by_reference: NDArray[np.float64]) -> Figures:
    """The mean, its standard error over the references that have any, and what they are made of."""
    known = by_reference[np.isfinite(by_reference)]
    mean, error = (float(known.mean()), float(known.std(ddof=1) / len(known) ** 0.5)) if len(known) > 1 else (0.0, 0.0)
    each = [None if np.isnan(one) else round(float(one), 2) for one in by_reference]
    return {"mean": round(mean, 2), "error": round(error, 2), "by_reference": each}


def quiet_cell(runs: Runs) -> Figures:
    """Rows per false alarm."""
    return {**spread(runs.by_reference()), "alarms": int((runs.rows > 0).sum()), "kept": runs.rows[:KEPT_REFERENCES].tolist()}


def delay_cell(found: Delays) -> Figures:
    """Rows from a change to its alarm."""
    upward = found.rows[:, ::2]
    return {
        **spread(found.by_reference()),
        "upward": round(float(upward.sum() / max((upward > 0).sum(), 1)), 2),
        "alarms": found.alarms,
        "never": found.never,
        "kept": found.rows[:KEPT_REFERENCES].tolist(),
    }


@dataclass(frozen=True)
class Section:
    """Rules that are measured on the same streams, each at the threshold that is tuned on them, or at its default."""

    name: str
    rules: tuple[Rule, ...]
    world: World
    changes: tuple[Change, ...]
    laws: tuple[Law, ...] = ()  #: others on which it is asked how often nothing raises an alarm
    tuned: bool = True


SECTIONS = (
    Section("known", tuple(bound(change) for change in CHANGES if change.log_ratio), World(), CHANGES),
    Section("errors known", tuple(bound(change) for change in ERRORS), World(errors=0.1), ERRORS),
    Section("single", (OURS, OURS_PANES, *PEERS), World(), CHANGES, LAWS[1:]),
    Section("errors", (OURS_ON_ERRORS, *ON_ERRORS), World(errors=0.1), ERRORS),
    *(
        Section(
            f"defaults {name}",
            tuple(r for r in (OURS, OURS_PANES, *PEERS) if r.default is not None),
            World(unit=unit),
            CHANGES[2:3],
            tuned=False,
        )
        for name, unit in (("unit 1", 1.0), (f"unit {UNIT:.0f}", 1 / UNIT))
    ),
    Section("many", (OURS, *MANY), World(features=FEATURES, runs=MANY_RUNS), CHANGES[:4]),
)


def thresholds(section: Section, rule: Rule) -> Figures:
    """Of one rule, with its false alarms."""
    threshold, runs = tuned(rule, section.world) if section.tuned else (rule.default or 0.0, None)
    if runs is None:
        (runs,) = quiet_runs([(rule, threshold)], section.world)
    quiet = {str(pane): quiet_cell(runs.in_panes(pane)) for pane in panes(rule, PANE)}
    return {"package": rule.package, "tuned": rule.threshold, "threshold": threshold, "note": rule.note, QUIET: quiet}


def found(section: Section, change: Change, at: Sequence[float]) -> list[Figures]:
    """The delays of all rules of a section behind one change, at these thresholds; a bound's on the change that it knows."""
    if section.rules[0].knows:
        change = replace(change, mirrored=False)
    rules = [(rule, h) for rule, h in zip(section.rules, at, strict=True) if rule.knows in ("", change.name)]
    by_rule = dict(zip((rule.name for rule, _ in rules), delays(rules, section.world, change, PANE), strict=True))
    return [{str(pane): delay_cell(each) for pane, each in by_rule.get(rule.name, {}).items()} for rule in section.rules]


def quiet(section: Section, law: Law, at: Sequence[float]) -> list[Figures]:
    """The false alarms of all rules of a section on rows of another law, at these thresholds."""
    runs = quiet_runs(list(zip(section.rules, at, strict=True)), replace(section.world, law=law))
    return [{str(rule.pane): quiet_cell(each)} for rule, each in zip(section.rules, runs, strict=True)]
