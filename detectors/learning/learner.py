"""One model's learner: two candidates score every prediction and learn from every label, and the better one serves.

*Slow* is the anchor: it serves first, and whenever labels are not to be believed. *Fast* follows the stream. Candidates are compared by
what they said when the prediction was made, not by what they would say when its label comes: then they have learnt from what came between.

While it is *held* nothing is learnt but from labels that people have reviewed, and slow serves. It is held by reviewers who disagree with
the labels, and by whoever says that a pipeline is broken; both take it back to before that began, and whoever served then serves again when
it goes on. Only one that had learnt next to nothing by then goes on learning: it would stand still at that, where some wrong labels among
many do less harm.
"""

from collections import OrderedDict
from collections.abc import Mapping
from itertools import groupby
from typing import Any, Literal, NamedTuple

import msgspec

from . import served
from .audit import Audit
from .candidates import FAST, SLOW, Candidate, Features, Kind
from .contest import Contest, advantage

NAMES: tuple[str, str] = ("slow", "fast")
_ANCHOR = 0
#: Labels from which candidates of a former release have learnt: it did not count them.
_GROWN = 1 << 40
#: Parts of a wait, in which what waits is written.
_BANDS = 32
What = Literal["serves", "held", "released", "begun"]


class Settings(NamedTuple):
    """How one learns. Times are in ms."""

    kind: Kind = "logistic"
    seed: int = 0
    wait: int = 86_400_000  #: a prediction waits so long for its label
    backtest: int = 10_000  #: labels before anybody can win, and before it stands still while held
    every: int = 86_400_000  #: from one state that can be gone back to, to the next
    kept: int = 40  #: such states


class Scores(NamedTuple):
    """What the candidates say of a prediction, and who of them serves."""

    slow: float
    fast: float
    serving: int

    @property
    def served(self) -> float:
        """What is answered."""
        return self[self.serving]


class Compared(NamedTuple):
    """A label, and what was said when its prediction was made."""

    about: int
    scores: Scores
    version: float | None  #: what the model that is watched said
    label: bool


class Change(NamedTuple):
    """Another one serves, or it is held, or goes on."""

    what: What
    serving: int
    why: str
    since: int | None = None  #: of a hold: what was learnt since then is forgotten; None: nothing is


class Learnt(NamedTuple):
    """What a label did."""

    compared: Compared | None = None
    changes: tuple[Change, ...] = ()


class _Row(msgspec.Struct, array_like=True):
    """A prediction that waits for labels. Features are forgotten when it has been learnt from."""

    at: int
    features: dict[str, float | str | bool | None]
    slow: float
    fast: float
    serving: int
    version: float | None
    label: bool | None = None
    labelled: int = 0  #: when
    reviewed: bool | None = None

    @property
    def scores(self) -> Scores:
        """What was said."""
        return Scores(self.slow, self.fast, self.serving)


class _Past(msgspec.Struct, array_like=True):
    """What the candidates had learnt by a time, and who served."""

    at: int
    states: tuple[bytes, bytes]
    age: int = _GROWN
    serving: int = _ANCHOR


class _State(msgspec.Struct, array_like=True):
    """All that a learner remembers."""

    audit: list[Any]
    contest: list[Any]
    holds: dict[str, int]
    rows: dict[str, int]
    waiting: list[tuple[str, _Row]]
    states: tuple[bytes, bytes]
    past: list[_Past]
    age: int = _GROWN
    young: bool = False


class Learner:
    """A pure function of predictions, labels and holds, in their order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._candidates = self._new()
        self._contest, self._audit = Contest(settings.backtest), Audit()
        self._holds: dict[str, int] = {}  # who holds it, and since when
        self._waiting = OrderedDict[str, _Row]()  # by id, in their order; its first is found at once, whatever has left
        self._past: list[_Past] = []
        self._age = 0  # labels from which the candidates have learnt, as they stand
        self._young = False  # as of the hold
        self.rows = {"scored": 0, "compared": 0, "learnt": 0, "expired": 0}

    def _new(self) -> list[Candidate]:
        own = self._settings
        return [Candidate(own.kind, pace, own.seed + place) for place, pace in enumerate((SLOW, FAST))]

    @property
    def held(self) -> bool:
        """Whether labels are not to be believed."""
        return self._audit.disbelieved or bool(self._holds)

    @property
    def serving(self) -> int:
        """Which of `NAMES`."""
        return _ANCHOR if self.held else self._contest.serving

    @property
    def log_evidence(self) -> float:
        """That the one who does not serve is better."""
        return self._contest.log_evidence

    def score(self, features: Features) -> Scores:
        """What the candidates say of a row; nothing is remembered of it."""
        slow, fast = (candidate.score(features) for candidate in self._candidates)
        return Scores(slow, fast, self.serving)

    def predicted(self, at: int, row: str, features: Features, version: float | None = None) -> Scores | None:
        """A prediction, at its step; ``version``: what the model that is watched said. None: it waits already."""
        self._to(at)
        if row in self._waiting:
            return None
        scores = self.score(features)
        self._waiting[row] = _Row(at, dict(features), *scores, version)
        self.rows["scored"] += 1
        return scores

    def labelled(self, at: int, row: str, label: bool, *, reviewed: bool = False) -> Learnt:
        """A label, at its step; of one prediction the first of users and the first of reviewers count."""
        self._to(at)
        waiting = self._waiting.get(row)
        if waiting is None or (waiting.reviewed if reviewed else waiting.label) is not None:
            return Learnt()
        first = waiting.label is None and waiting.reviewed is None
        if reviewed:
            waiting.reviewed = label
        else:
            waiting.label, waiting.labelled = label, at
        changes = self._audited(waiting)
        if waiting.features and (reviewed or self._young or not self.held):
            changes += self._learnt(waiting, label, compare=first)
        compared = None
        if first:
            compared = Compared(waiting.at, waiting.scores, waiting.version, label)
            self.rows["compared"] += 1
        return Learnt(compared, changes)

    def hold(self, at: int, who: str, since: int) -> tuple[Change, ...]:
        """Somebody says that rows are broken: what was learnt since then is forgotten, and nothing learnt until they `release` it."""
        self._to(at)
        known = self._holds.get(who)
        if known is not None and known <= since:
            return ()
        self._holds[who] = since
        return self._back(since, f"held by {who}")

    def release(self, at: int, who: str) -> tuple[Change, ...]:
        """They say that all is well."""
        self._to(at)
        if self._holds.pop(who, None) is None or self.held:
            return ()
        return (Change("released", self.serving, f"released by {who}"),)

    def holding(self) -> tuple[Change, ...]:
        """That it is held, of each who does so now; nothing is forgotten by that."""
        why = [f"held by {who}" for who in self._holds]
        if self._audit.disbelieved:
            why.append("reviewers disagree with the labels")
        return tuple(Change("held", _ANCHOR, one) for one in why)

    def _to(self, at: int) -> None:
        """Time goes on: what waited too long leaves, and what was learnt by now is kept."""
        own = self._settings
        while self._waiting:
            row, oldest = next(iter(self._waiting.items()))
            if at - oldest.at <= own.wait:
                break
            del self._waiting[row]
            self.rows["expired"] += oldest.label is None and oldest.reviewed is None
        if not self._past or at - self._past[-1].at >= own.every:
            self._past.append(_Past(at, self._states(), self._age, self._contest.serving))
            del self._past[: -own.kept]

    def _audited(self, row: _Row) -> tuple[Change, ...]:
        if row.label is None or row.reviewed is None:
            return ()
        found = self._audit.take(row.labelled, agrees=row.label == row.reviewed)
        if found == "found":
            return self._back(self._audit.onset, "reviewers disagree with the labels")
        if found == "cleared" and not self.held:
            return (Change("released", self.serving, "reviewers agree with the labels"),)
        return ()

    def _learnt(self, row: _Row, label: bool, *, compare: bool) -> tuple[Change, ...]:
        changed = compare and not self.held and self._contest.take(advantage(row.slow, row.fast, label))
        for candidate in self._candidates:
            candidate.learn(row.features, label)
        row.features = {}
        self._age += 1
        self.rows["learnt"] += 1
        return (Change("serves", self.serving, "it has won"),) if changed else ()

    def _back(self, since: int, why: str) -> tuple[Change, ...]:
        """To what had been learnt before a time, as far back as is kept, unless that is next to nothing."""
        before = next((past for past in reversed(self._past) if past.at <= since), self._past[0])
        self._young = before.age < self._settings.backtest
        if not self._young:
            del self._past[self._past.index(before) + 1 :]
            self._candidates, self._age = self._restored(before.states), before.age
        self._contest.serve(before.serving)
        return (Change("held", _ANCHOR, why, None if self._young else since),)

    def _states(self) -> tuple[bytes, bytes]:
        slow, fast = (candidate.written() for candidate in self._candidates)
        return slow, fast

    def _restored(self, states: tuple[bytes, bytes]) -> list[Candidate]:
        return [candidate.restored(content) for candidate, content in zip(self._new(), states, strict=True)]

    def written(self) -> bytes:
        """All that is remembered, as plain data; the same of the same."""
        return self._written(list(self._waiting.items()), self._past)

    def _written(self, waiting: list[tuple[str, _Row]], past: list[_Past]) -> bytes:
        of = self._audit.plain(), self._contest.plain(), self._holds, self.rows, waiting, self._states(), past, self._age, self._young
        return msgspec.msgpack.encode(_State(*of))

    def parts(self) -> dict[str, bytes]:
        """The same in parts, most of which stay as they are: states that can be gone back to, and what waits, by when it came."""
        parts, band = {"": self._written([], [])}, max(self._settings.wait // _BANDS, 1)
        parts |= {f"past/{one.at}": msgspec.msgpack.encode(one) for one in self._past}
        for number, rows in groupby(self._waiting.items(), lambda row: row[1].at // band):
            parts[f"waiting/{number}"] = msgspec.msgpack.encode(list(rows))
        return parts

    @classmethod
    def of_parts(cls, settings: Settings, parts: Mapping[str, bytes]) -> "Learner":
        """The learner that wrote `parts`. Raises `ValueError` where it did not."""
        found = cls.read(settings, parts[""])
        named = sorted((kind, int(number), part) for name, part in parts.items() for kind, _, number in [name.partition("/")] if kind)
        found._past = [msgspec.msgpack.decode(part, type=_Past) for kind, _, part in named if kind == "past"]
        bands = (msgspec.msgpack.decode(part, type=list[tuple[str, _Row]]) for kind, _, part in named if kind == "waiting")
        found._waiting = OrderedDict(row for band in bands for row in band)
        return found

    @classmethod
    def anew(cls, settings: Settings, parts: Mapping[str, bytes]) -> "Learner":
        """One that has learnt nothing, in the place of the learner of other settings that wrote `parts`: what is not to be believed is so,
        whoever learns from it.
        """
        state, found = msgspec.msgpack.decode(parts[""], type=_State), cls(settings)
        found._holds, found._audit = state.holds, Audit.of(state.audit)
        found._young = found.held and settings.backtest > 0
        return found

    def model(self, features: Mapping[str, served.FeatureKind]) -> bytes:
        """The candidate that serves, as plain data, with the features that it knows."""
        own, which = self._settings, self.serving
        return served.written(own.kind, own.seed + which, which, self._candidates[which].written(), features)

    @classmethod
    def read(cls, settings: Settings, content: bytes) -> "Learner":
        """The learner that `written` wrote. Raises `ValueError` where it did not."""
        state = msgspec.msgpack.decode(content, type=_State)
        found = cls(settings)
        found._audit, found._contest = Audit.of(state.audit), Contest.of(settings.backtest, state.contest)
        found._holds, found.rows = state.holds, state.rows
        found._waiting, found._past = OrderedDict(state.waiting), state.past
        found._candidates, found._age, found._young = found._restored(state.states), state.age, state.young
        return found
