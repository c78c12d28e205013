"""A golden set as the source of a reference: its features; and its outputs, where an evaluation says what the model answered."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import UNSET

from ....schemas.configuration import Configuration
from ....schemas.integers import Integers
from ....schemas.stored.golden import GoldenSet
from ...bus.interface import Bus
from ..golden_records import folded
from ..golden_sets import AnnouncedSets, read_set, store_of
from .columns import Chunk, Column, Key, UnusableReference, column_of

PREDICTION, SCORE = Key("prediction", "prediction"), Key("score", "score")


class GoldenSource:
    """The rows of a set, in its order; it has no times."""

    def __init__(self, golden: GoldenSet, outputs: Mapping[Key, Sequence[object]]) -> None:
        self.label = f"golden set {golden.hash}"
        self._golden, self._outputs = golden, outputs

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """All rows at once: a set is small."""
        names = dict.fromkeys(name for row in self._golden.rows for name in row.features)
        wanted = keys if keys is not None else [*(Key("feature", name) for name in names), *self._outputs]
        columns = {key: column for key in wanted if (column := self._column(key)) is not None}
        yield Chunk(len(self._golden.rows), None, columns)

    def _column(self, key: Key) -> Column | None:
        if key.role == "feature":
            return column_of([row.features.get(key.name, UNSET) for row in self._golden.rows])
        return column_of(list(self._outputs[key])) if key in self._outputs else None

    def remarks(self) -> Sequence[str]:
        """Whether outputs are watched."""
        if self._outputs:
            return []
        return ["prediction and score are not watched: no evaluation says what the model answered (docs/golden.md)"]


def golden_source(bus: Bus, configuration: Configuration, model: str, version: str) -> GoldenSource:
    """The set that is in use, with what the version answered on it."""
    settings = configuration.model(model).golden
    announced = AnnouncedSets(bus, configuration).of(model)
    name = settings.set if settings is not None and settings.set is not None else announced[-1].golden if announced else None
    if name is None:
        msg = f"models.{model}.reference: {model} has no golden set; build one: driftbus golden build {model} FILE --label COLUMN"
        raise UnusableReference(msg)
    golden = read_set(store_of(configuration), name)
    losses = _answered(bus, configuration, model, version, golden)
    return GoldenSource(golden, {} if losses is None else outputs_of(golden, losses))


def _answered(bus: Bus, configuration: Configuration, model: str, version: str, golden: GoldenSet) -> Integers | None:
    """By row, what the newest good and complete evaluation lost."""
    if configuration.topics.golden not in bus.describe([configuration.topics.golden]):
        return None
    fold = folded(bus, configuration, model)
    for one in reversed(fold.evaluations(model)):
        if (one.version, one.golden, one.status, one.good) == (version, golden.hash, "complete", True):
            losses = fold.answers(one.request)
            if losses is not None and len(losses) == len(golden.rows):
                return losses
    return None


def outputs_of(golden: GoldenSet, losses: Integers) -> dict[Key, Sequence[object]]:
    """What was answered, as far as labels and losses say it: of two classes the class, or the probability of the second.

    Of numbers they say how far off an answer was, and not to which side; of more classes that another one was answered, and not which.

    >>> from driftbus.schemas.stored.golden import GoldenRow, golden_set
    >>> rows = [GoldenRow(id=name, features={}, label=label) for name, label in (("a", "no"), ("b", "yes"))]
    >>> list(outputs_of(golden_set("m", "zero_one", rows), np.array([0, 1 << 20])).values())
    [['no', 'no']]
    >>> list(outputs_of(golden_set("m", "brier", rows), np.array([1 << 18, 0])).values())
    [[0.5, 1.0]]
    """
    if len(golden.classes) != 2:
        return {}
    second = np.array([row.label == golden.classes[1] for row in golden.rows], dtype=bool)
    if golden.loss == "zero_one":
        return {PREDICTION: [golden.classes[place] for place in (second ^ (losses > 0)).astype(int).tolist()]}
    lost = np.ldexp(losses.astype(np.float64), -golden.places)
    of_right = np.exp(-lost) if golden.loss == "log_loss" else 1 - np.sqrt(lost)
    return {SCORE: np.where(second, of_right, 1 - of_right).tolist()}
