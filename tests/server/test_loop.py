"""The loop closes: a model answers, its answers are a stream that is watched, and it learns from the labels of what it said."""

from contextlib import closing
from pathlib import Path

import msgspec

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.runner import Pipeline, wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference import learned
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.server.server import make
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.learned import LearnedLosses, LearnedModel
from driftbus.schemas.messages.performance import Performance

from ..streaming import BEGINNING, everything, reference
from .worlds import MODEL, prepare, request, said, settings_of

SERVED, MINUTE, ROWS = "test.served", 60_000, 400
FOLDS = ("profiler", "joiner", "clerk", "detector", "learner")


def answered(bus: Bus, settings: Configuration, ids: list[str], at: int) -> dict[str, float]:
    """One request after the other, a second apart; the scores."""
    rows = [{"amount": float(place % 9 - 4), "age": 30.0, "colour": "red"} for place in range(len(ids))]
    asked = [
        request(settings, id_, row)._replace(timestamp=at + 1_000 * place) for place, (id_, row) in enumerate(zip(ids, rows, strict=True))
    ]
    bus.publish(asked)
    (server,) = make(Making(bus, settings, ArtifactStore(settings.artifacts), wall_ms))
    with closing(server):
        server.finish()
        while not server.done:
            server.turn(0.01)
    return {id_: own[0]["score"] for id_, own in said(bus, settings.topics.replies).items() if id_ in ids}


def labels(ids: list[str], at: int) -> list[Output]:
    """A minute later: positive where the amount is."""
    return [
        Output("labels", 0, None, msgspec.json.encode({"id": id_, "label": place % 9 > 4}), (), at + MINUTE + 1_000 * place)
        for place, id_ in enumerate(ids)
    ]


def test_a_model_learns_from_what_it_said(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        streams={"own": {"topics": [SERVED], "pane": "1m", "clock": "record"}},
        labels={"known": {"topics": ["labels"], "wait": "30m", "early": "1m"}},
        serving={},
    )
    first, later = ([f"{name}{number}" for number in range(ROWS)] for name in "ab")
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        bus.create("labels", 1, settings={"retention.ms": "-1"})
        known = ArtifactStore(settings.artifacts).put(reference(MODEL, "online").encoded())
        announce(bus, settings, Announcement(model=MODEL, version="online", reference=known, since=FROM_START))
        assert set(answered(bus, settings, first, BEGINNING).values()) == {0.5}  # it knows nothing yet
        bus.publish(labels(first, BEGINNING))
        for topic, partitions in ((SERVED, 2), ("labels", 1)):
            bus.publish(end_records("test", topic, partitions, BEGINNING + 2 * 3_600_000))
        with closing(Pipeline(bus, settings, FOLDS)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        told = [one for events in everything(bus, settings.topics.learned).values() for one in events]
        found = [learned.read("test", one.key, one.value, one.headers) for one in told]
        (loss,) = (one for one in found if isinstance(one, LearnedLosses))
        assert (loss.labels, loss.watched_labels, round(loss.watched or 0, 4)) == (ROWS, ROWS, 0.6931)
        assert any(isinstance(one, LearnedModel) for one in found)
        watched = [one for events in everything(bus, settings.topics.performance).values() for one in events]
        assert sum(Performance.decoded(one.value).labelled for one in watched) == ROWS  # as of any other model
        scores = answered(bus, settings, later, BEGINNING + 3 * 3_600_000)
    assert scores["b8"] > 0.5 > scores["b0"]  # amounts of 4 and -4
