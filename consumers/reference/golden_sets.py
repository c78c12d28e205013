"""Golden sets: where they are kept, which there are of a model on the compacted models topic, and which is in use."""

import msgspec

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.golden_set import MOST_NAMED, GoldenAnnouncement
from ...schemas.stored.golden import Difference, GoldenSet
from ...schemas.unusable import Unusable
from ..bus.addressing import addressed
from ..bus.interface import Bus, Output
from ..bus.own import Foreign, Unreadable, content, owner
from ..bus.table import Table
from .artifacts import ArtifactError, ArtifactStore

#: In the artifact store.
FOLDER = "golden"


def store_of(configuration: Configuration) -> ArtifactStore:
    """Where golden sets are kept."""
    return ArtifactStore(configuration.artifacts, FOLDER)


def read_set(store: ArtifactStore, name: str) -> GoldenSet:
    """The golden set of that hash."""
    content = store.get(name)
    try:
        return GoldenSet.decoded(content)
    except ValueError as error:
        msg = f"artifacts: {name} cannot be read by this release: {error}; was it built by a newer one? Build it again with this one"
        raise ArtifactError(msg) from error


class NoGoldenSet(Unusable):
    """A model has none. The message says what to do."""


class AnnouncedSets:
    """Those of an application, as far as they are announced now."""

    def __init__(self, bus: Bus, configuration: Configuration) -> None:
        self._configuration = configuration
        self._table: Table[bytes, GoldenAnnouncement] = Table(bus, configuration.topics.models, _key, self._read)
        self._table.refresh()

    def of(self, model: str) -> list[GoldenAnnouncement]:
        """All of a model, the one announced last at the end."""
        return sorted((one for one in self._table.facts.values() if one.model == model), key=lambda one: one.announced)

    def in_use(self, model: str) -> str:
        """The hash of the set that a model is tested on: the configured one, else the one announced last. Raises `NoGoldenSet`."""
        settings = self._configuration.models[model].golden if model in self._configuration.models else None
        if settings is None:
            msg = f"models.{model}.golden is not set; write golden: {{call: {{kserve: {{url: ...}}}}}} (docs/golden.md)"
            raise NoGoldenSet(msg)
        found = self.of(model)
        if settings.set is None and not found:
            msg = f"{model} has no golden set; build one: driftbus golden build {model} FILE --label COLUMN"
            raise NoGoldenSet(msg)
        return settings.set or found[-1].golden

    def _read(self, key: bytes, value: bytes, headers: Headers) -> GoldenAnnouncement:
        return read(self._configuration.application, key, value, headers)


def is_one(key: bytes) -> bool:
    """Whether a record of the models topic announces a golden set."""
    return key.startswith(b"golden/")


def read(application: str, key: bytes, value: bytes, headers: Headers) -> GoldenAnnouncement:
    """The announcement that a record holds. Raises `Foreign` and `Unreadable`."""
    said = content(lambda raw: GoldenAnnouncement.model_validate(msgspec.json.decode(raw)), value)
    if said.key.encode() != key:
        msg = f"an announcement under the key of another: {said.key[:200]}"
        raise Unreadable(msg)
    whose = owner(headers)
    if whose not in (None, application):
        raise Foreign(str(whose))
    return said


def announcement(golden: GoldenSet, now: int, parent: str | None, difference: Difference | None) -> GoldenAnnouncement:
    """Of a set, with what it has that its parent had not."""
    added, removed, changed = difference or Difference((), (), ())
    return GoldenAnnouncement(
        model=golden.model,
        golden=golden.hash,
        rows=len(golden.rows),
        announced=now,
        parent=parent,
        added=len(added),
        removed=len(removed),
        changed=len(changed),
        added_ids=added[:MOST_NAMED],
        removed_ids=removed[:MOST_NAMED],
    )


def announced(configuration: Configuration, one: GoldenAnnouncement) -> Output:
    """The record of an announcement."""
    return addressed(configuration, configuration.topics.models, one, None)


def _key(key: bytes) -> bytes | None:
    return key if is_one(key) else None  # other kinds of announcements share the topic
