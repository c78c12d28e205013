"""Incidents with known causes through the product, from their raw events: what is told of them on the root causes' topic.

    python -m tests.incidents.through FOLDER [--suite public|own|extra|extra2|other|unseen|fresh|blind ...] [--without KIND ...]
        [--labels-late WINDOWS] [--sample N] [--only TEXT] [--kafka ADDRESS] [--results FILE] [--verbose]

FOLDER keeps tables and recordings. ``--labels-late N``: labels come N windows behind what they are about, and the world goes on until they
have; so as many are known in the end as with 2. ``--sample N``: every N-th incident. ``--kafka``: through that broker, not through a
replay. ``--results``: what each came to, which is continued where it stands.
"""

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from driftbus.schemas.messages.root_cause import RootCauseEvent

from .__main__ import SUITES, suite
from .ending import ending
from .generator import LATE, generated
from .recorded import KINDS, Optional, record, settings
from .replayed import causes, causes_on_kafka
from .scoring import Confirmed, Score


def told(
    spec: dict[str, Any], folder: Path, streams: Optional, kafka: str | None = None
) -> tuple[list[RootCauseEvent], list[dict[str, Any]]]:
    """The events of one incident, and its truth."""
    own = max(spec.get("label_delay", LATE), LATE)
    late = max(own, streams.late)
    incident = generated({**spec, "label_delay": late, "further": late - own})
    configuration = settings(spec["dataset"], spec["model_seed"], folder, streams)
    if kafka is not None:
        return causes_on_kafka(incident, configuration, streams, kafka), incident.truth
    recording = folder / f"{spec['id']}.jsonl"
    try:
        record(incident, configuration, recording, streams)
        return causes(configuration, recording), incident.truth
    finally:
        recording.unlink(missing_ok=True)


def came_to(spec: dict[str, Any], folder: Path, streams: Optional, kafka: str | None = None) -> dict[str, Any]:  # plain data
    """One incident, as it stands in the results."""
    began = time.perf_counter()
    events, truth = told(spec, folder, streams, kafka)
    found = ending(events, truth)
    return {
        "id": spec["id"],
        "truth": truth,
        **{name: value for name, value in found._asdict().items() if name != "confirmed"},
        "confirmed": [{"cause": one.cause, "features": list(one.features)} for one in found.confirmed],
        "revisions": [_line(event) for event in events],
        "seconds": round(time.perf_counter() - began, 1),
    }


def _line(event: RootCauseEvent) -> str:
    what = f"{event.cause} {event.subtype} {', '.join(event.scope.features)}"
    waits = f", awaits {event.awaits}" if event.awaits else ""
    return f"{event.incident[:6]} {event.revision} {event.status}: {what}; {event.confidence}{waits}; gate {event.retrain_gate.decision}"


def scored(specs: Iterable[dict[str, Any]], results: dict[str, dict[str, Any]]) -> list[str]:
    """All of them, as lines."""
    score, passing, allowed, delays = Score(), [], [], list[float]()
    for spec in specs:
        one = results[spec["id"]]
        score.add(spec, one["truth"], [Confirmed(told["cause"], tuple(told["features"])) for told in one["confirmed"]])
        passing += [spec["id"]] if one["passing"] else []
        allowed += [spec["id"]] if one["allowed"] else []
        delays += one["delays"].values()
    delays.sort()
    soon = f"{delays[len(delays) // 2]:.1f} h (median), {delays[len(delays) * 9 // 10]:.1f} h (nine of ten)" if delays else "-"
    return [
        *score.lines(),
        f"not exact: {', '.join(score.missed)}",
        f"another cause confirmed on the way: {len(passing)} {passing or ''}",
        f"retraining allowed beside a known fault of the pipeline: {len(allowed)} {allowed or ''}",
        f"from a fault to its confirmation: {soon}",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--suite", action="append", choices=[one.stem for one in SUITES.glob("*.json") if not one.stem.startswith("truth")])
    parser.add_argument("--without", nargs="*", default=[], choices=KINDS)
    parser.add_argument("--labels-late", type=int, default=2)
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--kafka")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args(arguments)
    streams = Optional(frozenset(asked.without), asked.labels_late)
    specs = [one for name in asked.suite or ["public"] for one in suite(name) if asked.only in one["id"]][:: asked.sample]
    results = json.loads(asked.results.read_text()) if asked.results and asked.results.exists() else {}
    for spec in specs:
        if spec["id"] not in results:
            results[spec["id"]] = one = came_to(spec, asked.folder, streams, asked.kafka)
            if asked.results:
                asked.results.write_text(json.dumps(results, indent=1))
            if asked.verbose:
                print(spec["id"], [(fault["cause"], fault["features"], fault["onset"]) for fault in one["truth"]], f"{one['seconds']} s")
                print(*(f"    {line}" for line in one["revisions"]), sep="\n", flush=True)
    print(*scored(specs, results), sep="\n")


if __name__ == "__main__":
    main()
