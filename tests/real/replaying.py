"""A file through the product: bytes in, events out."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.bus.tail import DriftTopic
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import parsed
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.replay.offline import load
from driftbus.consumers.replay.picture import DrawnEpisode, episodes
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import Reference

from .worlds import World


def replayed(world: World, folder: Path, changed: Callable[[Reference], Reference] | None = None) -> list[DrawnEpisode]:
    """The episodes that ``driftbus replay`` tells of, the reference perhaps ``changed`` before it is announced."""
    folder.mkdir(exist_ok=True)
    settings = parsed(world.configuration)
    offline, _ = load(settings, world.table, None, "-", folder)
    with closing(open_bus(offline)) as bus:
        if changed is not None:
            (model,) = settings.models
            name = ArtifactStore(offline.artifacts).put(changed(reference_of(settings, model, "-")).encoded())
            announce(bus, offline, from_start(model, "-", name, 0))
        with closing(Pipeline(bus, offline)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        events = DriftTopic(bus, offline, from_start=True).new()
    return episodes(event for event in events if isinstance(event, DriftEvent))


def untempered(reference: Reference) -> Reference:
    """As if its rows had been independent of each other."""
    return Reference.model_validate(_untempered(reference.model_dump()))


def _untempered(plain: Any) -> Any:  # what a model dumps: any JSON
    if isinstance(plain, dict):
        return {key: _ones(value) if key == "tau" else _untempered(value) for key, value in plain.items()}
    return [_untempered(one) for one in plain] if isinstance(plain, list | tuple) else plain


def _ones(tau: float | Sequence[float]) -> float | list[float]:
    return 1.0 if isinstance(tau, float) else [1.0] * len(tau)


def touches(episode: DrawnEpisode, name: str, of: str = "values") -> bool:
    """Whether that signal was ever in it."""
    return any((signal.name, signal.of) == (name, of) for signal in episode.last.signals)
