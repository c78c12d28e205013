"""What a reviewer may answer: yes or no, one of the classes, or a number; in the words of the model's label stream."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from ...schemas.configuration import Configuration, Labels
from ...schemas.messages.review import ReviewRequest
from ...schemas.stored.outcomes import Task
from ...schemas.stored.reference import CategoricalProfile, NumericProfile, Reference
from ..decode.outcomes import NoOutcome, Outcomes
from ..reference.artifacts import ArtifactError, ArtifactStore
from .desk import Desk, Label, Refused

#: Of numbers that are answers; JSON has larger ones, which no float is.
_LARGEST = sys.float_info.max
#: References that are remembered.
_MOST_KNOWN = 64


class Choice(NamedTuple):
    """One answer: its value as it travels, its name, and the letter that stands for it beside its number."""

    value: Label
    name: str
    letter: str | None = None


class Question(NamedTuple):
    """What is asked about a case."""

    text: str
    task: Task
    choices: tuple[Choice, ...] = ()  #: none of a number

    def checked(self, label: object, labels: Labels | None) -> Label:
        """The label, if it answers this question. Raises `Refused`."""
        if self.task == "number":
            if isinstance(label, bool) or not isinstance(label, int | float) or not -_LARGEST <= label <= _LARGEST:
                msg = f"label {label!r:.100}: a number is asked for"
                raise Refused(msg)
            return label
        found = next((choice.value for choice in self.choices if choice.value == label and type(choice.value) is type(label)), None)
        if found is None:
            names = ", ".join(str(choice.value) for choice in self.choices[:10])
            msg = f"label {label!r:.100}: it is none of those asked for: {names}"
            raise Refused(msg)
        if labels is not None:
            try:
                Outcomes(labels).of(found)
            except NoOutcome as error:
                msg = f"label {error}, as the model's label stream reads it"
                raise Refused(msg) from None
        return found


class Questions:
    """What is asked about each case of a desk. ``names``: the labels, where the user names them himself."""

    def __init__(self, configuration: Configuration, store: ArtifactStore, desk: Desk, names: Sequence[str] = ()) -> None:
        self._configuration, self._store, self._desk, self._names = configuration, store, desk, tuple(names)
        self._references: dict[str, Reference | None] = {}

    def labels_of(self, model: str) -> Labels | None:
        """The label stream of a model."""
        name = self._configuration.model(model).labels
        return None if name is None else self._configuration.labels[name]

    def __call__(self, request: ReviewRequest) -> Question:
        """That about a case. Where no reference says the classes, they are what was predicted of any case."""
        labels = self.labels_of(request.model)
        if self._names:
            return _of_classes(self._names)
        reference = self._reference(request.reference)
        predicted = next((one.values for one in reference.fields if one.role == "prediction"), None) if reference else None
        task = _task(predicted, request) if labels is None else labels.outcome
        if task == "number":
            return Question("What is the right number?", task)
        if task == "binary":
            return _of_two(None if labels is None else labels.positive)
        if isinstance(predicted, CategoricalProfile):
            return _of_classes(predicted.categories)
        predictions = (one.prediction for one in self._desk.requests() if one.model == request.model)
        return _of_classes(sorted({str(one) for one in (request.prediction, *predictions) if one is not None}))

    def _reference(self, name: str | None) -> Reference | None:
        if name is None:
            return None
        if name not in self._references:
            if len(self._references) >= _MOST_KNOWN:
                self._references.clear()
            try:
                self._references[name] = self._store.reference(name)
            except ArtifactError:
                self._references[name] = None  # the reviewer may still answer: by what was predicted
        return self._references[name]


def _task(predicted: object, request: ReviewRequest) -> Task:
    """Without a label stream: by the reference, else by the prediction itself."""
    if isinstance(predicted, NumericProfile):
        return "number"
    if isinstance(predicted, CategoricalProfile):
        return "binary" if predicted.boolean else "category"
    if isinstance(request.prediction, str):
        return "category"
    return "binary" if request.prediction is None or isinstance(request.prediction, bool) else "number"


def _of_two(positive: str | None) -> Question:
    if positive is None:
        return Question("What is right?", "binary", (Choice(True, "yes", "y"), Choice(False, "no", "n")))
    return Question("What is right?", "binary", (Choice(positive, positive, "y"), Choice(False, f"not {positive}", "n")))


def _of_classes(names: Sequence[str]) -> Question:
    return Question("What is right?", "category", tuple(Choice(name, name) for name in dict.fromkeys(names)))
