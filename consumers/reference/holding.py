"""Which reference holds for a row, and how the row is counted against it: what profilers ask."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ...detectors.counting import Counting
from ...detectors.counting.magnitudes import most_looked_at, one_in
from ...schemas.configuration import Configuration, Personal
from ...schemas.stored.reference import ProfiledField, Reference
from ..bus.interface import Bus
from ..decode.interface import AsOf
from ..decode.personal import ModelRules, rules_of
from ..decode.table import form_of
from ..streams.grain import grain
from .announce import Announcements
from .artifacts import ArtifactStore
from .embedding import check_embedder
from .familiar import Familiar
from .kept import Kept
from .scored import Compared

#: References that stay prepared for counting, and bins of them, beyond those that are in turn.
MOST_PREPARED, MOST_PREPARED_BINS = 256, 1 << 19
#: Questions, per reference kept, after which one that nobody asked for is out of turn. A round of rows asks up to ten times for each.
PATIENCE = 32
#: Questions between two looks at which announcements can hold no more.
FORGET_EVERY = 1_000
#: No bucket ends so late.
NEVER = 1 << 62

#: Announcements are looked for so often; in every turn where hands act on a record clock: their producer waits for what they announce, and
#: what comes of its next rows must not depend on how fast it was.
REFRESH_EVERY_S = 1.0


class Holding(NamedTuple):
    """The reference that holds for a model version in a bucket; ``reference`` None: none does; ``since`` None: none was ever announced."""

    reference: str | None
    since: int | None


class Monitored(NamedTuple):
    """How a reference's rows are decoded and counted."""

    fields: Sequence[ProfiledField]
    shape: tuple[object, ...]  #: equal for references whose rows decode alike
    counting: Counting
    known: frozenset[str] = frozenset()  #: names among the features that are watched, or left out on purpose
    rules: ModelRules | None = None  #: what is made of users' data; None: nothing
    one_in: int | None = None  #: of how many rows one is looked at closely; None: nobody looks for causes
    most_looked_at: int = 0  #: rows of a pane's run that are, at most
    times: tuple[AsOf, ...] = ()  #: as of which features' values are
    as_of: Mapping[str, int] = MappingProxyType({})  #: by feature, which of these


class HeldReferences:
    """The announcements, read to their end at the start, with the artifacts they name.

    An artifact that cannot be read stops the profiler with a clear error: its model is never taken for unmonitored. A reference that was
    built by other rules for personal data than the model has now holds for no row: nothing that they leave out is counted by it.
    """

    def __init__(self, bus: Bus, configuration: Configuration, store: ArtifactStore) -> None:
        self._announcements = Announcements(bus, configuration)
        self._configuration, self._store = configuration, store
        self._retired: dict[str, int] = {}
        self._rules = {name: rules_of(configuration, name) for name in configuration.models}
        self._amiss: dict[tuple[str, str], bool] = {}  # by model and reference
        self._monitored = Kept(self._prepared, MOST_PREPARED, MOST_PREPARED_BINS, PATIENCE)
        self._asked = any(model.ood is not None for model in configuration.models.values())
        self._familiar = Familiar(store)
        self._subjects = Kept(self._of, MOST_PREPARED, MOST_PREPARED, PATIENCE)
        self._every_s = 0.0 if any(stream.act for stream in configuration.streams.values()) else REFRESH_EVERY_S
        self._oldest = self._oldest_before = NEVER  # of the buckets asked for since the last look, and since the one before
        self._questions = 0
        self.refresh()

    def refresh(self) -> None:
        """Take note of what has been announced since; it holds for rows that have not been counted."""
        if self._announcements.refresh():
            self._retired = self._announcements.retired()
        self._refreshed = time.monotonic()

    def keep_up(self) -> None:
        """In every turn: `refresh` where it is time to."""
        if time.monotonic() - self._refreshed >= self._every_s:
            self.refresh()

    def holding(self, model: str, version: str, bucket: int) -> Holding:
        """Which reference holds in the bucket that ends then."""
        self._oldest = min(self._oldest, bucket)
        self._questions += 1
        if self._questions % FORGET_EVERY == 0:
            self._announcements.forget(min(self._oldest, self._oldest_before))
            self._monitored.only(self._announcements.named())
            self._subjects.only(self._announcements.named())
            self._oldest, self._oldest_before = NEVER, self._oldest
        announcement = self._announcements.holding(model, version, bucket)
        if announcement is None or (announcement.reference is not None and self._other_rules(model, announcement.reference)):
            return Holding(None, None)
        return Holding(announcement.reference, announcement.since)

    def holding_of(self, model: str, bucket: int) -> list[str]:
        """The references that hold for any version of a model in that bucket, the newest first."""
        held = [(version, self.holding(model, version, bucket)) for version in self._announcements.versions(model)]
        found = sorted((-(one.since or 0), version, one.reference) for version, one in held if one.reference is not None)
        return list(dict.fromkeys(reference for _, _, reference in found))

    def _other_rules(self, model: str, reference: str) -> bool:
        """Whether a reference was built by other rules for personal data than the model's."""
        known = self._amiss.get((model, reference))
        if known is None:
            if len(self._amiss) >= MOST_PREPARED:
                self._amiss.clear()
            rules = self._rules.get(model) or ModelRules(model, Personal())
            known = self._amiss[model, reference] = rules.amiss(self.monitored(reference).fields) is not None
        return known

    def retired(self, stream: str) -> dict[str, int]:
        """The models of a stream of which no version is left, each with the boundary from which on that is so."""
        return {model: since for model, since in self._retired.items() if self._configuration.stream_of(model) == stream}

    def monitored(self, reference: str) -> Monitored:
        """How rows are counted against it."""
        return self._monitored(reference)

    def subjects(self, reference: str) -> tuple[Compared, ...]:
        """What of its rows is compared with the training data; none, where its model has no ``ood:``."""
        return self._subjects(reference) if self._asked else ()

    def announced(self, model: str) -> bool:
        """Whether there was ever a reference of this model, of whatever version."""
        return model in self._announcements.models

    def _of(self, reference: str) -> tuple[tuple[Compared, ...], int]:
        profile = self._store.reference(reference)
        settings = self._configuration.models.get(profile.model)
        if settings is None or settings.ood is None:
            return (), 1
        check_embedder(self._configuration, profile)
        return self._familiar.subjects(profile), 1

    def _prepared(self, reference: str) -> tuple[Monitored, int]:
        profile = self._store.reference(reference)
        monitored = self._for_causes(prepared(profile)._replace(rules=self._rules.get(profile.model)), profile)
        return monitored, monitored.counting.layout.size

    def _for_causes(self, monitored: Monitored, profile: Reference) -> Monitored:
        """With what is counted where causes are looked for."""
        name, model = profile.model, self._configuration.model(profile.model)
        if model.diagnosis is None:
            return monitored
        pane = self._configuration.streams[self._configuration.stream_of(name)].pane
        length = grain(profile, pane, model.season, model.rate)
        places = {field.name: self._configuration.as_of(name, field.name) for field in profile.fields if field.role == "feature"}
        as_of = {field: AsOf(place.path, model.zone) for field, place in places.items() if place is not None}
        times = tuple(dict.fromkeys(as_of.values()))
        return monitored._replace(
            shape=(*monitored.shape, times),
            one_in=one_in(profile.rate or model.rate, length),
            most_looked_at=most_looked_at(pane.milliseconds, length),
            times=times,
            as_of={field: times.index(own) for field, own in as_of.items()},
        )


def prepared(profile: Reference) -> Monitored:
    """How rows are counted against a reference."""
    known = frozenset((*(field.name for field in profile.fields if field.role == "feature"), *profile.ignored))
    return Monitored(profile.fields, (*map(_shape, profile.fields), profile.ids is not None), Counting(profile), known)


def _shape(field: ProfiledField) -> tuple[object, ...]:
    """What decides how a field is decoded."""
    parse, size = form_of(field.values)
    return field.name, field.role, field.type, parse, size, field.nulls, field.zone, field.rule
