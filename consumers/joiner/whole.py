"""Predictions that are written down whole, and their first labels: what a learner needs, step by step."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...detectors.joining.joiner import Ledger, Told
from ...detectors.joining.rows import Happening, Unmatched
from ...schemas.configuration import Configuration
from ...schemas.messages.block import SCORE_ONE, Block
from ...schemas.messages.examples import Example, Examples, Outcome, features_of
from ...schemas.outcome import id_text

Rows = NDArray[np.void]
#: The model and the name of a version, by its code.
VersionOf = Callable[[int], tuple[str, str]]


def sampled(configuration: Configuration, join: str) -> dict[str, float]:
    """By model that has these labels and is written down, the share of its ids."""
    models = configuration.models.items()
    return {name: own.examples.sample for name, own in models if own.labels == join and own.examples is not None}


class Whole:
    """A ledger that remembers which labels became known, and makes examples of them and of the blocks of a step.

    Parameters
    ----------
    sampled
        By model, the share of ids that are written down.
    """

    def __init__(self, ledger: Ledger, join: str, sampled: Mapping[str, float], version_of: VersionOf) -> None:
        self._ledger, self._join, self._sampled, self._version_of = ledger, join, sampled, version_of
        self._labels: dict[tuple[int, str], list[Outcome]] = {}  # by step and model

    def add(self, step: int, happening: Happening) -> None:
        """Count it."""
        if self._sampled and happening.what == "first":
            for row in happening.rows:
                model, version = self._version_of(int(row["version"]))
                if model in self._sampled and _inside(int(row["hi"]), self._sampled[model]):
                    one = Outcome(id=id_text(int(row["hi"]), int(row["lo"])), version=version, label=int(row["label"]))
                    self._labels.setdefault((step, model), []).append(one)
        self._ledger.add(step, happening)

    def add_unmatched(self, step: int, unmatched: Unmatched) -> None:
        """As the ledger."""
        self._ledger.add_unmatched(step, unmatched)

    def arrivals(self, step: int) -> Iterable[Told]:
        """As the ledger."""
        return self._ledger.arrivals(step)

    def revisions(self) -> Iterable[Told]:
        """As the ledger."""
        return self._ledger.revisions()

    def told(self, blocks: Sequence[Block], ends: Sequence[int], again: int) -> list[Examples]:
        """What is new since the last call, by step and model. ``ends``: of every block; ``again``: in front of the bucket, what grows where
        time goes back.
        """
        predictions: dict[tuple[int, str], list[tuple[Any, Example]]] = {}
        for block, end in zip(blocks, ends, strict=True):
            if block.whole:
                for model, order, one in _examples(block):
                    if model in self._sampled:
                        predictions.setdefault((end, model), []).append((order, one))
        labels, self._labels = self._labels, {}
        found = []
        for step, model in sorted(predictions.keys() | labels.keys()):
            own = sorted(predictions.get((step, model), ()), key=lambda each: each[0])
            found.append(
                Examples(
                    join=self._join,
                    topic="",
                    topic_id="",
                    partition=0,
                    first=max(step, 0) + again,
                    bucket=step,
                    model=model,
                    predictions=tuple(one for _, one in own),
                    labels=tuple(labels.get((step, model), ())),
                )
            )
        return found


def _examples(block: Block) -> Iterable[tuple[str, Any, Example]]:
    """Of a block each prediction that it has whole, with its model and its place in the step's order."""
    halves, of = block.halves, block.of.tolist()
    waters, offsets, scores = (block.bucket + block.waters).tolist(), (block.first + block.offsets).tolist(), block.scores.tolist()
    for row, packed in enumerate(block.whole):
        if packed:
            whose, score = block.whose[of[row]], None if scores[row] < 0 else scores[row] / SCORE_ONE
            one = Example(id=id_text(*halves[row].tolist()), version=whose.version, score=score, features=features_of(packed))
            yield whose.model, (waters[row], block.topic, block.partition, offsets[row]), one


def _inside(hi: int, sample: float) -> bool:
    """As ids are sampled everywhere: those of a lower rate are among those of a higher one."""
    return sample >= 1 or hi < int(sample * 2**64)
