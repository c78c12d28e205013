"""From messages to a root cause through all consumers on the embedded bus, and what is stored beside it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.diagnoser.archive import FOLDER
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.detectors.diagnosis.sums import Sums
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.root_cause import RootCauseEvent

from ..streaming import BEGINNING, Sent, configuration, everything, message, prepare, reference, send

#: Rows a second, and seconds of a window.
PER_SECOND, WINDOW_S = 10, 60
WINDOWS, BROKEN = 31, 27
#: The topic of the feature log.
LOG = "offline"
#: What amount comes as, from some time on.
CENTS = 100


def _world(folder: Path, **model: Any) -> Configuration:  # the keys of a model, of any type
    owned = {"features": {"amount": {"source": "till", "owner": "team-till"}}}
    log = {"features": {"warehouse": {"topics": [LOG], "wait": "10m", "early": "1m"}}} if "agreement" in model else {}
    return configuration(
        artifacts=str(folder),
        stream={"pane": "1m", "mapping": {"entity": "customer", "as_of": "as_of"}},
        models={"m0": {**owned, **model}},
        topics={"prefix": "p", "partitions": 1},
        **log,
    )


def spoilt(features: dict[str, Any], number: int) -> None:
    """Most of the values are in another unit, and a third is not there."""
    features["amount"] = features["amount"] * CENTS if number % 3 else None


def _otherwise(features: dict[str, Any], number: int) -> None:
    """Computed otherwise than in training, of half of the rows."""
    features["amount"] = features["amount"] * 1.5 + 2 if number % 2 else features["amount"]


def sent(spoil: Callable[[dict[str, Any], int], None]) -> tuple[list[Sent], list[Sent]]:
    """What is served, and the feature log."""
    draw, served, offline = np.random.default_rng(4), list[Sent](), list[Sent]()
    for number in range(WINDOWS * WINDOW_S * PER_SECOND):
        time = number * 1_000 // PER_SECOND
        plain = {"customer": f"c{number}", "as_of": BEGINNING + time, **msgspec.json.decode(message(draw, "m0"))}
        row = {"entity": f"c{number}", "as_of": BEGINNING + time, "values": dict(plain["features"])}
        offline.append(Sent(0, time + 2_000, msgspec.json.encode(row)))
        if time >= BROKEN * WINDOW_S * 1_000:
            spoil(plain["features"], number)
        served.append(Sent(number % 4, time, msgspec.json.encode(plain)))
    return served, offline


def _told(settings: Configuration, spoil: Callable[[dict[str, Any], int], None]) -> list[RootCauseEvent]:
    known = reference("m0")
    assert known.last is not None
    with closing(EmbeddedBus(":memory:", settings.application, "one")) as bus:
        prepare(bus, settings, [known.model_copy(update={"last": known.last // PER_SECOND})])
        served, offline = sent(spoil)
        send(bus, served)
        if settings.features:
            bus.create(LOG, 1, settings={"retention.ms": "-1"})
            send(bus, offline, LOG)
        with closing(Pipeline(bus, settings)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        return [RootCauseEvent.decoded(event.value) for event in everything(bus, settings.topics.root_causes)[0]]


def test_a_lost_feature_is_told_with_its_owner_and_its_windows_are_stored(tmp_path: Path) -> None:
    told = _told(_world(tmp_path), spoilt)
    lost = [one for one in told if one.cause == "feature_unavailability"]
    assert [one.status for one in lost][:1] == ["suspected"]
    last = lost[-1]
    assert (last.status, last.scope.features, last.scope.owners) == ("confirmed", ("amount",), ("team-till",))
    assert last.retrain_gate.decision == "forbid"
    assert "team-till" in last.mitigation.notify
    assert last.episodes, "the detector saw it, too"
    assert {(one.stream, one.state) for one in last.missing_evidence} >= {("arrivals", "not configured"), ("golden", "not configured")}
    assert last.artifact is not None
    stored = msgspec.msgpack.decode(ArtifactStore(str(tmp_path)).beside(FOLDER).get(last.artifact))
    assert stored["incident"] == last.incident
    assert len(stored["baseline"]) == last.windows.baseline
    nulls = [Sums.decoded(content).rows for *_, content in stored["windows"]]
    assert all(rows >= 500 for rows in nulls)


def test_pairs_with_the_feature_log_tell_a_skew(tmp_path: Path) -> None:
    """Without a feature log the same is not confirmed as anything."""
    told = _told(_world(tmp_path, agreement={"log": "warehouse"}), _otherwise)
    last = [one for one in told if one.status == "confirmed"][-1]
    assert (last.cause, last.scope.features, last.retrain_gate.decision) == ("training_serving_skew", ("amount",), "forbid")
    assert "agreement" not in {one.stream for one in last.missing_evidence}
    assert not [one for one in _told(_world(tmp_path), _otherwise) if one.status == "confirmed" and one.cause != "undetermined"]


def test_nobody_looks_where_it_is_off(tmp_path: Path) -> None:
    settings = _world(tmp_path, diagnosis="off")
    assert settings.model("m0").diagnosis is None
    with closing(EmbeddedBus(":memory:", settings.application, "one")) as bus:
        prepare(bus, settings, [reference("m0")])
        send(bus, sent(spoilt)[0][:100])
        with closing(Pipeline(bus, settings)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        told = (
            everything(bus, settings.topics.root_causes)
            if settings.topics.root_causes in bus.describe([settings.topics.root_causes])
            else {}
        )
        assert not any(told.values())
