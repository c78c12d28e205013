"""Performance as it was last told, and what happened meanwhile: from driftbus's topics, or from the files that a replay wrote."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.performance import Performance
from ...schemas.messages.reviewed import Reviewed
from ...schemas.unusable import Unusable
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from ..bus.recording import is_recording, recorded
from ..bus.tail import DriftTopic
from ..replay.series import ripe, versions
from .deployments import Known, events_of
from .deployments import read as model_events
from .episodes import ToldEpisode, told
from .reading import Read, records_of
from .reviewed import all_reviewed, newest

READERS = {f"{Performance.TYPE}": Performance.decoded}
#: What the metrics of a table are, the first that there are: of classes, of numbers.
MAIN = ("accuracy", "mae")


class Story(NamedTuple):
    """What became of predictions, and what happened meanwhile."""

    records: list[Performance]  #: the newest of every interval, by model, version and interval
    episodes: list[ToldEpisode]  #: of performance
    deployments: list[Known]
    matured: frozenset[str] = frozenset()  #: the keys of intervals of which hardly any label is still to come
    reviewed: Sequence[Reviewed] = ()  #: what reviewers' answers say of intervals, in their order

    def of(self, model: str, version: str | None, segment: str | None) -> "Story":
        """What concerns one model, or one version of it; of performance what is of the whole, or of one segment."""
        records = [one for one in self.records if one.model == model and version in (None, one.version) and one.segment == segment]
        return Story(
            records,
            [one for one in self.episodes if one.first.model == model and version in (None, one.first.version)],
            [one for one in self.deployments if one.event.model == model],
            frozenset().union(*(ripe(own) for _, own in versions(records))),
            [one for one in self.reviewed if segment is None and one.model == model and version in (None, one.version)],
        )

    def by_people(self, one: Performance) -> Reviewed | None:
        """What reviewers' answers say of the same predictions."""
        of = one.version, one.about
        return next((each for each in self.reviewed if (each.version, each.about) == of), None) if one.segment is None else None

    def segments(self, model: str) -> list[str]:
        """Those of a model."""
        return sorted({one.segment for one in self.records if one.model == model and one.segment is not None})

    def newest(self, most: int) -> "Story":
        """The newest intervals of every version, and what happened since the first of them."""
        records = [one for _, own in versions(self.records) for one in own[-most:]]
        first = min(one.start for one in records)
        episodes = [one for one in self.episodes if one.is_open or one.last.time > first]
        deployments, reviewed = [one for one in self.deployments if one.at >= first], [one for one in self.reviewed if one.about > first]
        return self._replace(records=records, episodes=episodes, deployments=deployments, reviewed=reviewed)


def performance_of(bus: Bus, configuration: Configuration) -> list[Performance]:
    """By model, version and interval."""
    topic = configuration.topics.performance
    described = bus.describe([topic]).get(topic)
    found: list[Performance] = []
    for number in range(described.partitions if described else 0):
        place = TopicPartition(topic, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for record in records_of(batch):
                try:
                    fact = own.read(configuration.application, READERS, record.value, record.headers)
                except (own.Foreign, own.Unreadable):
                    continue
                found += [] if fact is None else [fact]
    return _newest(found)


def story_of(bus: Bus, configuration: Configuration) -> Story:
    """From driftbus's topics."""
    drifts = (event for event in DriftTopic(bus, configuration, from_start=True).new() if isinstance(event, DriftEvent))
    deployments = model_events(bus, configuration).known
    return Story(performance_of(bus, configuration), _of_performance(drifts), deployments, reviewed=all_reviewed(bus, configuration))


def story_in(files: Sequence[Path], configuration: Configuration) -> Story:
    """From what `replay` wrote (``--performance``, ``--events``), and the recording that it read: each line says itself what it is."""
    records, drifts, deployments, reviewed = list[Performance](), list[DriftEvent](), list[Known](), list[Reviewed]()
    for file in files:
        if is_recording(file):
            topic = configuration.topics.models
            of_models = (Read(TopicPartition(topic, one.partition), *one[1:]) for one in recorded(file, topic))
            deployments += events_of(configuration, of_models).known
            continue
        for fact in _facts(file):
            if isinstance(fact, Performance):
                records.append(fact)
            elif isinstance(fact, Reviewed):
                reviewed.append(fact)
            else:
                drifts.append(fact)
    return Story(_newest(records), _of_performance(drifts), deployments, reviewed=newest(reviewed))


def _facts(file: Path) -> Iterator[Performance | Reviewed | DriftEvent]:
    with file.open("rb") as lines:  # one that is no text is a mistake of its line, too
        for number, line in enumerate(lines, 1):
            try:
                plain = json.loads(line)
                if "predicted" in plain:
                    yield Performance.model_validate(plain)
                elif "asked" in plain and "identity" not in plain:
                    yield Reviewed.model_validate(plain)
                elif "episode" in plain:
                    yield DriftEvent.model_validate(plain)
                elif "identity" not in plain:  # as notices have it
                    raise ValueError("it names neither an interval nor an episode")
            except (TypeError, ValueError) as error:
                msg = (
                    f"{file}:{number}: no line of what driftbus replay writes with --performance or --events: {str(error).splitlines()[0]}"
                )
                raise Unusable(msg) from None


def main_metric(records: Iterable[Performance]) -> str:
    """What is told of them in a table."""
    there = {name for one in records for name in one.realised}
    return next((name for name in MAIN if name in there), MAIN[0])


def _newest(records: Iterable[Performance]) -> list[Performance]:
    found = {one.key: one for one in records}
    return sorted(found.values(), key=lambda one: (one.model, one.version, one.about, one.since or 0))


def _of_performance(drifts: Iterable[DriftEvent]) -> list[ToldEpisode]:
    return told(event for event in drifts if event.kind == "performance")
