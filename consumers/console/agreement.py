"""Whether models are served the values that their training pipeline computes: from the summaries, as a table."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...detectors.agreement.layout import ROWS
from ...detectors.diagnosis.agreeing import AgreementPanes, added
from ...detectors.diagnosis.evidence import Agreeing
from ...schemas.configuration import Configuration
from ...schemas.messages.pane import AGREEMENT, Pane
from ..bus.interface import Bus, TopicPartition
from ..reference.agreement import comparisons
from ..reference.artifacts import ArtifactStore
from ..streams.summaries import facts_of
from .screen import Table

_NONE = "-"


class Compared(NamedTuple):
    """What is known of one model version."""

    model: str
    version: str | None  #: None: of all, rows of the feature log that met no prediction, as ``predicted``
    predicted: int  #: predictions that waited for a row of the feature log
    joined: int  #: those that met one
    features: dict[str, Agreeing]


def compared_of(bus: Bus, configuration: Configuration) -> list[Compared]:
    """Of every model version, all that the summaries hold."""
    if not configuration.features:
        return []
    store, comparison_of = ArtifactStore(configuration.artifacts), comparisons(configuration)
    found: dict[tuple[str, str | None], Compared] = {}
    for pane in _panes(bus, configuration):
        version = None if pane.reference is None else pane.version
        known = found.get((pane.model, version), Compared(pane.model, version, 0, 0, {}))
        if pane.reference is None:
            found[pane.model, version] = known._replace(predicted=known.predicted + int(pane.counts.sum()))
            continue
        comparison = comparison_of(pane.model, pane.reference, store.reference(pane.reference).fields)
        counts = dict(zip(ROWS, np.asarray(pane.counts[: len(ROWS)]).tolist(), strict=True))
        found[pane.model, version] = known._replace(
            predicted=known.predicted + counts["predicted"],
            joined=known.joined + counts["joined"],
            features=added([known.features, AgreementPanes(comparison).read(pane)]),
        )
    return [found[key] for key in sorted(found, key=lambda key: (key[0], key[1] is None, key[1] or ""))]


def sentences(found: Sequence[Compared]) -> Iterator[str]:
    """A sentence for each model version."""
    for one in found:
        if one.version is None:
            yield f"{one.model}: {one.predicted:,} rows of the feature log met no prediction"
            continue
        met = f"{one.joined:,} of {one.predicted:,} predictions met a row of the feature log"
        apart = sorted(((_share(own), name) for name, own in one.features.items() if own.differing + own.missing > 0), reverse=True)
        told = ", ".join(f"{name} {share:.1%}" for share, name in apart[:_MOST_TOLD])
        more = f" and {len(apart) - _MOST_TOLD} more" if len(apart) > _MOST_TOLD else ""
        yield f"{one.model}/{one.version}: {met}; {f'they differ in {told}{more}' if apart else 'none differs'}"


#: Features that a line names.
_MOST_TOLD = 3


def table(found: Sequence[Compared]) -> Table:
    """A feature of a version a row, those that differ most first."""
    made = Table("model", "version", "feature", "pairs", "differing", "missing", "commonest differing value", wide=("model", "feature"))
    for one in found:
        for name, own in sorted(one.features.items(), key=lambda item: (-_share(item[1]), item[0])):
            likely = max(own.commonest.items(), key=lambda item: (item[1], item[0]), default=None)
            value = _NONE if likely is None or likely[1] <= 0 or not own.differing else f"{likely[0]} ({likely[1] / own.differing:.0%})"
            apart = (f"{number / own.pairs:.2%}" if own.pairs else _NONE for number in (own.differing, own.missing))
            made.row(one.model, one.version or _NONE, name, f"{own.pairs:,}", *apart, value)
    return made


def _share(own: Agreeing) -> float:
    return (own.differing + own.missing) / own.pairs if own.pairs else 0.0


def _panes(bus: Bus, configuration: Configuration) -> Iterator[Pane]:
    topic = configuration.topics.summaries
    described = bus.describe([topic]).get(topic)
    for number in range(described.partitions if described else 0):
        source = TopicPartition(topic, number)
        for batch in bus.read(source, *bus.watermarks(source)):
            for _, _, fact in facts_of(configuration.application, batch):
                if isinstance(fact, Pane) and fact.of == AGREEMENT:
                    yield fact
