"""One partition of the examples as a fold: which step is complete, and whose rows are in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ...schemas.configuration import Configuration
from ...schemas.messages.example_words import ExampleAnswer, ExampleHold
from ...schemas.messages.examples import Examples
from ...schemas.messages.progress import Progress
from ...schemas.stored.snapshot import FORM, PartitionState
from ..reference.examples import Told
from ..streams.align import Aligned, Aligner, Pending, pending_offsets
from ..streams.buckets import Every
from ..streams.spans import Spans
from .one import One, Said

__all__ = ["Fold", "Said"]


class Fold:
    """The learners of one partition, and an aligner for each stream of labels: all partitions of the joins are waited for."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._settings = {name: model for name, model in configuration.models.items() if model.learner is not None}
        self._aligners: dict[str, Aligner[Examples]] = {}
        for model in self._settings.values():
            if model.labels is not None and model.labels in configuration.labels:
                tiling = Every(Spans.of(configuration, model.labels).pane)
                self._aligners[model.labels] = Aligner(tiling, None, streams=(model.labels,))
        self._ones: dict[str, One] = {}
        self._counts = {"learnt": 0, "steps": 0}
        self.changed = False

    def feed(self, offset: int, appended: int, fact: Told) -> list[Said]:
        """What follows from rows that are complete; a word waits for its step."""
        if isinstance(fact, ExampleAnswer | ExampleHold):
            if (one := self._one(fact.model)) is not None:
                one.hear(fact)
            return []
        join = fact.stream if isinstance(fact, Progress) else fact.join
        if (aligner := self._aligners.get(join)) is None:
            return []
        said: list[Said] = []
        for aligned in aligner.feed(offset, appended, fact):
            said += self._stepped(join, aligned)
        return said

    def _stepped(self, join: str, aligned: Aligned[Examples]) -> list[Said]:
        """The rows of a step: by partition of the joins, in the joiner's order."""
        rows: dict[str, list[Examples]] = {}
        for pending in sorted(aligned.panes, key=_order):
            rows.setdefault(pending.pane.model, []).append(pending.pane)
        for model in rows:
            self._one(model)
        said: list[Said] = []
        for model, one in sorted(self._ones.items()):
            if self._settings[model].labels == join:
                before = one.learnt
                said += one.step(aligned.end, rows.get(model, ()), ended=aligned.ended)
                self._counts["learnt"] += one.learnt - before
        self._counts["steps"] += 1
        return said

    def _one(self, model: str) -> One | None:
        """A model's learner; None: it has none."""
        if model not in self._ones and model in self._settings:
            self._ones[model] = One.begun(self._configuration, model)
        return self._ones.get(model)

    def due(self, now: int) -> Sequence[Said]:
        """Nothing: what is due is told by completeness."""
        return []

    def resumed(self) -> Sequence[Said]:
        """Who learns otherwise than before has begun anew."""
        self.changed, changed = False, self.changed
        return [said for one in self._ones.values() for said in one.resumed()] if changed else []

    def totals(self) -> Mapping[str, int]:
        """Rows learnt from, steps taken."""
        return self._counts

    def snapshot(self, position: int) -> tuple[PartitionState, dict[str, bytes]]:
        """Every learner in parts, most of which stay as they are."""
        numbers = {name: aligner.numbers() for name, aligner in self._aligners.items()}
        parts = {_name(model, part): content for model, one in self._ones.items() for part, content in one.parts().items()}
        pending, states = pending_offsets(numbers.values()), tuple(parts)
        return PartitionState(form=FORM, position=position, states=states, aligners=numbers, pending=pending), parts

    @classmethod
    def restored(cls, configuration: Configuration, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Told]) -> "Fold":
        """The fold that wrote `snapshot`. What a model learnt that has no learner any more is dropped."""
        fold, rows = cls(configuration), {offset: fact for offset, fact in facts.items() if isinstance(fact, Examples)}
        for name, aligner in fold._aligners.items():
            if name in state.aligners:
                fold._aligners[name] = Aligner.restored(aligner.buckets, None, state.aligners[name], rows, (name,))
        of_models: dict[str, dict[str, bytes]] = {}
        for name, content in parts.items():
            model, part = msgspec.json.decode(name, type=tuple[str, str])
            of_models.setdefault(model, {})[part] = content
        for model, own in of_models.items():
            if model in fold._settings:
                fold._ones[model] = one = One.restored(configuration, model, own)
                fold.changed |= one.anew
            else:
                fold.changed = True
        return fold


def _name(model: str, part: str) -> str:
    return msgspec.json.encode([model, part]).decode()


def _order(pending: Pending[Examples]) -> tuple[Any, ...]:
    rows = pending.pane
    return rows.topic_id, rows.partition, rows.first, rows.part
