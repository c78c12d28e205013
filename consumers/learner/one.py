"""One model's learner as it stands in the log: words that wait for their step, losses of the open interval, what is published when."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ...detectors.learning.candidates import CERTAIN
from ...detectors.learning.learner import NAMES, Change, Compared, Learner, Learnt, Settings
from ...detectors.learning.served import FeatureKind
from ...schemas.configuration import Configuration, LearnerOf
from ...schemas.identity import content_hash
from ...schemas.messages.example_words import ExampleAnswer, ExampleHold
from ...schemas.messages.examples import Examples, Features
from ...schemas.messages.learned import LearnedChange, LearnedLosses, LearnedModel, Serving
from ..streams.buckets import Every
from ..streams.spans import Spans

#: A word holds from the first step on that ends so long behind it, ms: by then it is here.
SETTLES = 60_000
#: Of losses in events: digits.
_DIGITS = 9


class Published(NamedTuple):
    """A model that serves from now on, and its content."""

    event: LearnedModel
    content: bytes


Said = LearnedChange | LearnedLosses | Published


class _Sums(msgspec.Struct):
    """Of one interval; by what was said: slow, fast, served, and by the model that is watched."""

    start: int = 0
    end: int = 0
    labels: int = 0
    losses: list[float] = msgspec.field(default_factory=lambda: [0.0] * 4)
    watched: int = 0

    def add(self, compared: Compared) -> None:
        """A label that became known."""
        said = [compared.scores.slow, compared.scores.fast, compared.scores.served]
        if compared.version is not None:
            said.append(compared.version)
            self.watched += 1
        for place, score in enumerate(said):
            self.losses[place] += loss(score, compared.label)
        self.labels += 1


def loss(score: float, label: bool) -> float:
    """The log loss of a probability.

    >>> round(loss(0.5, True), 3), round(loss(0.0, True), 6) == round(loss(1.0, False), 6)
    (0.693, True)
    """
    score = min(max(score, CERTAIN), 1 - CERTAIN)
    return -math.log(score if label else 1 - score)


class _Beside(msgspec.Struct):
    """What is remembered beside the learner itself."""

    identity: list[Any]  # of what learns: another one begins anew
    at: int | None = None  #: the last step
    changes: int = 0
    published: int = -1  #: rows learnt when a model was published last; -1: none was
    features: dict[str, FeatureKind] = {}
    sums: _Sums = msgspec.field(default_factory=_Sums)
    words: list[list[Any]] = []  # those that wait: when said, what of, and their fields


class One:
    """A learner, fed step by step."""

    def __init__(self, configuration: Configuration, model: str, learner: Learner, beside: _Beside) -> None:
        self._model, self._own, self._labels = model, _of(configuration, model), configuration.models[model].labels
        self._learner, self._beside = learner, beside
        self.anew = False

    @classmethod
    def begun(cls, configuration: Configuration, model: str) -> "One":
        """It has learnt nothing."""
        own = _of(configuration, model)
        return cls(configuration, model, Learner(_settings(configuration, model)), _Beside([own.kind, own.seed]))

    @classmethod
    def restored(cls, configuration: Configuration, model: str, parts: Mapping[str, bytes]) -> "One":
        """Who wrote `parts`; another kind of learner begins anew, at this place, and who held that one, or is about to, holds it, too."""
        beside = msgspec.msgpack.decode(parts["beside"], type=_Beside)
        found = cls.begun(configuration, model)
        if beside.identity == found._beside.identity:
            found._learner = Learner.of_parts(_settings(configuration, model), _without(parts, "beside"))
            found._beside = beside
        else:
            found._learner = Learner.anew(_settings(configuration, model), _without(parts, "beside"))
            found.anew, found._beside.at, found._beside.changes, found._beside.words = True, beside.at, beside.changes, beside.words
        return found

    @property
    def learnt(self) -> int:
        """Rows."""
        return self._learner.rows["learnt"]

    def parts(self) -> dict[str, bytes]:
        """All that is remembered."""
        return {"beside": msgspec.msgpack.encode(self._beside), **self._learner.parts()}

    def resumed(self) -> list[Said]:
        """That it begins anew, and who holds it."""
        if not self.anew or self._beside.at is None:
            return []
        begun = Change("begun", self._learner.serving, "it is to learn otherwise")
        return self._changed((begun, *self._learner.holding()), self._beside.at)

    def hear(self, word: ExampleAnswer | ExampleHold) -> None:
        """It holds from a later step on."""
        if isinstance(word, ExampleAnswer):
            self._beside.words.append([word.time, "answer", word.example, word.label])
        else:
            self._beside.words.append([word.time, "hold", word.incident, word.since])

    def step(self, end: int, rows: Sequence[Examples], *, ended: bool) -> list[Said]:
        """A step that is complete: holds that were said before it, its predictions and first labels, then what people answered."""
        at = self._beside.at = end if self._beside.at is None else max(end, self._beside.at)
        said = self._over(at)
        due = sorted((word for word in self._beside.words if word[0] + SETTLES < at), key=lambda word: word[0])
        if due:
            self._beside.words = [word for word in self._beside.words if word[0] + SETTLES >= at]
        changes: list[Change] = []
        for _, kind, who, since in due:
            if kind == "hold":
                changes += self._learner.release(at, who) if since is None else self._learner.hold(at, who, since)
        for examples in rows:
            for one in examples.predictions:
                self._name(one.features)
                self._learner.predicted(at, one.id, one.features, one.score)
            for outcome in examples.labels:
                changes += self._taken(self._learner.labelled(at, outcome.id, outcome.label == 1), at)
        for _, kind, example, label in due:
            if kind == "answer":
                changes += self._taken(self._learner.labelled(at, example, label == 1, reviewed=True), at)
        said += self._changed(changes, at)
        if self.learnt and (changes or self.learnt - max(self._beside.published, 0) >= self._own.publish_every):
            said.append(self._published(at))
        return [*said, *(self._losses() if ended else ())]

    def _taken(self, learnt: Learnt, at: int) -> tuple[Change, ...]:
        if learnt.compared is not None:
            sums = self._beside.sums
            if not sums.end:
                end = Every(self._own.losses).end(at - 1)
                sums.start, sums.end = end - self._own.losses, end
            sums.add(learnt.compared)
        return learnt.changes

    def _over(self, at: int) -> list[Said]:
        """What is told of an interval that is over."""
        if not self._beside.sums.end or at <= self._beside.sums.end:
            return []
        said, self._beside.sums = self._losses(), _Sums()
        return said

    def _losses(self) -> list[Said]:
        sums, learner = self._beside.sums, self._learner
        if not sums.labels:
            return []
        slow, fast, served = (round(sums.losses[place] / sums.labels, _DIGITS) for place in range(3))
        return [
            LearnedLosses(
                model=self._model,
                start=sums.start,
                end=sums.end,
                labels=sums.labels,
                slow=slow,
                fast=fast,
                served=served,
                watched=round(sums.losses[3] / sums.watched, _DIGITS) if sums.watched else None,
                watched_labels=sums.watched,
                serving=self._serving,
                held=learner.held,
                evidence=round(learner.log_evidence, _DIGITS),
            )
        ]

    def _changed(self, changes: Sequence[Change], at: int) -> list[Said]:
        found: list[Said] = []
        for change in changes:
            self._beside.changes += 1
            number, serving = self._beside.changes, _name_of(change.serving)
            found.append(
                LearnedChange(
                    model=self._model, at=at, number=number, what=change.what, serving=serving, why=change.why, since=change.since
                )
            )
        return found

    def _published(self, at: int) -> Published:
        content, self._beside.published = self._learner.model(self._beside.features), self.learnt
        event = LearnedModel(
            model=self._model,
            at=at,
            version=self._own.version,
            artifact=content_hash(content),
            learner=self._own.kind,
            serving=self._serving,
            held=self._learner.held,
            learnt=self.learnt,
        )
        return Published(event, content)

    @property
    def _serving(self) -> Serving:
        return _name_of(self._learner.serving)

    def _name(self, features: Features) -> None:
        known = self._beside.features
        for name, value in features.items():
            if name not in known and value is not None:
                known[name] = "text" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"


def _name_of(serving: int) -> Serving:
    return "fast" if NAMES[serving] == "fast" else "slow"


def _of(configuration: Configuration, model: str) -> LearnerOf:
    own = configuration.models[model].learner
    assert own is not None  # only of such models is there one
    return own


def _settings(configuration: Configuration, model: str) -> Settings:
    own, labels = _of(configuration, model), configuration.models[model].labels
    wait = own.wait if own.wait is not None or labels is None else Spans.of(configuration, labels).wait
    return Settings(own.kind, own.seed, wait or 0, own.backtest, own.every, own.kept)


def _without(parts: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    return {part: content for part, content in parts.items() if part != name}
