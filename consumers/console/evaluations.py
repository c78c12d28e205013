"""How models did on their golden sets, and what is still to be asked, as the golden topic tells it."""

from dataclasses import dataclass

from ...detectors.golden.fold import Fold
from ...schemas.configuration import Configuration
from ...schemas.messages.golden import FROM_NOTHING
from ..bus.interface import Bus, TopicPartition
from ..reference.golden_records import folded, place_of


@dataclass(frozen=True)
class ModelEvaluations:
    """Of a model that has a golden set."""

    model: str
    open: int  #: requests without an evaluation
    attempt: int  #: of the first of these; 0: it has not begun
    version: str | None = None  #: and the rest, of the newest evaluation; None: there is none
    status: str | None = None
    verdict: str | None = None
    change: float | None = None
    cause: str | None = None
    answered: int | None = None  #: ms


def loss_change(relative: float | None) -> str:
    """A change of the loss, as people read it.

    >>> loss_change(0.062), loss_change(FROM_NOTHING), loss_change(None)
    ('+6.2%', 'from none', '-')
    """
    return "-" if relative is None else "from none" if relative == FROM_NOTHING else f"{relative:+.1%}"


def evaluations(bus: Bus, configuration: Configuration) -> list[ModelEvaluations]:
    """Of all models that have a golden set; none where the topic is missing."""
    if configuration.topics.golden not in bus.describe([configuration.topics.golden]):
        return []
    folds, found = dict[TopicPartition, Fold](), list[ModelEvaluations]()
    for model in sorted(name for name, settings in configuration.models.items() if settings.golden is not None):
        place = place_of(configuration, model)
        fold = folds[place] if place in folds else folds.setdefault(place, folded(bus, configuration, model))
        waiting = [todo.request.request for todo in fold.todo() if todo.request.model == model]
        attempt = fold.attempts(waiting[0]) if waiting else 0
        known = fold.evaluations(model)
        if not known:
            found.append(ModelEvaluations(model, len(waiting), attempt))
            continue
        last = known[-1]
        found.append(
            ModelEvaluations(model, len(waiting), attempt, last.version, last.status, last.verdict, last.change, last.cause, last.answered)
        )
    return found
