"""Incidents with known causes, and what is said of them.

    python -m tests.incidents [--suite public|own|extra|extra2|other|unseen|fresh|blind] [--without KIND ...] [--only TEXT]
        [--keep FOLDER] [-v]

Rows are generated, counted straight into windows, and diagnosed once, as of the last one. ``--keep`` stores the counted cases in a folder
of yours and takes them from there.
"""

import argparse
import json
import pickle
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from driftbus.detectors.diagnosis.engine import diagnose
from driftbus.detectors.diagnosis.evidence import Case
from driftbus.detectors.diagnosis.finding import Diagnosis

from .counted import Reference, case_of, lacking
from .generator import generated
from .models import deployed
from .scoring import Confirmed, Score

SUITES = Path(__file__).parent / "suites"
KINDS = ("agreement", "arrivals", "masks", "ood", "golden", "model", "ages")


def suite(name: str) -> list[dict[str, Any]]:  # specifications, as the files have them
    """All of a suite, by data set and model, so that each is trained once."""
    specs: list[dict[str, Any]] = json.loads((SUITES / f"{name}.json").read_text())
    return sorted(specs, key=lambda spec: (spec["dataset"], spec["model_seed"], spec["id"]))


@cache
def _reference(name: str, seed: int) -> Reference:
    return Reference(deployed(name, seed).reference)


def counted(spec: dict[str, Any], folder: Path | None) -> tuple[Case, list[dict[str, Any]]]:
    """An incident's case, and its truth."""
    place = None if folder is None else folder / f"{spec['id']}.pickle"
    if place is not None and place.exists():
        found: tuple[Case, list[dict[str, Any]]] = pickle.loads(place.read_bytes())
        return found
    incident = generated(spec)
    found = case_of(incident, _reference(spec["dataset"], spec["model_seed"])), incident.truth
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(pickle.dumps(found))
    return found


def confirmed(diagnosis: Diagnosis) -> Iterator[Confirmed]:
    """What would be confirmed, were it found again."""
    for one in diagnosis.findings:
        if one.live and one.confirmable:
            yield Confirmed(one.cause, one.features)


def main() -> None:
    """Print the score, and every incident that is not exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--suite", action="append", choices=[path.stem for path in SUITES.glob("*.json") if not path.stem.startswith("truth")]
    )
    parser.add_argument("--without", nargs="*", default=[], choices=KINDS)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    asked = parser.parse_args()
    score, seconds, runs = Score(), 0.0, 0
    for spec in [one for name in asked.suite or ["public"] for one in suite(name) if asked.only in one["id"]]:
        case, truth = counted(spec, asked.keep)
        for kind in asked.without:
            lacking(case, kind)
        began = time.perf_counter()
        found = diagnose(case)
        seconds, runs = seconds + time.perf_counter() - began, runs + 1
        if not score.add(spec, truth, confirmed(found)) or asked.verbose:
            print(spec["id"], [(one["cause"], one["kind"], one["features"], one["onset"]) for one in truth])
            for one in found.findings:
                says = f"{one.cause} {one.subtype} {', '.join(one.features)}, window {one.onset}, {one.shape}, confidence {one.confidence}"
                print(f"    {says}{'' if one.live else ', over'}{f', awaits {one.awaits}' if one.awaits else ''}")
                print("        ", [(piece.name, piece.feature, piece.value, piece.threshold) for piece in one.evidence][:8])
    print(*score.lines(), f"a run: {1000 * seconds / max(runs, 1):.1f} ms", sep="\n")


if __name__ == "__main__":
    main()
