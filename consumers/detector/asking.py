"""Who asks for golden evaluations of models: one lane of the detector, by schedule, and where an episode is major.

A slot is a multiple of ``every``. It is asked for when completeness passes it, so by no wall clock, and whoever folds the same log asks for
the same. Of several that are passed at once only the newest is.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ...detectors.golden.schedule import slot_reached
from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.golden import GoldenRequest
from ...schemas.messages.pane import OTHERS
from ..reference.golden_records import request_of

#: Versions of a model that one slot asks for, those heard last: where something else is taken for the version, each row has its own.
MOST_VERSIONS = 5
#: Slots without a row behind which a model is asked for no more: it is retired, or serves nobody. The first row begins it again.
MOST_QUIET = 3
#: Episodes that are remembered to have been asked for; of the longest forgotten one it would be asked again, under the same id.
MOST_EPISODES = 1_000


def tested(configuration: Configuration, *, labelled: bool, of: str) -> frozenset[str]:
    """The models with a golden set that this lane asks for by schedule: ``of`` is the stream of predictions, or that of labels."""
    models = configuration.models.items()
    if labelled:
        return frozenset(name for name, model in models if model.golden is not None and model.labels == of)
    return frozenset(
        name for name, model in models if model.golden is not None and model.labels is None and configuration.stream_of(name) == of
    )


@dataclass
class Asking:
    """What one lane of a summaries partition has heard, and asked for."""

    configuration: Configuration
    models: Collection[str]  #: those that are asked for by schedule
    heard: dict[str, dict[str, int]] = field(default_factory=dict)  #: by model and version, the newest bucket with rows, ms
    slots: dict[str, int] = field(default_factory=dict)  #: by model, the last one that was passed
    episodes: dict[str, None] = field(default_factory=dict)  #: those that were asked for

    def hear(self, model: str, version: str, bucket: int) -> None:
        """There are rows of this version in the bucket that ends then."""
        if model in self.models and version != OTHERS:
            versions = self.heard.setdefault(model, {})
            versions[version] = max(bucket, versions.get(version, bucket))
            if len(versions) > MOST_VERSIONS:
                del versions[min(versions, key=lambda name: (versions[name], name))]

    def asked(self, through: int, events: Iterable[object]) -> Iterator[GoldenRequest]:
        """What is to be asked for when all is complete ``through`` then, and these events have been told."""
        for event in events:
            yield from self.told(event)
        for model, versions in sorted(self.heard.items()):
            golden = self.configuration.models[model].golden
            before = self.slots.get(model)
            if golden is None or not versions or (slot := slot_reached(before, through, golden.every)) is None:
                continue
            self.slots[model] = slot.end
            newest = max(versions, key=lambda version: (versions[version], version))
            if versions[newest] <= slot.end - MOST_QUIET * golden.every:
                self.heard[model] = {}
                continue
            named = self.configuration.streams[self.configuration.stream_of(model)].pane.place(slot.end)
            for version in sorted(one for one, heard in versions.items() if one == newest or before is None or heard > before):
                request = request_of(self.configuration, model, version, golden.set, "slot", named, slot.end)
                yield request.model_copy(update={"passed_over": slot.passed_over})
            self.heard[model] = {newest: versions[newest]}

    def told(self, event: object) -> Iterator[GoldenRequest]:
        """What an event asks for: of an episode once, when it is major, as it opens, or later. Of records that cannot be read not even the
        version is known.
        """
        if not isinstance(event, DriftEvent):
            return
        settings = self.configuration.models.get(event.model)
        if settings is None or settings.golden is None or event.kind == "unreadable":
            return
        if event.status != "resolved" and event.severity == "major" and event.episode not in self.episodes:
            self.episodes[event.episode] = None
            if len(self.episodes) > MOST_EPISODES:
                del self.episodes[next(iter(self.episodes))]
            yield request_of(
                self.configuration, event.model, event.version, settings.golden.set, "episode", event.episode, max(event.time, 0)
            )
        elif event.status == "resolved":
            self.episodes.pop(event.episode, None)

    def plain(self) -> list[Any]:  # plain data for a snapshot
        """All that is remembered."""
        return [self.heard, self.slots, list(self.episodes)]

    def restore(self, plain: list[Any]) -> None:
        """What `plain` wrote; of models that are no longer asked for here nothing."""
        if plain:
            heard, slots, episodes = plain
            self.heard.update({model: versions for model, versions in heard.items() if model in self.models})
            self.slots.update({model: slot for model, slot in slots.items() if model in self.models})
            self.episodes.update(dict.fromkeys(episodes))
