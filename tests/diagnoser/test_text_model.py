"""A model of texts with features beside them: new topics are asked while a feature breaks, and neither is laid to the other."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.messages.root_cause import RootCauseEvent

from ..consumers import unlike_world
from ..streaming import BEGINNING, Sent, everything, send

#: Rows a second, and of a window; how many windows there are, and in front of how many nothing happens.
PER_SECOND, WINDOW = 10, 600
WINDOWS, QUIET = 30, 26
TRAINING, NEW, CENTS = 4_000, 0.3, 100


def rows(number: int, seed: int, since: int) -> Iterator[dict[str, Any]]:
    """Questions with an amount and a shop; from some row on of another topic, with amounts in cents."""
    draw = np.random.default_rng(seed)
    for place in range(number):
        (row,) = unlike_world.asked(draw, 1, NEW if place >= since else 0.0)
        amount = float(draw.lognormal(3, 0.4)) * (CENTS if place >= since else 1)
        yield {"question": row["question"], "amount": amount, "shop": f"s{draw.integers(3)}", "prediction": row["prediction"]}


def test_new_topics_and_a_broken_feature_are_told_each_by_itself(tmp_path: Path) -> None:
    """Both from the same moment on: only of rows, features and all, is what a fault begins with its consequence."""
    training = (row | {"at": BEGINNING - (TRAINING - place) * 1_000 // PER_SECOND} for place, row in enumerate(rows(TRAINING, 1, TRAINING)))
    (tmp_path / "train.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, training)))
    owned = {"false_alarms": "1 per 1d", "features": {"amount": {"source": "till", "owner": "team-till"}}}
    chosen = unlike_world.settings(tmp_path, {"of": "question", "embedder": "sketch", "samples": True}, model=owned)
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        unlike_world.prepare(bus, chosen, unlike_world.built(chosen))
        sent = []
        for place, row in enumerate(rows(WINDOWS * WINDOW, 2, QUIET * WINDOW)):
            message = {"model": "m0", "version": "1", "prediction": row.pop("prediction"), "features": row}
            sent.append(Sent(place % unlike_world.PARTITIONS, place * 1_000 // PER_SECOND, msgspec.json.encode(message)))
        send(bus, sent, unlike_world.TOPIC)
        with closing(Pipeline(bus, chosen)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        episodes = [event.content for part in everything(bus, chosen.topics.drift).values() for event in part]
        causes = [RootCauseEvent.decoded(event.value) for part in everything(bus, chosen.topics.root_causes).values() for event in part]
    of_texts = [one for one in episodes if one.get("kind") == "ood"]
    assert {signal["name"] for one in of_texts for signal in one["signals"]} == {"question (unlike the training data)"}
    words = {word for one in of_texts for topic in one["queries"]["topics"] for word in topic["words"]}
    assert words & {"flight", "hotel", "plane", "seat", "rome", "airport", "car", "rent"}
    last = {one.cause: one for one in causes}
    assert last.keys() == {"feature_recalibration", "prediction_label_bias"}
    fault, topics = last["feature_recalibration"], last["prediction_label_bias"]
    assert (fault.scope.features, fault.scope.owners) == (("amount",), ("team-till",))
    assert (topics.status, topics.scope.features, topics.subtype) == ("confirmed", (), "out_of_distribution_requests")
    assert of_texts[0]["episode"] in topics.episodes
    assert of_texts[0]["episode"] not in fault.episodes
