"""A model of questions: some thousands that it was trained on, and later ones of which a part is about something else."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output, TopicDescription
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.reference import Reference

from ..streaming import BEGINNING, configuration

TOPIC, PARTITIONS, SIZE = "asked", 4, 12
_ASKED = ("how do i", "please", "can you help me", "i want to", "why can i not", "where do i", "is it possible to", "what if i")
_KNOWN = {
    "card": ("block my card", "order a new card", "change the pin of my card", "raise the limit of my card", "pay abroad with my card"),
    "loan": ("ask for a loan", "repay my loan early", "lower the rate of my loan", "see when my loan ends", "extend the loan"),
    "account": ("open an account", "close the account", "add my wife to the account", "see the balance of my account", "rename my account"),
}
_NEW = ("book a flight to rome", "check in for my flight", "change the seat on the plane", "find a hotel near the airport", "rent a car")
_WHEN = ("today", "tomorrow", "next week", "from abroad", "on my phone", "again", "online", "at the branch", "for my son", "in euros")


def asked(draw: np.random.Generator, rows: int, new: float = 0.0) -> Iterator[dict[str, Any]]:
    """Rows: a question, its embedding, and what the model takes it for."""
    centres = np.random.default_rng(7).normal(0, 1, (len(_KNOWN) + 1, SIZE))
    for number in range(rows):
        place = len(_KNOWN) if draw.random() < new else int(draw.integers(len(_KNOWN)))
        name, sentences = [*_KNOWN.items(), ("card", _NEW)][place]
        words = _ASKED[draw.integers(len(_ASKED))], sentences[draw.integers(len(sentences))], _WHEN[draw.integers(len(_WHEN))]
        text = f"{' '.join(words)} {_WHEN[draw.integers(len(_WHEN))]} {draw.integers(100)}"
        vector = (centres[place] + draw.normal(0, 0.5, SIZE)).round(4).tolist()
        yield {"question": text, "vector": vector, "prediction": name, "at": number}


def settings(folder: Path, ood: dict[str, Any] | None, **changes: Any) -> Configuration:
    """Panes of a minute, one row a second."""
    model = {
        "false_alarms": "1 per 7d",
        "reference": {"file": str(folder / "train.jsonl"), "time": "at", "prediction": "prediction"},
        "ood": ood,
        **changes.pop("model", {}),
    }
    stream = {"topics": [TOPIC], "pane": "1m", **changes.pop("stream", {})}
    where = {"artifacts": str(folder / "artifacts"), "snapshot_every": "1ms", "topics": {"partitions": 2}}
    return configuration(stream=stream, models={"m0": model}, **{**where, **changes})


def written(folder: Path, rows: int = 4_000, seed: int = 1) -> None:
    """The training data, one row a second."""
    draw = np.random.default_rng(seed)
    lines = (msgspec.json.encode(row | {"at": BEGINNING - (rows - row["at"]) * 1000}) for row in asked(draw, rows))
    (folder / "train.jsonl").write_bytes(b"\n".join(lines))


def built(chosen: Configuration) -> Reference:
    """The reference, its indexes stored."""
    return reference_of(chosen, "m0", "1", store=ArtifactStore(chosen.artifacts))


def prepare(bus: EmbeddedBus, chosen: Configuration, profile: Reference) -> None:
    """Topics, and the reference, which holds from the start."""
    bus.restore(TopicDescription(TOPIC, "asked-1", PARTITIONS, {"retention.ms": "-1"}), [])  # what is drawn is drawn by its id
    create_topics(bus, chosen)
    announce(bus, chosen, from_start("m0", "1", ArtifactStore(chosen.artifacts).put(profile.encoded()), profile.rows))


def send(bus: Bus, parts: Sequence[tuple[int, float]], *, seed: int = 2, end: bool = True) -> None:
    """Messages, one a second: so many with such a part of new ones, then the next."""
    draw, sent, number = np.random.default_rng(seed), list[Output](), 0
    for rows, new in parts:
        for row in asked(draw, rows, new):
            time = BEGINNING + number * 1000
            features = {"question": row["question"], "vector": row["vector"]}
            value = {"model": "m0", "version": "1", "id": f"p{number}", "features": features, "prediction": row["prediction"]}
            sent.append(Output(TOPIC, number % PARTITIONS, None, msgspec.json.encode(value), (), time))
            number += 1
    bus.publish(sent)
    if end:
        bus.publish(end_records("test", TOPIC, PARTITIONS, BEGINNING + (number + 3_600) * 1000))
