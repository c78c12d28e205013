"""What the intake's clock does to what is asked for: where inputs stand still, and where it is wrong."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from driftbus.consumers.bus.addressing import partition_of
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.decider.fold import Fold
from driftbus.consumers.intake.clock import Clock
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.reference import ledger
from driftbus.detectors.actions.state import Ledger
from driftbus.schemas.messages.action import ActionObserved, ActionRequest, LedgerFact
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.messages.retrain import RetrainRequest

from ..streaming import configuration
from .test_bus import DAY, MINUTE, SUNDAY

HOUR = 60 * MINUTE


@dataclass
class Night:
    """A clock and a decider, with the wall clock and the log's own time in a test's hands. What is asked for succeeds at once."""

    retrain: dict[str, Any]
    facts: Counter[str] = field(default_factory=Counter)
    requests: list[RetrainRequest] = field(default_factory=list)
    entries: list[tuple[int, LedgerFact]] = field(default_factory=list)  #: the ledger, and when each was written
    told: list[bytes] = field(default_factory=list)  #: all that the decider said

    def __post_init__(self) -> None:
        self.settings = configuration(stream={"clock": "live"}, models={"m0": {"retrain": self.retrain}})
        self.bus = EmbeddedBus(":memory:", "test", "one")
        self.bus.create("scored", 2)
        create_topics(self.bus, self.settings)
        self._partition = partition_of("m0", self.settings.topics.partitions)
        self.clock, self._fold = Clock(self.settings, self.bus), self.fold()

    def fold(self) -> Fold:
        """Another decider."""
        fold = Fold(self.settings)
        fold.situated(InputPartition(topic=self.settings.topics.actions, topic_id="t", partition=self._partition), append_time=True)
        return fold

    def turn(self, now: int, wall: int | None = None) -> None:
        """The log's time is ``now``, that of the intake's machine another one, perhaps."""
        for output in self.clock.said(now if wall is None else wall, whatever=False):
            if output.partition == self._partition:
                self.facts[json.loads(output.value or b"")["kind"]] += 1
                fact = ledger.read("test", output.key, output.value, output.headers)
                assert fact is not None
                self.hears(now, fact)

    @property
    def ledger(self) -> Ledger:
        """What the decider remembers."""
        return self._fold._ledgers["m0"]

    def hears(self, now: int, fact: LedgerFact) -> None:
        self.entries.append((now, fact))
        for one in self._fold.feed(0, now, fact):
            assert isinstance(one, JobStatus | RetrainRequest)
            self.told.append(one.encoded())
            if isinstance(one, RetrainRequest):
                self.requests.append(one)
            elif one.state == "requested":
                self.hears(now, ActionObserved(model="m0", job=one.job, state="succeeded"))

    def asks(self, now: int) -> RetrainRequest:
        """As a person does."""
        self.hears(now, ActionRequest(model="m0", policy="hand", request=str(now)))
        return self.requests[-1]


@pytest.fixture
def nights() -> Iterator[Any]:
    """By the policies of a model."""
    opened: list[Night] = []

    def make(**retrain: dict[str, Any]) -> Night:
        opened.append(Night({name: {"cooldown": 0, "per_day": 100, **own} for name, own in retrain.items()}))
        return opened[-1]

    yield make
    for one in opened:
        one.bus.close()


HAND = {"when": "person"}


@pytest.mark.parametrize("idle", [11 * MINUTE, HOUR, 5 * HOUR + 1, 20 * HOUR, 2 * DAY])
@pytest.mark.parametrize("batch", [0, 5])
def test_what_is_asked_for_is_at_most_ten_minutes_old_though_the_inputs_stand_still(nights: Any, idle: int, batch: int) -> None:
    """Behind a nightly batch, what was mature by then was all that there was, for as long as nothing else came."""
    night = nights(hand=HAND)
    night.bus.publish([Output("scored", 0, None, b"{}", ())] * batch)
    for now in range(SUNDAY, SUNDAY + idle, MINUTE):
        night.turn(now)
    data = night.asks(SUNDAY + idle).data
    assert SUNDAY + idle - 10 * MINUTE <= data.until <= SUNDAY + idle
    assert {one.offsets for one in data.sources} == {(0, 0), (0, batch)}


@pytest.mark.parametrize("turn_s", [1, 59, 60, 61, 300, 700])
@pytest.mark.parametrize("flows", [False, True])
def test_inputs_that_stand_still_cost_the_ledger_no_more_than_those_that_flow(nights: Any, turn_s: int, flows: bool) -> None:
    night = nights(hand=HAND, weekly={"when": "schedule", "cron": "0 3 * * 0"})
    for now in range(SUNDAY, SUNDAY + DAY // 4, turn_s * 1_000):
        if flows:
            night.bus.publish([Output("scored", 0, None, b"{}", ())])
        night.turn(now)
    assert 0 < night.facts["reach"] <= 36
    assert night.facts["due"] <= 36 + 1
    assert night.facts["tick"] <= 360 + 36 + 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_who_folds_the_ledger_again_asks_for_the_same_data(nights: Any, times: int) -> None:
    night = nights(hand=HAND, daily={"when": "schedule", "cron": "0 3 * * *"})
    for now in range(SUNDAY, SUNDAY + DAY + HOUR, MINUTE):
        night.turn(now)
        if (now - SUNDAY) % (7 * HOUR) == 0:
            night.asks(now)
    other = night.fold()
    again = [one.encoded() for now, fact in night.entries for _ in range(times) for one in other.feed(0, now, fact)]
    assert again == night.told
    assert [one.requested - one.data.until for one in night.requests if one.requested - one.data.until > 10 * MINUTE] == []


@pytest.mark.parametrize("ahead", [1, 20_000, HOUR, 365 * DAY])
def test_no_data_are_of_a_time_that_has_not_come(nights: Any, ahead: int) -> None:
    """By a clock that is a year ahead all rows were mature."""
    night = nights(hand=HAND)
    night.turn(SUNDAY, wall=SUNDAY + ahead)
    assert night.asks(SUNDAY).data.until == SUNDAY
    assert night.asks(SUNDAY + MINUTE).data.until == SUNDAY + min(ahead, MINUTE)


def requested(night: Night) -> list[tuple[int, int]]:
    """The instants of cron lines for which jobs were asked for, and when."""
    return [(int(one.trigger.id), one.requested) for one in night.requests if one.trigger.kind == "schedule"]


def instants(every: int, start: int, end: int) -> list[int]:
    """Of a line that comes at 3 o'clock, behind a start."""
    first = SUNDAY + MINUTE
    return [first + number * every for number in range(-60, 60) if start < first + number * every <= end]


_WRONG = [sign * much for much in (MINUTE, HOUR, 5 * HOUR, 365 * DAY) for sign in (1, -1)]


@pytest.mark.parametrize("wrong", _WRONG)
@pytest.mark.parametrize("days", [(1, 2, 3), (0, 2, 3)], ids=["later", "at first"])
def test_a_clock_that_was_wrong_for_a_while_costs_no_instant_behind_it(nights: Any, wrong: int, days: tuple[int, int, int]) -> None:
    """By one instant that lay a year ahead nothing was asked for in a year."""
    night = nights(line={"when": "schedule", "cron": "0 3 * * *"})
    start, turn = SUNDAY + 7 * HOUR, 9 * MINUTE
    begins, right, end = (start + sum(days[:number]) * DAY for number in (1, 2, 3))
    for now in range(start, end, turn):
        night.turn(now, wall=now + wrong if begins <= now < right else now)
    found = requested(night)
    asked = [instant for instant, _ in found]
    assert sorted(set(asked)) == asked, "each once, in their order"
    assert [one for one in found if one[0] > one[1] + 15 * MINUTE] == [], "none before it comes"
    assert instants(DAY, right, end) == [one for one in asked if one > right]
    assert min(asked) > start, "what lay before the policy was written asks for nothing"
    if abs(wrong) <= 5 * HOUR:
        assert asked == instants(DAY, start, end), "early or late, all of them"


@pytest.mark.parametrize("wrong", [365 * DAY, 8 * DAY, -365 * DAY])
def test_after_a_clock_that_was_wrong_for_a_day_a_weekly_line_goes_on(nights: Any, wrong: int) -> None:
    night = nights(line={"when": "schedule", "cron": "0 3 * * 0"})
    start, end = SUNDAY + HOUR, SUNDAY + 3 * HOUR + 42 * DAY
    for now in range(start, end, HOUR):
        night.turn(now, wall=now + wrong if start + DAY <= now < start + 2 * DAY else now)
    assert [instant for instant, _ in requested(night)] == instants(7 * DAY, start, end)


@pytest.mark.parametrize("ahead", [HOUR, DAY, 365 * DAY])
def test_an_instant_ahead_that_was_remembered_is_forgotten(nights: Any, ahead: int) -> None:
    """Former releases took it."""
    night = nights(line={"when": "schedule", "cron": "0 3 * * *"})
    night.turn(SUNDAY - DAY)
    night.ledger.due["line"] = SUNDAY + ahead
    for now in range(SUNDAY - DAY, SUNDAY + 3 * DAY, 9 * MINUTE):
        night.turn(now)
    assert [instant for instant, _ in requested(night)][-2:] == [SUNDAY + MINUTE + DAY, SUNDAY + MINUTE + 2 * DAY]
