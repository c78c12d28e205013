"""The streams of `tests.benchmarks.learner` through the bus: ``python -m tests.benchmarks.learner_bus [sensor|flights|abrupt] [WAY ...]``.

Predictions, labels that come when they become known, what reviewers answer, and what an incident says lie on topics; the profiler, the
joiner, the decider and the learner make of them what `PREFIX.learned` says. The model that is watched is the one that was frozen. Beside it
the same stream is played without a bus.

The losses that a learner tells are of labels as they came: where some are turned round they are no measure of what is true. So what is
served is measured by true labels, too: each prediction is answered by the model that was published last before it, and beside it by an
*anchor*, the slow candidate alone, which learns every label as it was given, step by step.
"""

import json
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.learner.one import loss
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference import learned, ledger, reviews
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.learning import served
from driftbus.detectors.learning.candidates import FAST, SLOW, Candidate
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionIncident
from driftbus.schemas.messages.learned import LearnedChange, LearnedLosses, LearnedModel
from driftbus.schemas.messages.review import ReviewAnswer
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, ProfiledField, Reference

from ..streaming import everything, prepare
from .learner import DAY, POISONED, SAID, STREAMS, Row, Stream, losses, moments, played
from .world import RESULTS, Result, machine, table

MODEL, PREDICTIONS, LABELS, PARTITIONS = "m", "scored", "known", 2
HOUR = 3_600_000
#: Hours of a step: what is predicted in one is learnt from in a later one at the earliest, or at its end.
STEPS = {"sensor": 1, "flights": 6, "abrupt": 1}
INCIDENT, FOUND_BEHIND = "1" * 32, 2 * DAY
ROLES = ("profiler", "joiner", "decider", "learner")


def settings_of(folder: str, stream: Stream, pane: str) -> Configuration:
    """One model with labels, reviews and a learner."""
    hours = f"{stream.wait // 3_600_000}h"
    return Configuration.model_validate(
        {
            **{"application": "test", "bus": "embedded", "embedded": ":memory:", "artifacts": folder, "topics": {"partitions": PARTITIONS}},
            "streams": {"predictions": {"topics": [PREDICTIONS], "pane": pane, "clock": "record"}},
            "labels": {"outcomes": {"topics": [LABELS], "wait": hours, "early": pane}},
            "models": {MODEL: {"labels": "outcomes", "review": {}, "learner": {"publish_every": 1}, "false_alarms": "1 per 365d"}},
        }
    )


def reference_of(stream: Stream) -> Reference:
    """Of the rows before the model is frozen."""
    rows = [row.features for row in stream.rows if row.at < stream.frozen]
    fields = []
    for name in rows[-1]:
        values = [row.get(name) for row in rows]
        known = [value for value in values if value is not None]
        present = AvailabilityProfile(counts=(len(known), len(values) - len(known), 0, 0))
        if isinstance(known[0], str):
            found, counts = np.unique(np.array(known), return_counts=True)
            categories = tuple(found.tolist())
            told = CategoricalProfile(categories=categories, counts=(*counts.tolist(), 0), tau=(1.0,) * (len(categories) + 1))
            fields.append(ProfiledField(name=name, type="categorical", values=told, availability=present))
        else:
            fields.append(ProfiledField(name=name, type="numeric", values=profile_of(np.array(known, dtype=float)), availability=present))
    scores = ProfiledField(
        name="score", role="score", type="numeric", values=profile_of(np.linspace(0, 1, 1_000)), availability=fields[0].availability
    )
    first, last = stream.rows[0].at, stream.frozen
    return Reference(model=MODEL, version="1", rows=len(rows), first=first, last=last, ordered=True, fields=(*fields, scores))


def records(settings: Configuration, stream: Stream, *, poisoned: bool, incident: bool) -> Iterator[Output]:
    """In the order of time, with the same draws as without a bus."""
    frozen = Candidate("logistic", FAST, 0)
    for now, number, row, given, training, looked_at in moments(stream, poisoned=poisoned):
        if given is None:
            content = {"model": MODEL, "version": "1", "id": row.id, "features": row.features, "score": frozen.score(row.features)}
            yield Output(PREDICTIONS, number % 2, None, msgspec.json.encode(content), (), now)
            continue
        if training:
            frozen.learn(row.features, row.label)
        yield Output(LABELS, number % 2, None, msgspec.json.encode({"id": row.id, "label": given}), (), now)
        if looked_at and not incident:
            of = {"case": f"{number:032x}", "model": MODEL, "version": "1", "slot": now, "answered": now, "probability": 1.0}
            answer = ReviewAnswer.model_validate({**of, "prediction_id": row.id, "reviewer": "ann", "label": row.label})
            yield reviews.output(settings, answer)
    if incident:
        for revision, (at, status) in enumerate(((stream.poison + FOUND_BEHIND, "confirmed"), (stream.poison + POISONED, "resolved")), 1):
            said: dict[str, Any] = {"model": MODEL, "incident": INCIDENT, "revision": revision, "status": status, "decision": "forbid"}
            said |= {"cause": "feature_unavailability", "version": "1", "onset": stream.poison, "run": at, "time": at}
            yield ledger.output(settings, ActionIncident.model_validate(said))


def through_the_bus(stream: Stream, hours: int, *, poisoned: bool = False, incident: bool = False) -> Result:
    """What the learner says of it."""
    with tempfile.TemporaryDirectory() as folder, closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        settings = settings_of(folder, stream, f"{hours}h")
        bus.create(settings.topics.learned, PARTITIONS, settings={"retention.ms": "-1"})  # not compacted: all that were published are read
        prepare(bus, settings, [reference_of(stream)], PARTITIONS)
        bus.create(LABELS, PARTITIONS, settings={"retention.ms": "-1"})
        bus.publish(list(records(settings, stream, poisoned=poisoned, incident=incident)))
        end = max(max(row.known or 0, row.at) for row in stream.rows) + stream.wait + DAY
        for topic in (PREDICTIONS, LABELS):
            bus.publish(end_records("test", topic, PARTITIONS, end))
        began = time.perf_counter()
        if incident:  # what life is slower than: the ledger is decided on before the rows come
            _run(bus, settings, "decider")
        _run(bus, settings, "profiler")
        _run(bus, settings, "joiner")
        behind = time.perf_counter()
        _run(bus, settings, "learner")
        took = time.perf_counter() - behind
        found = [
            one
            for events in everything(bus, settings.topics.learned).values()
            for event in events
            if (one := learned.read("test", event.key, event.value, event.headers)) is not None
        ]
        true = by_true_labels(settings, stream, found, hours, poisoned=poisoned)
    told = sorted((one for one in found if isinstance(one, LearnedLosses)), key=lambda one: one.start)
    changes = [f"{iso(one.at)[:16]} {one.what}: {one.why}" for one in found if isinstance(one, LearnedChange)]
    labels = sum(one.labels for one in told)
    span = stream.poison, stream.poison + POISONED + 7 * DAY
    held = next((one.at for one in found if isinstance(one, LearnedChange) and one.what == "held"), None)
    return {
        "labels": labels,
        "all": mean(told, stream.frozen + DAY, 1 << 62),
        "three weeks": mean(told, *span),
        "true labels, all": answered(true, stream.frozen, 1 << 62),
        "true labels, three weeks": answered(true, *span),
        **({} if held is None else {"true labels, behind what held it": answered(true, held, span[1])}),
        "changes": changes,
        "seconds before the learner": round(behind - began, 1),
        "seconds of the learner": round(took, 1),
        "labels a second": round(labels / took),
    }


def mean(told: list[LearnedLosses], first: int, last: int) -> dict[str, float]:
    """Over the labels of the intervals that begin between two times."""
    some = [one for one in told if first <= one.start < last]
    weights = np.array([one.labels for one in some], dtype=float)
    by = {"frozen": [one.watched or 0.0 for one in some], **{name: [getattr(one, name) for one in some] for name in SAID[1:]}}
    return {name: round(float(np.average(values, weights=weights)), 4) for name, values in by.items()}


class Answered(NamedTuple):
    """By prediction: when it was made, the log loss of each by its true label, shape (rows, 3)."""

    at: NDArray[np.int64]
    losses: NDArray[np.float64]


def by_true_labels(settings: Configuration, stream: Stream, told: list[learned.Learned], hours: int, *, poisoned: bool) -> Answered:
    """What the frozen model, the anchor, and whatever was published last before it say of each prediction."""
    store, step = ArtifactStore(settings.artifacts).beside(learned.FOLDER), hours * HOUR
    models = deque(sorted((one for one in told if isinstance(one, LearnedModel)), key=lambda one: one.at))
    frozen, anchor, published = Candidate("logistic", FAST, 0), Candidate("logistic", SLOW, 0), None
    steps, waiting = 0, list[tuple[Row, bool]]()
    at, found = list[int](), list[list[float]]()
    for now, _, row, given, training, _ in moments(stream, poisoned=poisoned):
        if now // step > steps:  # what was given in a step is learnt at its end
            for one, label in waiting:
                anchor.learn(one.features, label)
            steps, waiting = now // step, []
        if given is not None:
            waiting.append((row, given))
            if training:
                frozen.learn(row.features, row.label)
            continue
        while models and models[0].at <= now:
            newest = models.popleft()
            if not models or models[0].at > now:
                published = served.read(store.get(newest.artifact)).candidate
        if row.known is not None:
            said = frozen.score(row.features), anchor.score(row.features), 0.5 if published is None else published.score(row.features)
            at.append(now)
            found.append([loss(one, row.label) for one in said])
    return Answered(np.array(at), np.array(found))


def answered(one: Answered, first: int, last: int) -> dict[str, float]:
    """Means over the predictions of a time."""
    some = (one.at >= first) & (one.at < last)
    return dict(zip(("frozen", "anchor", "served"), one.losses[some].mean(axis=0).round(4).tolist(), strict=True))


def _run(bus: Bus, settings: Configuration, role: str) -> None:
    with closing(Pipeline(bus, settings, [role])) as pipeline:
        for _ in pipeline.run_until_end():
            pass


def main() -> None:
    """Play, print, keep."""
    name = sys.argv[1] if len(sys.argv) > 1 else "sensor"
    stream = STREAMS[name]()
    span = stream.poison, stream.poison + POISONED + 7 * DAY
    clean, poisoned = played(stream, poisoned=False), played(stream, poisoned=True)
    of_clean, of_poisoned = ({"all": losses(one), "three weeks": losses(one, *span), "changes": one.changes} for one in (clean, poisoned))
    found: Result = {"machine": machine(), "stream": name, "no bus, clean": of_clean, "no bus, poisoned, reviewed": of_poisoned}
    ways = {"poisoned, reviewed": {"poisoned": True}, "poisoned, an incident": {"poisoned": True, "incident": True}, "clean": {}}
    for part in ("no bus, clean", "no bus, poisoned, reviewed", *(sys.argv[2:] or ways)):
        if part in ways:
            found[part] = through_the_bus(stream, STEPS[name], **ways[part])
        print(part, *found[part]["changes"], sep="\n  ")
        print(table(["log loss", *SAID], [[which, *found[part][which].values()] for which in ("all", "three weeks")]))
        true = [[which, *values.values()] for which, values in found[part].items() if which.startswith("true labels")]
        print(table(["log loss", "frozen", "anchor", "served"], true), flush=True)
        (Path(RESULTS) / f"learner_bus_{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
