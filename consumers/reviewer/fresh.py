"""Which answers become evidence of kind `reviewed`: of cases drawn uniformly, each once, by the first slot that is said behind its answer.

Its bucket is the newest slot that was said before the answer, so all of a bucket is told in front of progress through it, whoever folds the
reviews, and however fast. What counts is the word in force then: what is taken back or corrected at once was never said.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...schemas.messages.answered import AnsweredCase
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.pane import REVIEWED
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.messages.review import ReviewSlot
from .case import Case


@dataclass
class Fresh:
    """The cases of one partition that have been answered and are not told yet."""

    stream_of: Callable[[str], str]
    loss_of: Callable[[Case], AnsweredCase | None]  #: None: it has no label, or nothing was predicted
    place: InputPartition | None = None
    waiting: dict[str, dict[str, None]] = field(default_factory=dict)  #: by model, in the order of their first answers

    def answered(self, name: str, case: Case) -> None:
        """Take note of a case that has an answer."""
        if case.uniform_probability is not None and not case.told and case.labels():
            self.waiting.setdefault(case.model, {})[name] = None

    def told(self, offset: int, slot: ReviewSlot, newest: int, cases: Mapping[str, Case]) -> Iterator[Evidence | Progress]:
        """What is known when a slot is said behind the one that ends at ``newest``; ``cases``: those that there are."""
        assert self.place is not None
        for name in self.waiting.pop(slot.model, {}):
            case = cases.get(name)
            fact = None if case is None else self.loss_of(case)
            if case is None or fact is None:
                continue  # taken back: it is told with its next answer
            case.told = True
            yield Evidence(
                of=REVIEWED,
                stream=self.stream_of(slot.model),
                topic=self.place.topic,
                topic_id=self.place.topic_id,
                partition=self.place.partition,
                offset=offset,
                bucket=newest,
                about=case.slot,
                model=case.model,
                version=case.version,
                fact_id=name,
                fact=fact.model_dump(),
            )
        yield Progress(stream=slot.model, source=self.place, through=max(newest, slot.start), of=REVIEWED)

    def plain(self) -> dict[str, Any]:  # plain data for a snapshot
        """All that is remembered."""
        return {model: list(names) for model, names in self.waiting.items()}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """What `plain` wrote."""
        self.waiting = {model: dict.fromkeys(names) for model, names in plain.items()}
