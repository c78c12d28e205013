"""What the wall clock says, as facts of the ledger: ticks, instants of cron lines, and how far the topics of inputs reach."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from ...schemas.configuration import Configuration
from ...schemas.configuration.retrain import Policy
from ...schemas.messages.action import ActionDue, ActionReach, ActionTick, LedgerFact
from ...schemas.messages.retrain import MOST_SOURCES, Source
from ..bus.addressing import partition_of
from ..bus.interface import Bus, Output, TopicDescription, TopicPartition
from ..reference import ledger

#: Ticks are so far apart, ms: no time limit of a policy is finer.
TICK_EVERY = 60_000
#: What is asked for misses at most the rows of so long, ms. Reaches are said though no offset changed: a request judges what is mature, and
#: what windows hold, as of the last one; and no more of them than where records flow. With them come the last instants again: by a clock
#: that is ahead they were said too early, and passed over.
REACH_EVERY = 600_000


class Clock:
    """Of one taking of the topic of models. What it said last is forgotten with it, for it may not have been written: instants and reaches
    that are said again say nothing new.
    """

    def __init__(self, configuration: Configuration, bus: Bus) -> None:
        self._configuration, self._bus = configuration, bus
        self._own = ledger.policies_of(configuration)
        self._ticked = self._reached = 0
        self._due: dict[tuple[str, str], int] = {}

    def said(self, now: int, *, whatever: bool) -> list[Output]:
        """What is to be said now; ``whatever``: a tick at least."""
        topics, reach, due = self._configuration.topics, [*self._reach(now)], [*self._instants(now)]
        if not due and not reach and not whatever and 0 <= now - self._ticked < TICK_EVERY:  # a clock that was put back tells the time, too
            return []
        self._ticked = now
        tick = ledger.output(self._configuration, ActionTick(time=now))
        partitions = sorted({partition_of(model, topics.partitions) for model in self._own})
        facts: list[LedgerFact] = [*reach, *due]
        before = [ledger.output(self._configuration, one) for one in facts]
        return [*before, *(tick._replace(partition=number) for number in partitions)]

    def _instants(self, now: int) -> Iterator[ActionDue]:
        for model, policies in self._own.items():
            for name, policy in policies.items():
                instant = latest(policy, now)
                if instant is not None and self._due.get((model, name)) != instant:
                    self._due[model, name] = instant
                    yield ActionDue(model=model, policy=name, instant=instant, time=now)

    def _reach(self, now: int) -> Iterator[ActionReach]:
        if 0 <= now - self._reached < REACH_EVERY:
            return
        self._reached, ends = now, dict[str, list[Source]]()
        self._due.clear()
        yield from (self._of(model, now, ends) for model in self._own)

    def _of(self, model: str, now: int, ends: dict[str, list[Source]]) -> ActionReach:
        """The offsets that all records of a model's inputs have, now; ``ends``: of topics that were looked at, for models share them."""
        settings = self._configuration.model(model)
        streams = [self._configuration.stream_of(model), *settings.joins]
        topics = list(dict.fromkeys(topic for name in streams for topic in self._configuration.read[name].topics))
        if new := [topic for topic in topics if topic not in ends]:
            there = self._bus.describe(new, settings=False)
            ends |= {name: [*self._ends_of(there[name])] if name in there else [] for name in new}
        found = [source for topic in topics for source in ends[topic]]
        listed = tuple(found[:MOST_SOURCES])
        return ActionReach(model=model, time=now, sources=listed, more_sources=len(found) - len(listed))

    def _ends_of(self, topic: TopicDescription) -> Iterator[Source]:
        for number in range(topic.partitions):
            offsets = self._bus.watermarks(TopicPartition(topic.name, number))
            yield Source(topic=topic.name, topic_id=topic.id, partition=number, offsets=offsets)


def latest(policy: Policy, now: int) -> int | None:
    """The last instant of a policy's cron line, ms; None: it has none.

    >>> latest(Policy(when="schedule", cron="0 3 * * 0", zone="Europe/Berlin"), 1_795_939_200_000)
    1795917600000
    """
    if policy.cron is None:
        return None
    at = datetime.fromtimestamp(now // 1000 + 1, UTC).astimezone(ZoneInfo(policy.zone))
    found = next(CronSim(policy.cron, at, reverse=True), None)
    return None if found is None else round(found.timestamp() * 1000)
