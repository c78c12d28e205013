"""What performance waits for, where nothing, or not everything, is known yet: in words, with what to do about it."""

from collections.abc import Iterable, Iterator, Sequence

from ...schemas.configuration import Configuration
from ...schemas.duration import written
from ...schemas.messages.performance import Performance
from ...schemas.messages.reviewed import Reviewed
from ..bus.interface import Bus, TopicPartition
from ..detector.answers import BASELINE as ANSWERS
from ..detector.tables import BASELINE
from ..reference.announce import Announcements


def awaited(bus: Bus, configuration: Configuration, model: str) -> str:
    """Why nothing is known of a model at all: the first thing that is missing on the way from its predictions to a record."""
    name = configuration.model(model).labels
    if model not in configuration.models:
        return f"no model {model} is configured; there are {', '.join(configuration.models) or 'none'}"
    if name is None:
        return f"models.{model}.labels names no stream of labels, so nobody knows how its predictions turn out; see docs/labels.md"
    own, topics = configuration.labels[name], configuration.topics
    inputs = configuration.streams[configuration.stream_of(model)].topics
    needed = (*inputs, *own.topics, topics.joins, topics.performance)
    there = bus.describe(needed)
    if gone := [topic for topic in needed if topic not in there]:
        return (
            f"topic {gone[0]} does not exist; {'driftbus topics create' if gone[0] not in (*inputs, *own.topics) else 'see driftbus check'}"
        )

    def empty(of: Iterable[str]) -> bool:
        places = [TopicPartition(topic, number) for topic in of for number in range(there[topic].partitions)]
        return all(first == end for first, end in map(bus.watermarks, places))

    announced = Announcements(bus, configuration)
    announced.refresh()
    if model not in announced.models:
        return f"{model} has no reference, and without one its predictions are not counted; next: driftbus reference build {model}"
    if empty(inputs):
        return f"no prediction has come yet on {', '.join(inputs)}"
    if empty([topics.joins]):
        return "predictions have come, and none has been read yet; next: driftbus run (driftbus status says how far it is)"
    if empty(own.topics):
        return f"no label has come yet on {', '.join(own.topics)}; the first interval is told with its first labels, or when it is over"
    return (
        f"predictions and labels have come, and the first interval ({written(own.about)} of predictions) is not told yet; "
        "driftbus status says how far the joiner and the detector are, driftbus check whether ids meet"
    )


def answers_awaited(records: Sequence[Reviewed]) -> Iterator[str]:
    """Of which versions people have not answered enough for the errors that they find to be tested."""
    by_version: dict[str, int] = {}
    for one in records:
        of = one.mae_uniform or one.uniform
        by_version[f"{one.model}/{one.version}"] = by_version.get(f"{one.model}/{one.version}", 0) + of.cases
    for version, answered in by_version.items():
        if answered < ANSWERS:
            yield f"{version}: errors that people find are tested from {ANSWERS:,} answers to uniform draws on: {answered:,} so far"


def still_awaited(records: Sequence[Performance]) -> Iterator[str]:
    """What is not known yet of the versions that something is known of."""
    by_version: dict[str, list[Performance]] = {}
    for one in records:
        by_version.setdefault(f"{one.model}/{one.version}", []).append(one)
    for version, own in by_version.items():
        labelled = sum(one.labelled for one in own)
        if not labelled:
            made = sum(one.predicted for one in own)
            yield f"{version}: no label of its {made:,} predictions counts yet; have some come? see driftbus check, and dead-letters list"
        elif not any(one.baseline_rows for one in own):
            yield f"{version}: estimates, and concept drift, come with the baseline, its first {BASELINE:,} labels: {labelled:,} so far"
