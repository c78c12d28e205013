"""The topic of golden evaluations as a fold: what is to be run, what a result comes to, and what can no longer matter.

*Guarantee.* What `Fold.feed` says is a function of the records so far. An evaluation that is on the topic holds as it was said: of a
compacted topic, which has lost what an evaluation was made of, the fold comes to the same.

*Trap.* What a result is compared with is known only when the evaluations before it are on the topic: whoever runs requests publishes what
was said before it begins the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ...schemas.integers import Integers
from ...schemas.messages.golden import GoldenEvaluation, GoldenRequest, GoldenResult, GoldenStarted, Verdict, keyed
from .judging import Answers, compared, counts_of, joined, metrics_of, slices_of, spread_of, status_of, verdict_of

Said = GoldenRequest | GoldenStarted | GoldenResult | GoldenEvaluation
#: A request is tried so often: what calls a model may die of it.
MOST_ATTEMPTS = 3
#: Of a model: versions and sets that have an anchor. Of one that had its last evaluation before so many others the next begins anew.
MOST_ANCHORS = 20
#: Of a model: evaluations that stay on the topic; what was asked before that is run again if it is asked again.
MOST_REMEMBERED = 1_000
#: A version and a set.
Place = tuple[str, str | None]


class Todo(NamedTuple):
    """What the owner of the partition has to do; ``attempt`` None: it was tried often enough, a failed result is to be written."""

    request: GoldenRequest
    attempt: int | None


@dataclass
class _Series:
    """The evaluations of one model."""

    anchors: dict[Place, str] = field(default_factory=dict)  # the first that did not fail
    good: dict[Place, str] = field(default_factory=dict)  # the last that was good
    last_good: dict[str | None, str] = field(default_factory=dict)  # by set, of any version
    spreads: dict[Place, int] = field(default_factory=dict)
    evaluations: dict[str, GoldenEvaluation] = field(default_factory=dict)

    @property
    def needed(self) -> set[str]:
        """Requests whose answers are compared with again, and the newest of them, which people compare."""
        newest = list(self.evaluations)[-1:]
        return {*self.anchors.values(), *self.good.values(), *self.last_good.values(), *newest}


class Fold:
    """One partition of the topic.

    A request may stand behind its own starts and results: asked again, it has the same key, and of a compacted topic the last record stays.
    """

    def __init__(self) -> None:
        self._requests: dict[str, GoldenRequest] = {}  # those without an evaluation
        self._attempts: dict[str, int] = {}
        self._chunks: dict[str, dict[int, GoldenResult]] = {}
        self._series: dict[str, _Series] = {}
        self._answers: dict[str, Integers] = {}
        self._keys: dict[str, dict[str, None]] = {}  # by request, those of its records that are on the topic
        self._said: dict[str, GoldenEvaluation] = {}

    def feed(self, record: Said) -> list[GoldenEvaluation]:
        """Take one record; the evaluation that follows from it."""
        self._keys.setdefault(record.request, {})[record.key] = None
        match record:
            case GoldenEvaluation():
                self._hold(record)
            case GoldenRequest() if not self._done(record):
                self._requests.setdefault(record.request, record)
                return self._answered(record.request)
            case GoldenStarted() if not self._done(record) and record.attempt > self._attempts.get(record.request, 0):
                self._attempts[record.request] = record.attempt
                self._chunks.pop(record.request, None)
            case GoldenResult() if not self._done(record) and record.attempt == self._attempts.get(record.request, 0):
                self._chunks.setdefault(record.request, {})[record.chunk] = record
                return self._answered(record.request)
        return []

    def gone(self, key: bytes | None) -> None:
        """A tombstone: the record of this key is there no longer. One of a request that was not yet run withdraws it; one of the last start
        takes that back, and the same attempt is begun again.
        """
        found = keyed(key)
        if found is None or key is None:
            return
        keys = self._keys.get(found.request, {})
        keys.pop(key.decode(errors="replace"), None)
        if found.kind == "request" and found.request not in self._said:
            self._requests.pop(found.request, None)
        if found.kind == "started" and found.attempt == self._attempts.get(found.request) and not self._chunks.get(found.request):
            self._attempts[found.request] = found.attempt - 1
        if not keys:
            self._over_with(found.request)
            self._keys.pop(found.request, None)
            self._answers.pop(found.request, None)
            if series := self._series.get(found.model):
                series.evaluations.pop(found.request, None)

    @property
    def said(self) -> list[GoldenEvaluation]:
        """Evaluations that follow from the records, and are not among them."""
        return list(self._said.values())

    def todo(self) -> Iterator[Todo]:
        """The requests that have no result, in the order in which they came."""
        for id_, request in self._requests.items():
            if id_ not in self._said:
                attempt = self._attempts.get(id_, 0)
                yield Todo(request, attempt + 1 if attempt < MOST_ATTEMPTS else None)

    def knows(self, request: GoldenRequest) -> bool:
        """Whether it was asked for, or evaluated, already."""
        return request.request in self._requests or self._done(request)

    def attempts(self, request: str) -> int:
        """How often a request was started; 0 of one that is not to be run."""
        return self._attempts.get(request, 0) if request in self._requests else 0

    def evaluations(self, model: str) -> list[GoldenEvaluation]:
        """Those of a model that are on the topic, in their order."""
        return list(self._series[model].evaluations.values()) if model in self._series else []

    def answers(self, request: str) -> Integers | None:
        """By row, the losses of an evaluation, where they are still on the topic."""
        return self._answers.get(request)

    def over(self) -> list[str]:
        """Keys of records that can no longer matter: those of requests that were evaluated, but for the newest evaluations."""
        return [key for series in self._series.values() for key in self._over(series)]

    def _over(self, series: _Series) -> Iterator[str]:
        needed = series.needed
        forgotten = set(list(series.evaluations)[:-MOST_REMEMBERED]) - needed
        for request, evaluation in series.evaluations.items():
            if request not in needed:
                kept = {} if request in forgotten else {evaluation.key: None}
                yield from (key for key in self._keys.get(request, {}) if key not in kept)

    def _done(self, record: Said) -> bool:
        series = self._series.get(record.model)
        return series is not None and record.request in series.evaluations

    def _answered(self, id_: str) -> list[GoldenEvaluation]:
        """What a request comes to, if all of its result is there: of the last attempt that was started, and of no other."""
        request, parts = self._requests.get(id_), self._chunks.get(id_, {})
        chunks = [parts[number] for number in sorted(parts)]
        if id_ in self._said or not chunks or len(chunks) < chunks[0].chunks:
            return []
        answers = joined(chunks)
        self._answers[id_] = answers.primary
        if request is None:
            return []
        self._said[id_] = evaluation = self._judged(request, chunks[0].attempt, chunks[0], answers)
        return [evaluation]

    def _over_with(self, id_: str) -> None:
        for known in (self._requests, self._attempts, self._chunks, self._said):
            known.pop(id_, None)

    def _hold(self, evaluation: GoldenEvaluation) -> None:
        """An evaluation that is on the topic: it holds."""
        self._over_with(evaluation.request)
        series = self._series.setdefault(evaluation.model, _Series())
        series.evaluations[evaluation.request] = evaluation
        place = evaluation.version, evaluation.golden
        if evaluation.status != "failed":
            series.anchors.setdefault(place, evaluation.request)
            if evaluation.spread is not None:
                series.spreads.setdefault(place, evaluation.spread)
            if evaluation.good:
                series.good.pop(place, None)  # the newest is the last
                series.good[place] = series.last_good[evaluation.golden] = evaluation.request
            series.anchors[place] = series.anchors.pop(place)  # the newest place is the last
        for old in list(series.anchors)[:-MOST_ANCHORS]:
            del series.anchors[old]
            series.spreads.pop(old, None)
            if series.last_good.get(old[1]) == series.good.pop(old, None) and old[1] not in {golden for _, golden in series.anchors}:
                series.last_good.pop(old[1], None)
        needed = series.needed
        for request in [request for request in series.evaluations if request not in needed]:
            self._answers.pop(request, None)

    def _judged(self, request: GoldenRequest, attempt: int, first: GoldenResult, answers: Answers) -> GoldenEvaluation:
        series = self._series.get(request.model, _Series())
        status = status_of(answers.primary)
        place = request.version, first.golden or request.golden
        against, before = self._against(series, request, place)
        found = compared(answers.primary, before) if before is not None and status != "failed" else None
        spread = series.spreads.get(place)
        if request.spread and found is not None and series.anchors.get(place) == against:
            spread = spread_of(found) if spread is None else spread
        verdict: Verdict = "unknown" if status == "failed" else "first" if found is None else verdict_of(found, request.tolerance, spread)
        return GoldenEvaluation(
            request=request.request,
            model=request.model,
            version=request.version,
            golden=place[1],
            cause=request.cause,
            named=request.named,
            asked=request.asked,
            answered=first.answered,
            status=status,
            attempt=attempt,
            loss=next(iter(answers.losses), None),
            rows=len(answers.primary),
            counts=counts_of(answers.primary),
            metrics=metrics_of(answers, answers.primary >= 0),
            slices=slices_of(answers, before if found else None),
            verdict=verdict,
            good=status != "failed" and verdict != "worse",
            against=against if found else None,
            against_version=series.evaluations[against].version if found and against in series.evaluations else None,
            last_good=series.last_good.get(place[1]),
            spread=spread,
            latency_ms=first.latency_ms,
            answered_by=first.answered_by,
            reasons=first.reasons,
            realised=request.realised,
            estimated=request.estimated,
            common=0 if found is None else found.common,
            change=None if found is None else found.relative,
            change_units=None if found is None else found.change,
            was_units=None if found is None else found.was,
        )

    def _against(self, series: _Series, request: GoldenRequest, place: Place) -> tuple[str | None, Integers | None]:
        """The anchor of this version on this set; else the last good one of its parent on it, else that of any version.

        Where it is asked how a version does beside its parent, what it has lost itself before says nothing: another version's alone.
        """
        of_parent = None if request.parent is None else series.good.get((request.parent, place[1]))
        if request.parent in (None, request.version) or request.spread:
            found = series.anchors.get(place) or of_parent or series.last_good.get(place[1])
        else:
            others = (good for (version, golden), good in reversed(series.good.items()) if golden == place[1] and version != place[0])
            found = of_parent or next(others, None)
        return found, None if found is None else self._answers.get(found)
