"""What reviewers' answers say of a model's predictions: from driftbus's topics, as a table."""

from collections.abc import Sequence

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.reviewed import Reviewed, ReviewedShare
from ..bus import own
from ..bus.interface import Bus, TopicPartition
from ..replay.event_line import place
from .reading import records_of
from .screen import Table

_READERS = {Reviewed.TYPE: Reviewed.decoded}
_NONE = "-"


def reviewed_of(bus: Bus, configuration: Configuration, model: str, version: str | None) -> list[Reviewed]:
    """The newest of every interval of a model, or of one of its versions, in their order."""
    topic = configuration.topics.performance
    described, found = bus.describe([topic]).get(topic), dict[str, Reviewed]()
    for number in range(described.partitions if described else 0):
        source = TopicPartition(topic, number)
        for batch in bus.read(source, *bus.watermarks(source)):
            for record in records_of(batch):
                try:
                    fact = own.read(configuration.application, _READERS, record.value, record.headers)
                except (own.Foreign, own.Unreadable):
                    continue
                if fact is not None and fact.model == model and version in (None, fact.version):
                    found[fact.key] = fact
    return sorted(found.values(), key=lambda one: (one.about, one.version))


def table(records: Sequence[Reviewed]) -> Table:
    """An interval of a version a row: `right` of all answered cases, each counted for as many predictions as it stands for, and of those
    drawn uniformly.
    """
    made = Table("drawn", "version", "answered", "skipped", "right", "95 %", "uniform", "95 %", "kappa", wide=("version",))
    for one in records:
        skipped = str(sum(one.skipped.values())) if one.skipped else _NONE
        kappa = _NONE if one.kappa is None else f"{one.kappa:.2f} of {one.pairs}"
        made.row(place(iso(one.start)), one.version, f"{one.answered}/{one.asked}", skipped, *_share(one.all), *_share(one.uniform), kappa)
    return made


def _share(of: ReviewedShare) -> tuple[str, str]:
    if of.share is None:
        return _NONE, _NONE
    return f"{of.share:.3f}", f"{of.low:.3f} .. {of.high:.3f}"
