"""What is kept of decoded rows beside their counts: how like the training data they are, what waits for labels and for rows of a feature
log, candidates for review.

A model asks for each by its configuration. Of others nothing of it is done.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Configuration
from ...schemas.configuration.mapping import Place
from ...schemas.messages.block import LARGEST_WHOLE, Block, Whose
from ...schemas.messages.candidates import Candidates
from ...schemas.messages.pane import OOD, Pane
from ...schemas.messages.progress import InputPartition
from ..decode.interface import Columns
from ..reference.scored import Compared
from ..streams.buckets import Buckets
from ..streams.records import Records
from .awaiting import Join, Of, ids_of, joins
from .candidates import Keeping, Looked, Reviewed, levels_of, reviewed, told
from .references import References
from .sampled import Flagged
from .served import Served, served
from .unlike import Found, Stage, Unlike, nothing_found
from .waiting import Named, Side, Waiting

_NO_JOINS: Mapping[str, Join] = MappingProxyType({})
_NO_REVIEWS: Mapping[str, Reviewed] = MappingProxyType({})
_NOBODY_SERVED: Mapping[str, Served] = MappingProxyType({})
#: Where a pane's rows stand.
_PLACE = "stream", "topic", "topic_id", "partition", "first", "last", "bucket", "start", "about"
_NOTHING = np.zeros(0, dtype=np.int64)
Integers = NDArray[np.int64]


class Target(NamedTuple):
    """What a row counts for."""

    bucket: int
    model: str
    version: str
    reference: str | None
    since: int | None
    segment: str | None = None


class Asked(NamedTuple):
    """What the models of a stream ask for; how many partitions the joins topic has."""

    joins: Mapping[str, Join] = _NO_JOINS
    reviewed: Mapping[str, Reviewed] = _NO_REVIEWS
    partitions: int = 1
    served: Mapping[str, Served] = _NOBODY_SERVED

    @classmethod
    def of(cls, configuration: Configuration, stream: str) -> "Asked":
        """As configured."""
        return cls(
            joins(configuration, stream),
            reviewed(configuration, stream),
            configuration.topics.partitions,
            served(configuration, stream),
        )

    @property
    def waiting(self) -> bool:
        """Whether any rows wait in the joins topic."""
        return bool(self.joins or self.served)


ASKED_NOTHING = Asked()


class Rows(NamedTuple):
    """Decoded rows: which of the records each is, and the high water behind each of these."""

    columns: Columns
    records: Records
    places: Integers
    waters: Integers


@dataclass
class Kept:
    """Of one run."""

    unlike: dict[Target, Unlike] = field(default_factory=dict)  #: of all segments together
    waiting: dict[tuple[str, Side], Waiting] = field(default_factory=dict)  #: by join
    candidates: dict[Target, Keeping] = field(default_factory=dict)


class Version(NamedTuple):
    """Of decoded rows those of one model version in one bucket of one run; none that is refused."""

    kept: Kept
    target: Target
    inside: Integers


class Further:
    """Of one input partition. ``features``: whatever stands among the features of a payload."""

    def __init__(
        self,
        source: InputPartition,
        references: References,
        features: Callable[[bytes | None], Mapping[str, object]],
        asked: Asked,
        stage: Stage | None,
    ) -> None:
        self._source, self._references, self._features = source, references, features
        self._asked, self._stage = asked, stage or Stage(source, {})

    def waits(self, model: str) -> bool:
        """Whether its rows wait for labels."""
        return model in self._asked.joins

    def compares(self, model: str) -> bool:
        """Whether its rows are compared with a feature log."""
        return model in self._asked.served

    @property
    def reads_ids(self) -> bool:
        """Whether ids may have been read for something else than to be counted."""
        return bool(self._asked.joins or self._asked.reviewed)

    def subjects(self, target: Target) -> Sequence[Compared]:
        """What of a row is compared with the training data."""
        asked = target.reference is not None and self._stage.asked(target.model)
        return self._references.subjects(target.reference or "") if asked else ()

    def take(
        self, rows: Rows, versions: Callable[[], Iterable[Version]], subjects: int, refuse: Callable[[int, str], None]
    ) -> NDArray[np.uint8] | None:
        """Keep what is asked for of these rows; returns how like the training data they are, [n, subjects, 2].

        ``refuse``: is told of a record of which something that is asked for cannot be kept, and why.
        """
        if not (subjects or self.reads_ids or self._asked.served):
            return None
        all_ = list(versions())
        found = self._compare(rows, all_, subjects) if subjects else None
        for version in all_:
            if (join := self._asked.joins.get(version.target.model)) is not None:
                self._await(rows, version, join, "predictions", found, refuse)
            served = self._asked.served.get(version.target.model)
            if served is not None and version.target.reference is not None:
                self._await(rows, version, served, "served", None, refuse)
            candidates = self._asked.reviewed.get(version.target.model)
            if candidates is not None and version.target.reference is not None:
                self._keep(rows, version, candidates, found)
        return None if found is None else found.scored

    def pane(self, kept: Kept, pane: Pane, counts: Integers | None) -> tuple[list[Pane], list[Flagged]]:
        """What is said beside a pane of how alike the training data its rows are, and its flagged rows; empty where nothing can be said."""
        target = Target(pane.bucket, pane.model, pane.version, pane.reference, pane.since)
        if not self._stage.asked(target.model) or target.since is None:
            return [], []
        unlike, subjects = kept.unlike.pop(target, None) or Unlike(), self.subjects(target)
        beside = Pane(
            **pane.model_dump(include={*_PLACE, "model", "version", "segment", "reference", "since", "rows"}),
            counts=_NOTHING if counts is None else counts,
            flagged=tuple(one.flagged for one in unlike.kept),
            masked=unlike.masked(subjects),
            inside=unlike.inside,
            of=OOD,
        )
        return [beside], [Flagged(pane, subjects, unlike.kept)]

    def blocks(self, kept: Kept, stream: str, first: int, last: int, tiling: Buckets) -> list[Block]:
        """The rows of a run that wait."""
        found: list[Block] = []
        for (join, side), waiting in sorted(kept.waiting.items()):
            found += waiting.blocks(Named(join, stream, side, self._source), first, last, tiling, self._asked.partitions)
        return found

    def candidates(self, kept: Kept, stream: str, first: int, last: int) -> list[Candidates]:
        """The rows of a run that a sample may need."""
        named = [(target.bucket, *target[1:5], keeping) for target, keeping in kept.candidates.items()]
        return told(named, stream, self._source, first, last)

    def _compare(self, rows: Rows, versions: Iterable[Version], subjects: int) -> Found:
        offsets = rows.records.offsets[rows.places]
        found = nothing_found(len(offsets), subjects)
        asked = [(version, own) for version in versions if (own := self.subjects(version.target))]
        of_reference: dict[str | None, list[Integers]] = {}
        for version, _ in asked:
            of_reference.setdefault(version.target.reference, []).append(version.inside)
        for version, own in asked:  # of all buckets at once: a product of few rows costs several times as much a row
            if together := of_reference.pop(version.target.reference, None):
                self._stage.look(own, rows.columns, offsets, np.concatenate(together), found)
        for (kept, target, inside), own in asked:
            into = kept.unlike.setdefault(target, Unlike())
            self._stage.gather(target.model, own, rows.columns, offsets, inside, found, into=into)
        return found

    def _await(
        self, rows: Rows, version: Version, join: Join | Served, side: Side, unlike: Found | None, refuse: Callable[[int, str], None]
    ) -> None:
        target, reference = version.target, version.target.reference or ""
        of = Of(Whose(target.model, target.version, reference, target.since or 0), self._references.monitored(reference))
        waiting = version.kept.waiting.setdefault((join.name, side), Waiting())
        among = rows.places[version.inside]
        found, chosen = join.rows(rows.columns, rows.records, version.inside, among, of, waiting.code)
        found["bucket"], found["water"] = target.bucket, rows.waters[among[chosen]]
        if unlike is not None:
            found["outlier"] = unlike.outliers[version.inside[chosen]]
        if isinstance(join, Join):
            for place, packed in join.whole(rows.columns, of, version.inside[chosen], found):
                if len(packed) <= LARGEST_WHOLE:
                    waiting.keep(int(found["offset"][place]), packed)
                else:
                    refuse(int(among[chosen[place]]), f"no example: its features take {len(packed):,} bytes, of at most {LARGEST_WHOLE:,}")
        waiting.add(found)

    def _keep(self, rows: Rows, version: Version, candidates: Reviewed, unlike: Found | None) -> None:
        inside, among = version.inside, rows.places[version.inside]
        keeping = version.kept.candidates.setdefault(version.target, Keeping(candidates, self._source))
        looked = Looked(
            columns=rows.columns,
            inside=inside,
            offsets=rows.records.offsets[among],
            ids=partial(_ids, candidates.id, rows, inside),
            payloads=[rows.records.values[row] for row in among.tolist()],
            levels=None if unlike is None else levels_of(unlike.scored[inside]),
            monitored=self._references.monitored(version.target.reference or ""),
            features=self._features,
            compared=next((one for one in self.subjects(version.target) if one.profile.kind != "row"), None),
        )
        keeping.look(looked)


def _ids(place: Place | None, rows: Rows, inside: Integers, some: Integers) -> Sequence[object]:
    return ids_of(place, rows.columns, rows.records, inside[some], rows.places[inside[some]])
