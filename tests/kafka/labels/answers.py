"""Somebody who answers while everybody else is killed: what is asked of one model, by the desk's own code, and whether all of it is right.

Rows of that model are compared with those of its reference, too, and some of them are unlike all of these.
"""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from driftbus.consumers.bus.addressing import partition_of
from driftbus.consumers.bus.interface import Bus, BusError, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.desk.desk import Desk
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.messages import json_lines
from driftbus.consumers.reference.familiar import FOLDER
from driftbus.consumers.reference.reviews import Review, read
from driftbus.consumers.reviewer.estimates import Estimates
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.messages.pane import OOD, Pane
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.messages.review import ReviewAnswer, ReviewLabel, ReviewRequest, ReviewSlot
from driftbus.schemas.messages.reviewed import Reviewed
from driftbus.schemas.stored.reference import Reference

from ...streaming import BEGINNING, Event, everything, message

#: Of whom people are asked, and how.
ASKED = "m0"
SETTINGS = {"ood": {"of": "row"}, "review": {"budget": "360 per hour", "slot": "1m", "twice": 0.2}}
REVIEWERS = "ada", "bob"
_REFERENCE_ROWS, _EVERY_MS = 6_000, 1_000
_EVERY_S = 0.2


def unlike(draw: np.random.Generator, value: bytes) -> bytes:
    """A row none of whose fields is strange, and which is like none of the reference: who is red has amounts above."""
    plain = msgspec.json.decode(value)
    plain["features"] |= {"amount": float(draw.normal(6.0, 0.5)), "age": 59, "colour": "red"}
    return msgspec.json.encode(plain)


def reference_of_rows(configuration: Configuration) -> Reference:
    """Built as users build theirs; what lies beside it is stored."""
    draw, keep = np.random.default_rng(7), ArtifactStore(configuration.artifacts).beside(FOLDER).put
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        rows = (msgspec.json.decode(message(draw, ASKED)) for _ in range(_REFERENCE_ROWS))
        times = range(BEGINNING - _REFERENCE_ROWS * _EVERY_MS, BEGINNING, _EVERY_MS)
        file.write_bytes(b"\n".join(msgspec.json.encode(row | {"time": time}) for row, time in zip(rows, times, strict=True)))
        return build_reference(json_lines(file, Mapping(), ASKED, "1"), ASKED, "1", configuration.models[ASKED], keep=keep)


class Answering(threading.Thread):
    """Two reviewers at their desks until they are told to go; a broker that is away is waited for, and the same is said again."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(name="answering", daemon=True)
        self._configuration, self._over = configuration, threading.Event()
        self.given = 0
        self.error: Exception | None = None

    def run(self) -> None:
        while not self._over.wait(_EVERY_S):
            try:
                bus = KafkaBus(self._configuration.kafka, self._configuration.application, "desk")
                try:
                    desk = Desk(bus, self._configuration, ASKED)
                    while not self._over.wait(_EVERY_S):
                        self._answer(desk)
                finally:
                    bus.close()
            except BusError:
                continue
            except Exception as error:  # noqa: BLE001  # of a thread: told by whoever waits for it
                self.error = error
                return

    def close(self) -> None:
        """Go home. Raises what ended them before their time."""
        self._over.set()
        self.join()
        if self.error is not None:
            raise self.error

    def _answer(self, desk: Desk) -> None:
        desk.refresh()
        for reviewer in REVIEWERS:
            for group in desk.waiting(reviewer):
                for case in group.cases:
                    label, skipped = said(case, reviewer)
                    answered = case.slot + len(reviewer) + int(case.case[:4], 16)
                    self.given += len(desk.answer(reviewer, [case.case], answered, label=label, skipped=skipped))


def said(case: ReviewRequest, reviewer: str) -> tuple[bool | None, str | None]:
    """By the case's id: a label, on which two do not always agree, or the reason why there is none."""
    number = int(case.case[8:12], 16)
    return (None, "I cannot tell") if number % 11 == 0 else (number % 3 > 0 or (reviewer == "bob" and number % 7 == 0), None)


def reviews(bus: Bus, configuration: Configuration) -> list[tuple[int, Review]]:
    """All that is told, and in which partition, in the order of the log."""
    topic = everything(bus, configuration.topics.reviews)
    found = [(number, event) for number, events in topic.items() for event in events]
    read_ = [(number, read(configuration.application, one.key, one.value, one.headers)) for number, one in found]
    return [(number, one) for number, one in read_ if one is not None]


def drawn(bus: Bus, configuration: Configuration) -> list[bytes]:
    """Requests and slots, in order."""
    return [one.encoded() for _, one in reviews(bus, configuration) if isinstance(one, ReviewRequest | ReviewSlot)]


def compared(bus: Bus, configuration: Configuration) -> list[bytes]:
    """Panes of rows compared with the reference, and samples of those flagged."""
    panes = [one.value for one in _of(everything(bus, configuration.topics.summaries), Pane.TYPE) if Pane.decoded(one.value).of == OOD]
    return sorted(panes) + sorted(one.value for events in everything(bus, configuration.topics.ood).values() for one in events)


def estimates(bus: Bus, configuration: Configuration) -> dict[str, Reviewed]:
    """The last one of every interval, by key."""
    published = [event for events in everything(bus, configuration.topics.performance).values() for event in events if is_estimate(event)]
    found = [Reviewed.decoded(event.value) for event in published]
    return {one.key: one for one in found}


def is_estimate(event: Event) -> bool:
    """Whether a record of the performance is what reviewers said, and not what labels did."""
    return dict(event.headers)["ce_type"] == Reviewed.TYPE.encode()


def folded(bus: Bus, configuration: Configuration, last: int) -> bool:
    """Whether the slot of the last row is there, all is answered, and the reviews have been read to their last record."""
    place = TopicPartition(configuration.topics.reviews, partition_of(ASKED, configuration.topics.partitions))
    ends = [int(batch.offsets[-1]) + 1 for batch in bus.read(place, *bus.watermarks(place))]
    at = bus.committed(f"{configuration.application}-reviewer", [place])
    slots = [one.slot for _, one in reviews(bus, configuration) if isinstance(one, ReviewSlot)]
    desk = Desk(bus, configuration, ASKED)
    desk.refresh()
    answered = not any(desk.waiting(reviewer) for reviewer in REVIEWERS)
    return max(slots, default=0) >= last and answered and place in at and at[place].offset >= ends[-1]


def apart(bus: Bus, configuration: Configuration) -> Iterator[str]:
    """What is wrong about answers, and what was made of them; in words."""
    told = reviews(bus, configuration)
    answers = [one for _, one in told if isinstance(one, ReviewAnswer)]
    for twice in ("answers", answers), ("labels of cases", [one for _, one in told if isinstance(one, ReviewLabel)]):
        if len({one.id for one in twice[1]}) < len(twice[1]):
            yield f"{twice[0]}: some stand there twice"
    wrong = [one for one in answers if (one.label, one.skipped) != said(_request(told, one.case), one.reviewer)]
    if wrong:
        yield f"answers: {len(wrong)} of {len(answers)} are not what was said"
    folds: dict[int, Estimates] = {}
    expected: dict[str, bytes] = {}
    for number, fact in told:
        if number not in folds:
            folds[number] = Estimates(configuration)
            folds[number].situated(InputPartition(topic=configuration.topics.reviews, topic_id="", partition=number), append_time=True)
        for made in folds[number].feed(0, 0, fact):
            if isinstance(made, Reviewed):  # besides, what it hands to the detector
                expected[made.key] = made.encoded()
    found = {key: one.encoded() for key, one in estimates(bus, configuration).items()}
    if found != expected:
        unlike_ = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
        yield f"estimates: {len(unlike_)} of {len(expected)} are not what the answers come to"
    labels = {one.case for _, one in told if isinstance(one, ReviewLabel)}
    requests = [one for _, one in told if isinstance(one, ReviewRequest)]
    print(f"{len(requests)} cases, {len(answers)} answers, {len(labels)} with labels, {len(expected)} estimates", flush=True)


def _request(told: Sequence[tuple[int, Review]], case: str) -> ReviewRequest:
    return next(one for _, one in told if isinstance(one, ReviewRequest) and one.case == case)


def _of(events: dict[int, list[Event]], kind: str) -> Iterator[Event]:
    return (one for some in events.values() for one in some if dict(one.headers)["ce_type"] == kind.encode())
