"""What reviewers' answers say of a model's predictions: from driftbus's topics, as a table."""

from collections.abc import Iterable, Sequence

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.reviewed import Reviewed, ReviewedMean, ReviewedShare
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from ..replay.event_line import place
from .reading import records_of
from .screen import Table

_READERS = {Reviewed.TYPE: Reviewed.decoded}
_NONE = "-"


def reviewed_of(bus: Bus, configuration: Configuration, model: str, version: str | None) -> list[Reviewed]:
    """The newest of every interval of a model, or of one of its versions, in their order."""
    return [one for one in all_reviewed(bus, configuration) if one.model == model and version in (None, one.version)]


def all_reviewed(bus: Bus, configuration: Configuration) -> list[Reviewed]:
    """The newest of every interval of all models."""
    topic = configuration.topics.performance
    described, found = bus.describe([topic]).get(topic), list[Reviewed]()
    for number in range(described.partitions if described else 0):
        source = TopicPartition(topic, number)
        for batch in bus.read(source, *bus.watermarks(source)):
            for record in records_of(batch):
                try:
                    fact = own.read(configuration.application, _READERS, record.value, record.headers)
                except (own.Foreign, own.Unreadable):
                    continue
                found += [] if fact is None else [fact]
    return newest(found)


def newest(records: Iterable[Reviewed]) -> list[Reviewed]:
    """The last that was told of every interval, in their order."""
    found = {one.key: one for one in records}
    return sorted(found.values(), key=lambda one: (one.about, one.model, one.version))


def table(records: Sequence[Reviewed]) -> Table:
    """An interval of a version a row: `right` of all answered cases, each counted for as many predictions as it stands for, and of those
    drawn uniformly; of numbers `mae`. `as labels`: the share of those with a label that say the same.
    """
    numbers = any(one.mae is not None for one in records)
    told = ("mae" if numbers else "right", "95 %", "uniform", "95 %")
    made = Table("drawn", "version", "answered", "skipped", *told, "kappa", "as labels", wide=("version",))
    for one in records:
        skipped = str(sum(one.skipped.values())) if one.skipped else _NONE
        kappa = _NONE if one.kappa is None else f"{one.kappa:.2f} of {one.pairs}"
        as_labels = _NONE if one.as_labelled is None else f"{one.as_labelled:.2f} of {one.labelled}"
        found = [*_mean(one.mae), *_mean(one.mae_uniform)] if one.mae is not None else [*_share(one.all), *_share(one.uniform)]
        made.row(place(iso(one.start)), one.version, f"{one.answered}/{one.asked}", skipped, *found, kappa, as_labels)
    return made


def _share(of: ReviewedShare) -> tuple[str, str]:
    if of.share is None:
        return _NONE, _NONE
    return f"{of.share:.3f}", f"{of.low:.3f} .. {of.high:.3f}"


def _mean(of: ReviewedMean | None) -> tuple[str, str]:
    if of is None or of.mean is None:
        return _NONE, _NONE
    return f"{of.mean:.4g}", _NONE if of.low is None else f"{of.low:.4g} .. {of.high:.4g}"
