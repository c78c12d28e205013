"""A support desk whose model answers questions: what people are asked about it, on an embedded bus."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import yaml

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.bus.open import open_bus
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.review import ReviewAnswer, ReviewRequest, ReviewSlot, case_of

MODEL = "support"
#: The end of the first slot; a slot.
SLOT, SLOT_MS = 1_772_359_200_000, 600_000
TOPICS = ("card", "refund", "account", "other")
#: Texts of users, some of them not kind.
QUESTIONS = (
    "My card was declined twice at the checkout although there is money in the account. What do I have to do so that it works again?",
    "I returned the shoes three weeks ago and still wait for my money, can you tell me when it will be there?",
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> how do I close my account & get my data?",
    "\u202eytefas ruoy rof\u202c what is this strange message that I got from you yesterday evening, is it really yours?",
    "Wie kann ich meine Adresse ändern? Ich bin umgezogen,\nund die Rechnung ging noch an die alte Anschrift.",
    "カードが使えなくなりました。どうすればよいですか。昨日から何度も試しましたが、ずっとエラーになります。レジでも同じでした。",
)


def configuration(folder: Path, **labels: Any) -> Configuration:  # settings of the labels
    """Of an application in a folder."""
    (folder / "driftbus.yaml").write_text(yaml.safe_dump(settings(folder, **labels)))
    return Configuration.model_validate(settings(folder, **labels))


def settings(folder: Path, **labels: Any) -> dict[str, Any]:
    """As they stand in the file."""
    return {
        "application": "desk",
        "bus": "embedded",
        "embedded": str(folder / "bus.sqlite"),
        "artifacts": str(folder / "artifacts"),
        "topics": {"partitions": 4},
        "streams": {"questions": {"topics": ["questions"], "pane": "10s"}},
        "labels": {"answers": {"topics": ["answers"], **(labels or {"outcome": "category"})}},
        "models": {MODEL: {"labels": "answers", "review": {}}},
    }


def requests(number: int, **other: Any) -> list[ReviewRequest]:  # fields of a request
    """So many, ten to a slot; every third one drawn uniformly."""
    return [request(place, **other) for place in range(number)]


def request(place: int, **other: Any) -> ReviewRequest:  # fields of a request
    """One."""
    slot = SLOT + place // 10 * SLOT_MS
    said: dict[str, Any] = {
        "model": MODEL,
        "slot": slot,
        "case": case_of("desk", MODEL, "t", 0, place),
        "version": "7",
        "asked": slot + 20_000,
        "bucket": slot - 10_000 * (place % 10),
        "topic": "questions",
        "topic_id": "t",
        "partition": 0,
        "offset": place,
        "prediction_id": f"q-{place}",
        "prediction": TOPICS[place % 3],
        "score": (0.97, 0.54, 0.31)[place % 3],
        "p": 0.005 if place % 4 == 2 else 1.0,
        "segment": ("web", "app")[place % 2],
        "weight": 0.4,
        "probability": 0.08,
        "uniform": place % 3 == 0,
        "uniform_probability": 0.02 if place % 3 == 0 else None,
        "shown": {
            "question": QUESTIONS[place % len(QUESTIONS)],
            "channel": ("web", "app")[place % 2],
            "words": 12 + place,
            "country": None,
        },
    }
    return ReviewRequest.model_validate(said | other)


def slots(asked: Sequence[ReviewRequest], drifting: tuple[str, ...] = ()) -> list[ReviewSlot]:
    """Of these requests."""
    ends = sorted({one.slot for one in asked})
    return [
        ReviewSlot(model=MODEL, slot=end, application="desk", start=end - SLOT_MS, rows=1_000, cases=10, drifting=drifting) for end in ends
    ]


@contextmanager
def asked(configuration: Configuration, said: Sequence[ReviewRequest | ReviewSlot]) -> Iterator[Bus]:
    """The bus, with these on the reviews topic."""
    with closing(open_bus(configuration)) as bus:
        if configuration.topics.reviews not in bus.describe([configuration.topics.reviews]):
            bus.create(configuration.topics.reviews, configuration.topics.partitions)
        write(bus, configuration, said)
        yield bus


def write(bus: Bus, configuration: Configuration, said: Sequence[ReviewRequest | ReviewSlot | ReviewAnswer]) -> None:
    """More of them."""
    topic, partitions = configuration.topics.reviews, configuration.topics.partitions
    bus.publish([addressed(configuration, topic, one, partition_of(one.model, partitions)) for one in said])


def answers(bus: Bus, configuration: Configuration) -> list[ReviewAnswer]:
    """All on the topic, in the order of the log."""
    place = TopicPartition(configuration.topics.reviews, partition_of(MODEL, configuration.topics.partitions))
    values = [value for batch in bus.read(place, *bus.watermarks(place)) for value in batch.values]
    return [ReviewAnswer.decoded(value) for value in values if value is not None and "reviewer" in json.loads(value)]
