"""Proposals of golden sets on the compacted models topic: those that wait for a person."""

import msgspec

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.golden_proposal import KEYS, GoldenProposal
from ..bus.addressing import addressed
from ..bus.interface import Bus, Output
from ..bus.own import Foreign, Unreadable, content, owner
from ..bus.table import Table
from .golden_sets import AnnouncedSets


def proposals(bus: Bus, configuration: Configuration) -> list[GoldenProposal]:
    """Those of an application that were neither accepted nor rejected, the oldest first."""
    topic = configuration.topics.models
    table: Table[bytes, GoldenProposal] = Table(bus, topic, _key, lambda key, value, headers: _read(configuration, key, value, headers))
    table.refresh()
    sets = AnnouncedSets(bus, configuration)
    waiting = [one for one in table.facts.values() if all(one.golden != known.golden for known in sets.of(one.model))]
    return sorted(waiting, key=lambda one: (one.proposed, one.golden))


def written(configuration: Configuration, one: GoldenProposal) -> Output:
    """The record of a proposal."""
    return addressed(configuration, configuration.topics.models, one.model_copy(update={"application": configuration.application}), None)


def withdrawn(configuration: Configuration, one: GoldenProposal) -> Output:
    """What takes it back."""
    return written(configuration, one)._replace(value=None, headers=())


def _read(configuration: Configuration, key: bytes, value: bytes, headers: Headers) -> GoldenProposal:
    said = content(lambda raw: GoldenProposal.model_validate(msgspec.json.decode(raw)), value)
    if said.key.encode() != key:
        msg = f"a proposal under the key of another: {said.key[:200]}"
        raise Unreadable(msg)
    whose = said.application or owner(headers)
    if whose not in (None, configuration.application):
        raise Foreign(str(whose))
    return said


def _key(key: bytes) -> bytes | None:
    return key if key.startswith(KEYS) else None  # other kinds of announcements share the topic
