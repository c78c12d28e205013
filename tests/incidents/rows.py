"""What an incident's streams carried, window by window: whole columns, with the times at which they are on the bus."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Column = Floats | NDArray[np.object_]  #: numbers, NaN where absent; texts, None where absent

#: Windows of the baseline, and monitored; of an hour each.
WINDOWS = 24
HOUR = 3_600_000
BEGINNING = 1_700_000_000_000 - 1_700_000_000_000 % (24 * HOUR)


@dataclass
class Rows:
    """One window. What is None was not there."""

    number: int  #: of the window; negative ones are the baseline's
    features: dict[str, Column]  #: as served
    scores: Floats
    invalid: dict[str, Truths] = field(default_factory=dict)  #: rows in which a feature is of another type; served as absent
    outcomes: Floats | None = None
    ages: dict[str, Floats] | None = None  #: minutes
    sampled: NDArray[np.int64] | None = None  #: rows of which the training pipeline's values are known
    offline: dict[str, Column] | None = None  #: these, by feature

    @property
    def paired(self) -> dict[str, tuple[Column, Column]] | None:
        """Online and offline values of the sampled rows."""
        if self.offline is None or self.sampled is None:
            return None
        return {name: (self.features[name][self.sampled], column) for name, column in self.offline.items()}

    @property
    def times(self) -> NDArray[np.int64]:
        """Of every row, ms: evenly over the window."""
        rows = len(self.scores)
        return self.end - HOUR + (np.arange(rows) * HOUR + HOUR // 2) // max(rows, 1)

    @property
    def end(self) -> int:
        """ms."""
        return BEGINNING + (self.number + 1) * HOUR


@dataclass
class Table:
    """Data, a model's task in it, and where its features come from."""

    name: str
    binary: bool
    features: dict[str, Column]
    outcomes: Floats
    numeric: list[str]
    sources: dict[str, str]
    important: list[str]  #: numeric features that the model leans on
    segment: NDArray[np.int64]  #: of traffic, by which its mix swings with the season
    novel: Truths = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))  #: a corner that training never saw
    withheld: Truths = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))  #: it, and what lies around it

    @property
    def categorical(self) -> list[str]:
        """The other features."""
        return [name for name in self.features if name not in self.numeric]


@dataclass
class Trained:
    """What a reference is made of: the training data, and what the model says of rows that it was not trained on."""

    table: Table
    rows: NDArray[np.int64]
    scores: Floats


@dataclass
class Incident:
    """A specification, what came of it, and the truth."""

    spec: dict[str, Any]  # as the suite's files have it
    trained: Trained
    windows: list[Rows]
    evaluated: list[tuple[int, float]]  #: number of the window, loss of the golden set
    deployed: list[int]  #: numbers of windows
    truth: list[dict[str, Any]]  # as the truth's files have it
