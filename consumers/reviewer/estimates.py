"""One partition of the reviews as a fold: requests and answers in, what they say of each interval out.

Requests are folded whoever wrote them, so a recording's are. Of several answers of one reviewer the last holds; the case counts by the
reviewer who answered first, the second one's answer is for agreement alone. What the model's labels say of a case stands beside the
answers: no estimate holds it. Answered cases that were drawn uniformly become evidence, too (`fresh`): the detector tests them.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...detectors.sampling.agreement import agreement
from ...detectors.sampling.estimate import hajek, hajek_mean
from ...schemas.configuration import Configuration, Labels
from ...schemas.messages.answered import AnsweredCase
from ...schemas.messages.pane import OTHERS
from ...schemas.messages.progress import InputPartition
from ...schemas.messages.review import TAKEN_BACK, ReviewAnswer, ReviewLabel, ReviewRequest, ReviewSlot, Value
from ...schemas.messages.reviewed import Reviewed, ReviewedMean, ReviewedShare
from ...schemas.outcome import number_of
from ...schemas.stored.snapshot import FORM, PartitionState
from ..decode.outcomes import NoOutcome, Outcomes
from ..streams.buckets import Every
from .case import Case, Word
from .facts import Fact, Said
from .fresh import Fresh

#: Reasons to skip a case that are told apart, the commonest; a reviewer may write what he likes.
MOST_REASONS = 20
#: How long a case waits for answers, by the slots that are said behind it.
OPEN_FOR = 14 * 86_400_000
#: Of a model without a stream of labels: an interval's length; what its labels are.
_ABOUT = Labels(topics=("-",)).about
_CLASSES = Labels(topics=("-",), outcome="category")


class Estimates:
    """The models of one partition."""

    changed = False

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._cases: dict[str, Case] = {}
        self._told_of: dict[tuple[str, int], list[Case]] = {}  # the same, by model and the end of their interval
        self._newest: dict[str, int] = {}  # by model, the end of the last slot that was said
        self._outcomes: dict[str, Outcomes] = {}
        self._counted = {"answers": 0, "answers_unknown": 0}
        self._fresh = Fresh(configuration.stream_of, self._loss)

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Where the next records stand."""
        self._fresh.place = place

    def feed(self, offset: int, appended: int, fact: Fact) -> list[Said]:
        """Take one record; returns what it changes."""
        if isinstance(fact, ReviewRequest):
            if fact.case not in self._cases:
                number, chances = self._number(fact), (fact.probability, fact.uniform_probability)
                self._add(fact.case, Case(fact.model, fact.version, fact.slot, number, *chances, reference=fact.reference))
            return []
        if isinstance(fact, ReviewSlot):
            return self._slot(offset, fact)
        if not isinstance(fact, ReviewAnswer | ReviewLabel):
            return []
        case = self._cases.get(fact.case)
        if isinstance(fact, ReviewLabel):
            return [] if case is None or case.model != fact.model else self._labelled(case, fact)
        if case is None or case.model != fact.model:
            self._counted["answers_unknown"] += 1
            return []
        self._counted["answers"] += 1
        if fact.skipped == TAKEN_BACK:
            case.said.pop(fact.reviewer, None)
        else:
            said: Word | None = fact.skipped if fact.skipped is not None else self._of(fact.model, fact.label)
            case.said[fact.reviewer] = "no label of this stream" if said is None else said
        self._fresh.answered(fact.case, case)
        return [self._told(case.model, case.version, case.slot)]

    def _slot(self, offset: int, fact: ReviewSlot) -> list[Said]:
        """What was answered before it is told, and how far that is complete; then what is known of its own interval."""
        own = fact.model, self._interval(fact.model).end(fact.slot - 1)
        for one in self._of_slot(own, fact.slot):
            one.complete, one.clock_decided = fact.complete, fact.clock_decided
        newest = self._newest.get(fact.model, fact.start)
        told: list[Said] = list(self._fresh.told(offset, fact, newest, self._cases))
        self._newest[fact.model] = max(fact.slot, newest)
        self._forget(fact.model)
        versions = sorted({one.version for one in self._of_slot(own, fact.slot)})
        return told + [self._told(fact.model, version, fact.slot) for version in versions]

    def _of_slot(self, interval: tuple[str, int], slot: int) -> Iterator[Case]:
        return (one for one in self._told_of.get(interval, ()) if one.slot == slot)

    def _loss(self, case: Case) -> AnsweredCase | None:
        """Of one case, by its first reviewer's last word."""
        labels, numeric = case.labels(), self._labels(case.model).outcome == "number"
        if not labels or case.predicted is None:
            return None
        loss = float(_off(labels[0], case.predicted)) if numeric else float(not case.right())
        return AnsweredCase(reference=case.reference, numeric=numeric, loss=loss, complete=case.complete, clock_decided=case.clock_decided)

    def _labelled(self, case: Case, fact: ReviewLabel) -> list[Said]:
        changed, case.label = fact.code != case.label, fact.code
        return [self._told(case.model, case.version, case.slot)] if changed and case.labels() else []

    def _add(self, name: str, case: Case) -> None:
        self._cases[name] = case
        self._told_of.setdefault((case.model, self._interval(case.model).end(case.slot - 1)), []).append(case)

    def _number(self, request: ReviewRequest) -> int | None:
        """Of a prediction; where there is none, of a score: by a half, or as the number that it is."""
        if request.prediction is not None:
            return self._of(request.model, request.prediction)
        if request.score is None:
            return None
        match self._labels(request.model).outcome:
            case "binary":
                return int(request.score >= 0.5)
            case "number":
                return self._of(request.model, request.score)
            case _:
                return None

    def _of(self, model: str, value: Value) -> int | None:
        if model not in self._outcomes:
            self._outcomes[model] = Outcomes(self._labels(model))
        try:
            return self._outcomes[model].of(value)
        except NoOutcome:
            return None

    def _labels(self, model: str) -> Labels:
        name = self._configuration.model(model).labels
        return _CLASSES if name is None else self._configuration.labels[name]

    def _interval(self, model: str) -> Every:
        """Intervals of performance, of whole slots: one belongs where it ends."""
        name = self._configuration.model(model).labels
        return Every(_ABOUT if name is None else self._configuration.labels[name].about)

    def _told(self, model: str, version: str, slot: int) -> Reviewed:
        tiles = self._interval(model)
        start, about = tiles.start(slot - 1), tiles.end(slot - 1)
        cases = [one for one in self._told_of[model, about] if one.version == version]
        known = [one for one in cases if one.labels()]
        numbers = self._labels(model).outcome == "number"
        judged = [one for one in cases if one.predicted is not None]
        uniform = [one for one in judged if one.uniform_probability is not None]
        pairs = agreement((labels[0], labels[1]) for one in known if len(labels := one.labels()) > 1)
        labelled = [(one.labels()[0], one.label) for one in known if one.label is not None]
        alike = agreement(labelled)
        return Reviewed(
            application=self._configuration.application,
            model=model,
            version=version,
            start=start,
            about=about,
            asked=len(cases),
            answered=len(known),
            skipped=_commonest(Counter(one.reason() for one in cases if one.said and not one.labels())),
            right=None if numbers else sum(one.right() for one in judged if one.labels()),
            all=_share([] if numbers else judged, _probability),
            uniform=_share([] if numbers else uniform, _uniform_probability),
            pairs=pairs.pairs,
            agreement=None if numbers else pairs.share,
            kappa=None if numbers else pairs.kappa,
            mae=_mean(judged, _probability) if numbers else None,
            mae_uniform=_mean(uniform, _uniform_probability) if numbers else None,
            labelled=len(labelled),
            as_labelled=None if numbers else alike.share,
            kappa_labelled=None if numbers else alike.kappa,
        )

    def _forget(self, model: str) -> None:
        """Cases that nobody will answer any more; an interval's all at once."""
        last = self._interval(model).start(self._newest[model] - OPEN_FOR)
        gone = [key for key in self._told_of if key[0] == model and key[1] <= last]
        if not gone:
            return
        for key in gone:
            del self._told_of[key]
        for case in [name for name, one in self._cases.items() if one.model == model and one.slot <= last]:
            del self._cases[case]

    def due(self, now: int) -> list[Said]:
        """Nothing."""
        return []

    def resumed(self) -> list[Said]:
        """Nothing."""
        return []

    def totals(self) -> Mapping[str, int]:
        """Answers, and those to nothing that was asked."""
        return self._counted

    def snapshot(self, position: int) -> tuple[PartitionState, dict[str, bytes]]:
        """The cases that may yet be answered."""
        parts: dict[str, dict[str, Any]] = {}  # plain data, by model
        for name, one in self._cases.items():
            parts.setdefault(one.model, {})[name] = one.plain()
        packed = {model: msgspec.msgpack.encode(cases) for model, cases in parts.items()}
        kept = {"newest": self._newest, "waiting": self._fresh.plain()}
        return PartitionState(form=FORM, position=position, states=tuple(packed), aligners={}, pending=(), fold=kept), packed

    @classmethod
    def restored(cls, configuration: Configuration, state: PartitionState, parts: Mapping[str, bytes]) -> "Estimates":
        """The fold that wrote `snapshot`."""
        fold = cls(configuration)
        fold._newest = dict(state.fold["newest"])
        fold._fresh.restore(state.fold.get("waiting", {}))  # unknown to former releases
        for model, packed in parts.items():
            for name, plain in msgspec.msgpack.decode(packed).items():
                fold._add(name, Case.restored(model, plain))
        return fold


def _commonest(reasons: Counter[str]) -> dict[str, int]:
    """As many as a record has room for; the others together."""
    order = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    further = sum(count for _, count in order[MOST_REASONS:])
    return dict(sorted(order[:MOST_REASONS])) | ({OTHERS: further} if further else {})


def _known(asked: list[Case], probability: Callable[[Case], float]) -> tuple[list[Case], NDArray[np.float64]]:
    """The answered cases and how likely each was to be known: those that nobody answered are taken to be missing by chance."""
    cases = [one for one in asked if one.labels()]
    return cases, np.array([probability(one) for one in cases]) * (len(cases) / max(len(asked), 1))


def _share(asked: list[Case], probability: Callable[[Case], float]) -> ReviewedShare:
    """Of right predictions."""
    cases, known = _known(asked, probability)
    if not cases:
        return ReviewedShare(cases=0)
    found = hajek(np.array([float(one.right()) for one in cases]), known)
    return ReviewedShare(cases=len(cases), share=found.share, low=found.low, high=found.high)


def _mean(asked: list[Case], probability: Callable[[Case], float]) -> ReviewedMean:
    """Of absolute errors."""
    cases, known = _known(asked, probability)
    if not cases:
        return ReviewedMean(cases=0)
    off = np.array([_off(one.labels()[0], one.predicted) for one in cases if one.predicted is not None])
    found = hajek_mean(off, known)
    mean, low, high = (number if math.isfinite(number) else None for number in found[:3])
    return ReviewedMean(cases=len(cases), mean=mean, low=low, high=high)


def _off(label: int, predicted: int) -> float:
    """How far a number is off, at most the largest there is."""
    numbers = number_of(np.array([label, predicted], dtype=np.int64))
    with np.errstate(over="ignore"):
        return float(np.minimum(np.abs(numbers[0] - numbers[1]), np.finfo(np.float64).max))


def _probability(one: Case) -> float:
    return one.probability


def _uniform_probability(one: Case) -> float:
    return one.uniform_probability or 1.0
