"""Jobs as the topic of retrains tells them, and what was said of each on the ledger."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ...schemas.configuration import Configuration
from ...schemas.messages.action import ActionObserved, ActionWord
from ...schemas.messages.job import FINAL, JobStatus
from ...schemas.messages.retrain import RetrainRequest
from ..bus import own
from ..bus.interface import Bus, BusError
from ..reference import ledger
from ..replay.event_line import short_id
from .reading import Read, records_on

#: Of many jobs that begin alike.
_NAMED = 5
#: A word of a person, or what was observed, and when it was written.
Word = tuple[int, ActionWord | ActionObserved]


@dataclass
class ToldJob:
    """One, by what was told of it."""

    statuses: list[JobStatus] = field(default_factory=list)
    request: RetrainRequest | None = None  #: none: it was not launched
    words: list[Word] = field(default_factory=list)

    @property
    def last(self) -> JobStatus:
        """That says how it stands."""
        return self.statuses[-1]

    @property
    def is_open(self) -> bool:
        """It is not over."""
        return self.last.state not in FINAL


def jobs(bus: Bus, configuration: Configuration) -> dict[str, ToldJob]:
    """All that the topic holds, by their ids, in the order in which they came to be."""
    found: dict[str, ToldJob] = {}
    for record in _records(bus, configuration, configuration.topics.retrain):
        with suppress(own.Foreign, own.Unreadable):
            said = ledger.read_retrain(configuration.application, record.key, record.value, record.headers)
            if isinstance(said, RetrainRequest):
                found.setdefault(said.job, ToldJob()).request = said
            elif said is not None:
                one = found.setdefault(said.job, ToldJob())
                one.statuses += [said] if all(said.id != before.id for before in one.statuses) else []
    told = {name: one for name, one in found.items() if one.statuses}  # of some, retention took the statuses
    return dict(sorted(told.items(), key=lambda item: item[1].statuses[0].time))


def with_words(bus: Bus, configuration: Configuration, job: str, one: ToldJob) -> ToldJob:
    """With what people and launchers said of it."""
    for record in _records(bus, configuration, configuration.topics.actions):
        with suppress(own.Foreign, own.Unreadable):
            said = ledger.read(configuration.application, record.key, record.value, record.headers)
            if isinstance(said, ActionWord | ActionObserved) and said.job == job:
                one.words.append((record.timestamp if said.time is None else said.time, said))
    return one


def job_of(known: Mapping[str, ToldJob], configuration: Configuration, beginning: str) -> str:
    """The one whose id begins so. Raises `LookupError` for none, and for several."""
    found = [name for name in known if name.startswith(beginning)]
    if len(found) != 1 or not beginning:
        named = ", ".join(sorted(short_id(name) if len(beginning) < len(short_id(name)) else name for name in found)[:_NAMED])
        said = f"{len(found)} jobs begin so: {named}{', ...' if len(found) > _NAMED else ''}" if found else "there is no such job"
        msg = f"{beginning or repr('')}: {said} on {configuration.topics.retrain}"
        raise LookupError(msg)
    return found[0]


def _records(bus: Bus, configuration: Configuration, topic: str) -> Iterator[Read]:
    """Partition by partition."""
    description = bus.describe([topic], settings=False).get(topic)
    if description is None:
        remedy = "create it with: driftbus topics create" if ledger.asked(configuration) else "no model has a policy: models.NAME.retrain"
        msg = f"topic {topic} does not exist; {remedy}"
        raise BusError(msg)
    yield from records_on(bus, topic)
