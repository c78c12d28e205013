"""The cases on the reviews topic that wait for a reviewer, and his answers, published.

*Guarantee.* Everything is a function of the log: whoever reads it again, after a death or on another machine, finds the same cases open. An
answer that is given twice, since nobody knew whether it had arrived, is on the topic once; those that belong together are published
together or not at all.

*Trap.* Two who review at the same time may be shown the same case. Both answers hold, each under its reviewer's name: that is an agreement,
or none. Each sees the cases of a slot in an order of his own, so it is rare.
"""

import logging
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from ...schemas.configuration import Configuration
from ...schemas.messages.review import TAKEN_BACK, ReviewAnswer, ReviewRequest, ReviewSlot
from ...schemas.mismatch import mismatch
from ..bus import own
from ..bus.addressing import partition_of
from ..bus.interface import Bus, BusError, TopicDescription, TopicPartition
from ..reference.reviews import Review, output, read

#: Requests that are remembered, the newest: three months of 200 a day, or two weeks of 60 an hour.
MOST_HELD = 20_000
#: Slots that are remembered, for what drifted at their start.
_MOST_SLOTS = 5_000
#: Answers to a case of two reviewers, and of one.
_TWO, _ONE = 2, 1

Label = bool | int | float | str
_log = logging.getLogger(__name__)


class Refused(ValueError):
    """An answer that cannot be published; the text says why."""


@dataclass(frozen=True)
class Group:
    """Cases that are shown together: one, and those nearly the same as it."""

    first: ReviewRequest
    others: tuple[ReviewRequest, ...] = ()

    @property
    def cases(self) -> tuple[ReviewRequest, ...]:
        """All of them."""
        return (self.first, *self.others)


@dataclass
class _Held:
    """A request, and the answers to it: the last one of every reviewer."""

    request: ReviewRequest
    answers: dict[str, ReviewAnswer] = field(default_factory=dict)

    def waits_for(self, reviewer: str) -> bool:
        mine = self.answers.get(reviewer)
        if mine is not None:
            return mine.skipped == TAKEN_BACK
        labelled = sum(answer.label is not None for answer in self.answers.values())
        return labelled < (_TWO if self.request.again else _ONE)


class Desk:
    """What is asked of one model, or of all, as far as the topic has been read."""

    def __init__(self, bus: Bus, configuration: Configuration, model: str | None = None, most: int = MOST_HELD) -> None:
        self._bus, self._configuration, self._model, self._most = bus, configuration, model, most
        self._topic: TopicDescription | None = None
        self._next: dict[TopicPartition, int] = {}
        self._held: dict[str, _Held] = {}
        self._slots: dict[tuple[str, int], ReviewSlot] = {}
        self._strangers = own.Told()
        self._look_at_topic()

    def _look_at_topic(self) -> None:
        """One that was made again is another one: nothing is known of what it asks. Raises `BusError` where there is none."""
        topic = self._configuration.topics.reviews
        described = self._bus.describe([topic], settings=False).get(topic)
        if described is None:
            msg = f"topic {topic} does not exist: write review: for a model, then driftbus topics create"
            raise BusError(msg)
        if self._topic is not None and self._topic.id == described.id:
            return
        if self._topic is not None:
            _log.warning("%s was deleted and made again: it is read from its beginning", topic)
        every = self._model is None
        numbers = range(described.partitions) if every else [partition_of(self._model or "", self._configuration.topics.partitions)]
        self._topic, self._next = described, {TopicPartition(topic, number): 0 for number in numbers}
        self._held.clear()
        self._slots.clear()

    def refresh(self) -> None:
        """Read on to the topic's end."""
        self._look_at_topic()
        for place, start in self._next.items():
            first, end = self._bus.watermarks(place)
            for batch in self._bus.read(place, max(first, start), end):
                columns = zip(batch.offsets.tolist(), batch.keys(), batch.values, batch.headers(), strict=True)
                for offset, key, value, headers in columns:
                    try:
                        said = read(self._configuration.application, key, value, headers)
                    except own.Foreign:
                        continue
                    except own.Unreadable as error:
                        if self._strangers.unreadable(offset)[1]:
                            _log.warning("%s@%d is passed over: %s", place, offset, error)
                        continue
                    if said is not None and self._model in (None, said.model):
                        self._take(said)
            self._next[place] = max(first, start, end)

    def _take(self, said: Review) -> None:
        if isinstance(said, ReviewSlot):
            self._slots[said.model, said.slot] = said
            while len(self._slots) > _MOST_SLOTS:
                del self._slots[next(iter(self._slots))]
        elif isinstance(said, ReviewRequest):
            self._held.setdefault(said.case, _Held(said))
            while len(self._held) > self._most:
                del self._held[next(iter(self._held))]
        elif isinstance(said, ReviewAnswer) and (held := self._held.get(said.case)) is not None:
            held.answers.pop(said.reviewer, None)  # the dictionary's order is that of the log
            held.answers[said.reviewer] = said

    def request(self, case: str) -> ReviewRequest | None:
        """That of a case, if it is remembered."""
        held = self._held.get(case)
        return None if held is None else held.request

    def requests(self) -> Iterable[ReviewRequest]:
        """All that are remembered, in the order of the log."""
        return (held.request for held in self._held.values())

    def answers(self, case: str) -> Sequence[ReviewAnswer]:
        """The last one of every reviewer of a case."""
        held = self._held.get(case)
        return () if held is None else tuple(held.answers.values())

    def drifting(self, request: ReviewRequest) -> bool:
        """Whether its segment drifted when its slot was drawn."""
        slot = self._slots.get((request.model, request.slot))
        return slot is not None and request.segment is not None and request.segment in slot.drifting

    def waiting(self, reviewer: str) -> list[Group]:
        """What waits for a reviewer: first what he has taken back, then slot by slot; near-duplicates of a slot together."""
        found = [held for held in self._held.values() if held.waits_for(reviewer)]
        found.sort(key=lambda held: _order(held, reviewer))
        groups: dict[tuple[str, int, str], list[ReviewRequest]] = {}
        for held in found:
            one = held.request
            groups.setdefault((one.model, one.slot, one.group or one.case), []).append(one)
        return [Group(first, tuple(others)) for first, *others in groups.values()]

    def answer(
        self, reviewer: str, cases: Sequence[str], answered: int, *, label: Label | None = None, skipped: str | None = None
    ) -> Sequence[ReviewAnswer]:
        """Publish an answer to these cases, in one transaction; those that are on the topic already are not written again.

        ``answered``, ms, tells an answer from the next one of the same words, and must be the same when it is tried again.
        Raises `Refused`.
        """
        self.refresh()
        if unknown := [case for case in cases if case not in self._held]:
            msg = f"case {unknown[0][:100]}: it is not among the {len(self._held):,} newest that this application was asked about"
            raise Refused(msg)
        try:
            said = [
                ReviewAnswer.of(self._held[one].request, reviewer, answered, label=label, skipped=skipped) for one in dict.fromkeys(cases)
            ]
        except ValidationError as error:
            raise Refused(mismatch(error)) from None
        self.publish(said)
        return said

    def last(self, reviewer: str) -> Sequence[ReviewAnswer]:
        """What a reviewer answered last, at one go, and has not taken back."""
        mine = [held.answers[reviewer] for held in self._held.values() if reviewer in held.answers]
        mine = [answer for answer in mine if answer.skipped != TAKEN_BACK]
        newest = max((answer.answered for answer in mine), default=None)
        return [answer for answer in mine if answer.answered == newest]

    def take_back(self, reviewer: str, answered: int) -> None:
        """Publish that the last answer of a reviewer counts no more: its cases wait again. Twice, by ``answered``, is once."""
        self.refresh()
        mine = (held.answers[reviewer] for held in self._held.values() if reviewer in held.answers)
        done = any(one.answered == answered and one.skipped == TAKEN_BACK for one in mine)
        if not done and (last := self.last(reviewer)):
            self.answer(reviewer, [one.case for one in last], answered, skipped=TAKEN_BACK)

    def publish(self, answers: Sequence[ReviewAnswer], *, newer: bool = False) -> int:
        """Write those answers that are not their reviewer's last ones already; how many they were.

        ``newer``: of those that come from elsewhere, where an old one is read again and again, only what was answered later than the last.
        """
        new = [one for one in answers if self._is_new(one, newer=newer)]
        if new:
            self._bus.publish([output(self._configuration, one) for one in new])
            self.refresh()
        return len(new)

    def _is_new(self, answer: ReviewAnswer, *, newer: bool) -> bool:
        held = self._held.get(answer.case)
        last = None if held is None else held.answers.get(answer.reviewer)
        return last is None or (last.id != answer.id and (not newer or answer.answered > last.answered))


def _order(held: _Held, reviewer: str) -> tuple[int, int, int, str]:
    mine, case = held.answers.get(reviewer), held.request.case
    return 0 if mine is None else -mine.answered, held.request.slot, zlib.crc32((case + reviewer).encode()), case
