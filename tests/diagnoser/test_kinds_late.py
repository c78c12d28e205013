"""Through all roles on the embedded bus: each kind of evidence comes a day late, or never; it is named, and nothing false is confirmed."""

from collections.abc import Iterable
from contextlib import closing
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference import golden_records
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.messages import json_lines
from driftbus.consumers.reference.familiar import FOLDER
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.messages.feedback import Feedback
from driftbus.schemas.messages.golden import GoldenEvaluation
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.root_cause import RootCauseEvent
from driftbus.schemas.stored.reference import Reference

from ..streaming import BEGINNING, configuration, everything, message, prepare, reference

#: Rows a second, minutes of traffic, and from which on amount is null in a third of the rows.
PER_SECOND, MINUTES, BROKEN = 10, 14, 9
SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000
REFERENCE_ROWS = 3_000
KNOWN, OFFLINE = "known", "offline"
#: As events name what is missing; of deployments and words nobody knows whether there are any.
NAMED = {"outcomes": "arrivals", "golden": "golden", "agreement": "agreement"}
AGES = "ages", "not configured"
JOINED = ("outcomes", "agreement")


def world(folder: Path) -> Configuration:
    return configuration(
        artifacts=str(folder / "artifacts"),
        stream={"pane": "1m", "mapping": {"id": "id", "entity": "id", "as_of": "at"}},
        labels={"outcomes": {"topics": [KNOWN], "wait": "2d", "early": "1m", "about": "1m"}},
        features={"warehouse": {"topics": [OFFLINE], "wait": "2d", "early": "1m"}},
        models={
            "m0": {
                "labels": "outcomes",
                "agreement": {"log": "warehouse"},
                "ood": {"of": "row"},
                "golden": {"call": {"http": {"url": "http://localhost/{model}"}}},
            }
        },
        topics={"prefix": "p", "partitions": 1},
    )


def built(chosen: Configuration, folder: Path) -> Reference:
    """From rows, so that what is asked is compared with them."""
    draw, file, store = np.random.default_rng(3), folder / "rows.jsonl", ArtifactStore(chosen.artifacts)
    times = range(BEGINNING - REFERENCE_ROWS * SECOND // PER_SECOND, BEGINNING, SECOND // PER_SECOND)
    file.write_bytes(b"\n".join(msgspec.json.encode({**msgspec.json.decode(message(draw, "m0")), "time": time}) for time in times))
    return build_reference(json_lines(file, Mapping(), "m0", "1"), "m0", "1", chosen.models["m0"], keep=store.beside(FOLDER).put)


def traffic(late: int) -> dict[str, list[Output]]:
    """Predictions, their outcomes, and the feature log, each of the latter so much later than soon."""
    draw, sent = np.random.default_rng(4), dict[str, list[Output]]()
    for number in range(MINUTES * 60 * PER_SECOND):
        time, id_ = BEGINNING + number * SECOND // PER_SECOND, f"c{number}"
        row = {**msgspec.json.decode(message(draw, "m0")), "id": id_, "at": time}
        log = {"entity": id_, "as_of": time, "values": dict(row["features"])}
        if number >= BROKEN * 60 * PER_SECOND and number % 3 == 0:
            row["features"]["amount"] = None
        label = {"id": id_, "label": bool(draw.random() < row["score"])}
        for kind, topic, at, value in (
            ("predictions", "scored", time, row),
            ("outcomes", KNOWN, time + 20 * SECOND + late, label),
            ("agreement", OFFLINE, time + 2 * SECOND + late, log),
        ):
            sent.setdefault(kind, []).append(Output(topic, 0, None, msgspec.json.encode(value), (), at))
    return sent


def facts(chosen: Configuration) -> dict[str, list[Output]]:
    """Golden evaluations that lose nothing, and a deployment long before."""

    def evaluation(minute: int) -> GoldenEvaluation:
        at = BEGINNING + minute * MINUTE
        about = {"request": f"r{minute}", "model": "m0", "version": "1", "golden": "sha256:" + "0" * 64, "cause": "slot", "named": str(at)}
        found = {"asked": at, "answered": at, "status": "complete", "attempt": 0, "loss": "brier", "rows": 500, "metrics": {"brier": 0.1}}
        return GoldenEvaluation.model_validate({**about, **found, "verdict": "same", "good": True})

    deployed = ModelEvent(application="test", model="m0", version="1", kind="deployed", time=BEGINNING + MINUTE)
    return {
        "golden": [golden_records.output(chosen, evaluation(minute)) for minute in range(1, MINUTES, 2)],
        "deployments": [addressed(chosen, chosen.topics.models, deployed, None)],
    }


def word(chosen: Configuration, told: Iterable[RootCauseEvent]) -> list[Output]:
    """Somebody says that it is so."""
    last = [*told][-1]
    said = Feedback(application="test", model="m0", incident=last.incident, answer="confirm", by="ada", time=last.run)
    return [addressed(chosen, chosen.topics.feedback, said, 0)]


def causes(bus: EmbeddedBus, chosen: Configuration) -> list[RootCauseEvent]:
    return [RootCauseEvent.decoded(one.value) for one in everything(bus, chosen.topics.root_causes).get(0, [])]


def confirmed(found: Iterable[RootCauseEvent]) -> set[tuple[str, tuple[str, ...]]]:
    return {(one.cause, one.scope.features) for one in found if one.status == "confirmed"}


def missing(event: RootCauseEvent) -> set[tuple[str, str]]:
    return {(one.stream, one.state) for one in event.missing_evidence}


def told(folder: Path, kind: str, *, comes: bool, known: Reference | None = None) -> tuple[list[RootCauseEvent], list[RootCauseEvent]]:
    """What is told before that kind is there at all, and in the end."""
    chosen = world(folder)
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        prepare(bus, chosen, [known or built(chosen, folder)], partitions=1)
        for topic in (KNOWN, OFFLINE):
            bus.create(topic, 1, settings={"retention.ms": "-1"})
        soon, later = {**traffic(0), **facts(chosen)}, {**traffic(DAY), **facts(chosen)}
        bus.publish([one for name, records in soon.items() if name != kind for one in records])
        with closing(Pipeline(bus, chosen)) as pipeline:
            while pipeline.turn():
                pass
            before = causes(bus, chosen)
            if comes:
                bus.publish(word(chosen, before) if kind == "feedback" else later[kind])
            for _ in pipeline.run_until_end():
                pass
        return before, causes(bus, chosen)


@pytest.mark.parametrize(
    ("kind", "comes"),
    [*product(NAMED, (True, False)), ("deployments", True), ("feedback", True)],
    ids=lambda one: one if isinstance(one, str) else "a day late" if one else "never",
)
def test_it_is_named_and_nothing_false_is_confirmed(tmp_path: Path, kind: str, comes: bool) -> None:
    before, found = told(tmp_path, kind, comes=comes)
    assert confirmed(found) == {("feature_unavailability", ("amount",))}
    assert not before or kind not in JOINED, "what is joined is waited for"
    assert all(missing(one) == {AGES, *([(NAMED[kind], "not there")] if kind in NAMED else [])} for one in found[:2])
    later = {"outcomes": [{AGES}], "feedback": [{AGES}]}.get(kind, []) if comes else []
    assert [missing(one) for one in found[2:]] == later, "of outcomes and words there is a revision when they come"
    assert [one.feedback is not None for one in found[2:]] == [kind == "feedback" for _ in later]


def test_rows_that_nothing_compares(tmp_path: Path) -> None:
    """The reference was built before anybody asked for it."""
    chosen = world(tmp_path)
    known = reference("m0").model_copy(update={"last": REFERENCE_ROWS * SECOND // PER_SECOND, "rows": REFERENCE_ROWS})
    _, found = told(tmp_path, "none", comes=False, known=known)
    assert chosen.models["m0"].ood is not None
    assert confirmed(found) == {("feature_unavailability", ("amount",))}
    assert all({one for one, _ in missing(event)} == {"ages", "ood"} for event in found)
