"""The scoreboard: ``make scoreboard``, or ``python -m tests.benchmarks.scoreboard.run`` where numba and the peers are installed.

Measures every cell, keeps the raw figures in ``tests/benchmarks/results/scoreboard/``, and writes ``docs/scoreboard.md`` and its
pictures. With ``--write`` it measures nothing and writes the documents anew from the figures that are kept.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from .cells import SECTIONS, Figures, Section, found, quiet, thresholds
from .compiling import COMPILED
from .late import measured as late
from .streams import REFERENCES, RUNS
from .writing import figures, write

RESULTS = Path(__file__).parent.parent / "results" / "scoreboard"
PACKAGES = ("numpy", "scipy", "numba", "river", "alibi-detect", "frouros", "menelaus", "matplotlib")


def machine() -> Figures:
    """Where and with what it was measured."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    found: Figures = {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


class Plan(NamedTuple):
    """A section, or a part of it, by its place: functions do not travel between processes."""

    place: int
    rules: str  #: how their names begin

    def section(self) -> Section:
        """What it stands for."""
        whole = SECTIONS[self.place]
        rules = tuple(rule for rule in whole.rules if rule.name.startswith(self.rules))
        return replace(whole, rules=rules)


def threshold_of(plan: Plan, rule: int) -> Figures:
    """Of one rule."""
    section = plan.section()
    return thresholds(section, section.rules[rule])


def delays_of(plan: Plan, change: int, at: list[float]) -> list[Figures]:
    """Of all rules of a section."""
    section = plan.section()
    return found(section, section.changes[change], at)


def quiet_of(plan: Plan, law: int, at: list[float]) -> list[Figures]:
    """Of all rules of a section."""
    section = plan.section()
    return quiet(section, section.laws[law], at)


def measure(pool: Executor, plan: Plan) -> Figures:
    """One section: first everybody's threshold, then every change with everybody on the same streams."""
    section = plan.section()
    rules = list(pool.map(partial(threshold_of, plan), range(len(section.rules))))
    at = [rule["threshold"] for rule in rules]
    delays = pool.map(partial(delays_of, plan, at=at), range(len(section.changes)))
    laws = pool.map(partial(quiet_of, plan, at=at), range(len(section.laws)))
    put(rules, "delays", [change.name for change in section.changes], delays)
    put(rules, "laws", [law.name for law in section.laws], laws)
    return {rule.name: figures for rule, figures in zip(section.rules, rules, strict=True)}


def put(rules: list[Figures], kind: str, names: list[str], cells: Iterable[list[Figures]]) -> None:
    """What was measured of all rules at once, to each of them."""
    for name, by_rule in zip(names, cells, strict=True):
        for rule, cell in zip(rules, by_rule, strict=True):
            if cell:
                rule.setdefault(kind, {})[name] = cell


def keep(name: str, content: Figures) -> None:
    """Into a file of its own."""
    (RESULTS / f"{name.replace(' ', '_')}.json").write_text(json.dumps(content, indent=1 if name == "machine" else None) + "\n")


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="measure nothing; write the documents anew")
    parser.add_argument("--sections", default="", help="those whose name begins with this; the others stay as they are kept")
    parser.add_argument("--rules", default="", help="those whose name begins with this, on the streams of the others that are kept")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    if not chosen.write:
        if not COMPILED:
            sys.exit("numba is not installed here: without it this takes days. Run: make scoreboard")
        RESULTS.mkdir(parents=True, exist_ok=True)
        kept = figures(RESULTS)
        whole = not (chosen.sections or chosen.rules)
        began = time.perf_counter()
        with ProcessPoolExecutor(chosen.workers) as pool:
            for place, section in enumerate(SECTIONS):
                plan = Plan(place, chosen.rules)
                if section.name.startswith(chosen.sections) and plan.section().rules:
                    before = kept[section.name.replace(" ", "_")] if chosen.rules else {}
                    keep(section.name, before | measure(pool, plan))
                    print(f"{time.perf_counter() - began:6.0f} s  {section.name}", flush=True)
        if "errors late".startswith(chosen.sections) and not chosen.rules:
            keep("errors late", late())
            print(f"{time.perf_counter() - began:6.0f} s  errors late", flush=True)
        if whole:
            keep("machine", {**machine(), "seconds": round(time.perf_counter() - began), "references": REFERENCES, "runs": RUNS})
    write(RESULTS)


if __name__ == "__main__":
    main()
