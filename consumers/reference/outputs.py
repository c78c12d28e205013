"""What a version answers, where its reference has its features alone: whether, and from when on, it comes to be watched."""

from collections.abc import Iterable

from ...schemas.configuration import Configuration
from ...schemas.messages.announcement import FROM_START, Announcement
from ...schemas.messages.model_event import ModelEvent
from ...schemas.stored.reference import Reference
from .announce import NEVER, Announcements

#: Rows without which nobody knows what a version usually answers.
FEWEST = 5_000


def outputs_in(reference: Reference) -> list[str]:
    """Those that it has, by the names of their fields."""
    return [field.name for field in reference.fields if field.role != "feature"]


def untimed(configuration: Configuration, model: str) -> str | None:
    """Why no rows of some time on the model's topic can become a part of its reference, and what to do; None: they can."""
    name = configuration.stream_of(model)
    stream = configuration.streams[name]
    if configuration.model(model).season is not None:
        return f"models.{model}.season: a few days do not fill its hours; build the reference anew: driftbus reference build {model}"
    if stream.pane.unit == "rows":
        return f"{model} has panes of {stream.pane}, which know no times; build the reference anew: driftbus reference build {model}"
    if len(stream.topics) > 1:
        return f"streams.{name}.topics: {len(stream.topics)} topics; build the reference anew from a file of their rows"
    return None


def answers(configuration: Configuration, model: str) -> bool:
    """Whether a model's messages hold what it answers."""
    mapping = configuration.streams[configuration.stream_of(model)].mapping
    return mapping.prediction is not None or mapping.score is not None


def come_by_themselves(configuration: Configuration, model: str) -> bool:
    """Whether a registrar adds them to a version's reference, once there are `FEWEST` rows: where streams are live, and it promotes."""
    live = configuration.streams[configuration.stream_of(model)].clock == "live"
    promoted = configuration.model(model).promotion is not None
    return live and promoted and answers(configuration, model) and untimed(configuration, model) is None


def by_hand(configuration: Configuration, model: str, version: str) -> str:
    """What a person does to have them watched, where they do not come by themselves."""
    return untimed(configuration, model) or f"when it has answered {FEWEST:,}: driftbus reference outputs {model} {version}"


def of_their_jobs(announced: Announcements, events: Iterable[ModelEvent]) -> list[Announcement]:
    """What holds in the end, from some boundary on, of versions that are watched by the reference that their job made: none is retired,
    and nobody has announced another one since.
    """
    made = {(one.model, one.version, one.reference) for one in events if one.kind == "registered"}
    versions = sorted({(model, version) for model, version, reference in made if reference is not None})
    found = (announced.holding(model, version, NEVER) for model, version in versions)
    held = [one for one in found if one is not None and one.reference is not None and one.since != FROM_START]
    return [one for one in held if (one.model, one.version, one.reference) in made]
