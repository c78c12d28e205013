"""What evidence a model has by its configuration, and whose progress says how far each kind of it is complete.

Models that have the same share an aligner: it holds a time until all of their kinds are complete through it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ...schemas.messages.episode import EPISODE
from ...schemas.messages.pane import AGREEMENT, ARRIVALS, OOD, PREDICTIONS, REVIEWED, REVISIONS, Pane
from ...schemas.messages.progress import InputPartition, Progress
from ..streams.lanes import Lane, lanes_of
from ..streams.slots import Slots
from .exhibit import Fact

#: Facts that the clerk copies, by the topic where they stand; golden evaluations only of models with a golden set.
MODEL, GOLDEN, FEEDBACK = "model", "golden", "feedback"
#: In which order a run takes what was cut at the same time.
ORDER = (PREDICTIONS, OOD, REVISIONS, AGREEMENT, GOLDEN, MODEL, EPISODE, FEEDBACK)


class Kinds(NamedTuple):
    """The evidence of some models.

    >>> str(Kinds("clicks", "outcomes", "warehouse", True))
    'clicks+outcomes+warehouse+golden'
    """

    stream: str
    labels: str | None = None
    log: str | None = None  #: of features
    golden: bool = False
    reviewed: str | None = None  #: the model that people are asked about: each has a lane of its own

    def __str__(self) -> str:
        """As a key in a snapshot, and in messages."""
        joins = (name for name in (self.labels, self.log) if name is not None)
        people = () if self.reviewed is None else (str(Lane(self.reviewed, REVIEWED)),)
        return "+".join((self.stream, *joins, *((GOLDEN,) if self.golden else ()), *people))

    @classmethod
    def of(cls, configuration: Configuration, model: str) -> "Kinds | None":
        """Of a model; None: nobody looks for its causes."""
        settings = configuration.model(model)
        if settings.diagnosis is None:
            return None
        log = None if settings.agreement is None else settings.agreement.log
        asked = None if settings.review is None else model
        return cls(configuration.stream_of(model), settings.labels, log, settings.golden is not None, asked)

    @classmethod
    def all(cls, configuration: Configuration) -> tuple["Kinds", ...]:
        """Of all models, those that are not listed among them."""
        of_models = (cls.of(configuration, model) for model in (*configuration.models, ""))
        return tuple(dict.fromkeys(one for one in of_models if one is not None))


def awaited(configuration: Configuration, kinds: Kinds) -> dict[str, tuple[str, ...]]:
    """By source, the topics whose partitions say how far it is complete, as `placed` names them."""
    topics = configuration.topics
    lanes = lanes_of(configuration, kinds.stream)
    found: dict[str, tuple[str, ...]] = {
        _named(PREDICTIONS, kinds.stream): configuration.streams[kinds.stream].topics,
        _named(MODEL, kinds.stream): (topics.models,),
        _named(FEEDBACK, kinds.stream): (topics.feedback,),
    }
    if kinds.labels is not None:
        found[_named(ARRIVALS, kinds.labels)] = (topics.joins,)
        lanes = (*lanes, Lane(kinds.labels, ARRIVALS))
    if kinds.reviewed is not None:
        lanes = (*lanes, Lane(kinds.reviewed, REVIEWED))
    if kinds.log is not None:
        found[_named(AGREEMENT, kinds.log)] = (topics.joins,)
    if kinds.golden:
        found[_named(GOLDEN, kinds.stream)] = (topics.golden,)
    by_source = {source: tuple(_named(source, topic) for topic in own) for source, own in found.items()}
    return by_source | {_named(EPISODE, str(lane)): (_named(EPISODE, str(lane)),) for lane in lanes}


def delays(configuration: Configuration, kinds: Kinds) -> dict[str, int]:
    """By source, how much later than the bucket that it is of something counts, ms: of reviews two slots.

    An answer is of the newest slot that was said when it was given, and that is known when the next one is said. So two slots behind it
    nobody has to be waited for, and all that is awaited beside it goes on in its own time.
    """
    if kinds.reviewed is None:
        return {}
    slots = Slots.of(configuration.models[kinds.reviewed], configuration.streams[kinds.stream].pane)
    assert slots is not None  # people are asked about it
    return {_named(EPISODE, str(Lane(kinds.reviewed, REVIEWED))): 2 * (slots.tiling.end(0) - slots.tiling.start(0))}


def source_of(fact: Fact) -> str:
    """In whose progress it is known that a fact is there."""
    return _named(fact.of, fact.topic if fact.of == EPISODE else fact.stream)


def kind_of(place: tuple[str, str, int]) -> str:
    """Of which kind a partition is complete that an aligner knows, or awaits."""
    kind = (place[0] or place[1]).partition("/")[0]
    return REVISIONS if kind == ARRIVALS else kind


def placed(progress: Progress) -> Progress:
    """Progress in the name of its kind: an aligner tells them apart by topics."""
    if progress.of == EPISODE:
        source = _named(EPISODE, progress.source.topic)
        return progress.model_copy(update={"stream": source, "source": InputPartition(topic=source, topic_id="", partition=0)})
    source = _named(progress.of, progress.stream)
    topics = tuple(one.model_copy(update={"topic": _named(source, one.topic)}) for one in progress.topics)
    place = progress.source.model_copy(update={"topic": _named(source, progress.source.topic)})
    return progress.model_copy(update={"stream": source, "source": place, "topics": topics})


def of_these(progress: Progress, topics: Mapping[str, tuple[str, ...]]) -> Progress | None:
    """Progress of what is awaited; None: it is of something else, or of a topic that is read no more."""
    own = topics.get(progress.stream)
    if own is None or progress.source.topic not in own:
        return None
    return progress.model_copy(update={"topics": tuple(one for one in progress.topics if one.topic in own)})


def belongs(fact: Fact, kinds: Kinds, topics: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a fact of a model with this evidence is one that is looked at; ``topics``: what is awaited.

    So is the end of every episode: what is tested no more ends with a note in the name of a lane that nobody awaits.
    """
    if isinstance(fact, Pane):
        streams = {PREDICTIONS: kinds.stream, OOD: kinds.stream, REVISIONS: kinds.labels, AGREEMENT: kinds.log}
        return fact.stream == streams.get(fact.of, "")
    if fact.of == EPISODE:
        return source_of(fact) in topics or fact.fact.get("status") == "resolved"
    return _named(fact.of, kinds.stream) in topics


def _named(source: str, name: str) -> str:
    return f"{source}/{name}"
