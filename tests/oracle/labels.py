"""The rules of the join of labels, executable: aligned steps of one joins partition in, outcomes out.

Not the product's code: no columns, no bytes, no speed. An oracle to test the product against, and a place to try a change of the rules
before making it.
Times are milliseconds. A bucket is named by its end; `step` is the bucket in which something was taken, `about` the one it belongs to.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from .streams import NEVER, Buckets


@dataclass(frozen=True)
class Join:
    buckets: Buckets
    about: Buckets  # performance is told for such intervals of prediction time
    revise: Buckets  # and revised so often, by label time
    wait: int  # a label counts if it comes so long after its prediction, at most
    early: int  # or so long before
    maturity: int | None = None  # arrivals are told of a prediction so long behind it, if labelled then; None: when it is labelled


class Prediction(NamedTuple):
    id: str
    model: str
    version: str
    place: str
    about: int
    predicted: int
    cell: int


class Label(NamedTuple):
    id: str
    value: int | None  # None retracts
    about: int
    model: str = ""  # empty: of every model
    revision: int = 0  # the user's own order: beats arrival


class Outcome(NamedTuple):
    """Sums. `about` None: of predictions whose outcome became known in this step, or whose maturity was over, each once; else a revision,
    signed."""

    bucket: int
    about: int | None
    version: tuple[str, str]  # of a model; a label that met nothing has the model that it names, and no version
    place: str
    sums: tuple[tuple[str, int], ...]


@dataclass
class Waiting:
    row: Prediction
    step: int
    label: tuple[tuple[int, int, int], int | None] | None = None  # (revision, step, order), value: what is in force
    known: int | None = None  # how long after its own bucket it had its first outcome
    ripe: bool = False

    @property
    def outcome(self) -> int | None:
        return None if self.label is None else self.label[1]


@dataclass
class Kept:
    """A label, for predictions that come later."""

    row: Label
    step: int
    order: int  # within its step
    matched: bool = False


Key = tuple[str, str, str]


def key(row: Prediction) -> Key:
    return row.id, row.model, row.version


@dataclass
class Joiner:
    """A pure fold of steps, each of predictions and labels in their order, and of completeness."""

    join: Join
    through: int = -NEVER  # buckets that are over
    at: int = -NEVER  # the bucket worked in
    rows: dict[Key, Waiting] = field(default_factory=dict)
    seen: dict[Key, int] = field(default_factory=dict)  # the last step with such a prediction, whether it counted or not
    labels: dict[str, list[Kept]] = field(default_factory=dict)
    revisions: dict[tuple[int, tuple[str, str], str], Counter[str]] = field(default_factory=dict)  # not yet told
    arrivals: dict[tuple[tuple[str, str], str], Counter[str]] = field(default_factory=dict)  # not yet told

    # -- time

    def take(self, step: int, predictions: list[Prediction], labels: list[Label]) -> list[Outcome]:
        out = self.passed(self.join.buckets.start(step - 1))
        out += self._to(step)
        self._expire(step)
        self._join(step, predictions, labels)
        return out + self._arrived(step)

    def passed(self, through: int) -> list[Outcome]:
        """Every bucket that ends at or before it is over: what is due in one expires in it; what was revised is told."""
        out: list[Outcome] = []
        if through > self.through:
            while due := [end for end in self._due() if end <= through]:
                step = min(due)
                out += self._to(step)
                self._expire(step)
                out += self._arrived(step)
            if (end := self._interval()) <= through:
                out += self._revise(end)
            self.through = through
            self.at = max(self.at, through)
        return out

    def ended(self, last: int) -> list[Outcome]:
        """All have ended: what is there is told, in the last bucket that there was."""
        return self.passed(self.join.buckets.start(last)) + self._revise(self.at)

    def _to(self, step: int) -> list[Outcome]:
        """What was revised in an interval is told before anything of a later one is counted."""
        out = self._revise(end) if (end := self._interval()) < step else []
        self.at = max(self.at, step)
        return out

    def _interval(self) -> int:
        return self.join.revise.end(self.at - 1)

    def _revise(self, bucket: int) -> list[Outcome]:
        out = [Outcome(bucket, *what, plain(sums)) for what, sums in sorted(self.revisions.items()) if plain(sums)]
        self.revisions = {}
        return out

    def _arrived(self, step: int) -> list[Outcome]:
        out = [Outcome(step, None, *what, plain(sums)) for what, sums in sorted(self.arrivals.items()) if plain(sums)]
        self.arrivals = {}
        return out

    def _over(self, since: int, span: int) -> int:
        """Alive while step - since <= span: the bucket in which something leaves."""
        return self.join.buckets.end(since + span)

    def _due(self) -> list[int]:
        kept = [self._over(label.step, self.join.early) for labels in self.labels.values() for label in labels]
        if self.join.maturity is not None:
            kept += [self._over(row.step, self.join.maturity) for row in self.rows.values() if not row.ripe]
        return kept + [self._over(row.step, self.join.wait) for row in self.rows.values()]

    def _expire(self, step: int) -> None:
        for row in self.rows.values():
            if self.join.maturity is not None and not row.ripe and self._over(row.step, self.join.maturity) <= step:
                row.ripe = True
                self._first(row, "due", 1)
                self._count(row.row, "due", 1)
                if row.outcome is not None:
                    self._tell(row)
        for what, row in list(self.rows.items()):
            if self._over(row.step, self.join.wait) <= step:
                del self.rows[what]
                if row.outcome is None:
                    self._count(row.row, "expired", 1)
        self.seen = {what: last for what, last in self.seen.items() if self._over(last, self.join.wait) > step}
        for id, labels in list(self.labels.items()):
            self.labels[id] = [label for label in labels if self._over(label.step, self.join.early) > step]
            for label in labels:
                if self._over(label.step, self.join.early) <= step and not label.matched:
                    self._add(label.row.about, (label.row.model, ""), "", "unmatched", 1)

    # -- the join

    def _join(self, step: int, predictions: list[Prediction], labels: list[Label]) -> None:
        touched: dict[Key, int | None] = {}  # the outcome before this step
        for row in predictions:
            again = key(row) in self.seen
            self.seen[key(row)] = step
            if again:
                self._count(row, "duplicates", 1)
                continue
            self.rows[key(row)] = waiting = Waiting(row, step)
            touched[key(row)] = None
            self._count(row, "predicted", 1)
            self._count(row, f"cell {row.cell}", 1)
            for kept in self.labels.get(row.id, ()):
                self._apply(waiting, kept)
        for order, label in enumerate(labels):
            kept = Kept(label, step, order)
            self.labels.setdefault(label.id, []).append(kept)
            for what, waiting in self.rows.items():
                if what[0] == label.id:
                    touched.setdefault(what, waiting.outcome)
                    self._apply(waiting, kept)
        for what, before in touched.items():
            waiting = self.rows[what]
            row, after = waiting.row, waiting.outcome
            if before != after:
                self._outcome(row, before, -1)
                self._outcome(row, after, 1)
            if after is not None and waiting.known is None:
                waiting.known = step - row.about
                if self.join.maturity is None:
                    self._tell(waiting)

    def _tell(self, waiting: Waiting) -> None:
        """The first outcome of a prediction, once."""
        assert waiting.known is not None
        self._first(waiting, "n", 1)
        self._first(waiting, "errors", waiting.outcome != waiting.row.predicted)
        self._first(waiting, "delays", waiting.known)
        self._count(waiting.row, "delays", waiting.known)

    def _first(self, waiting: Waiting, name: str, by: int) -> None:
        row = waiting.row
        self.arrivals.setdefault(((row.model, row.version), row.place), Counter())[name] += by

    def _apply(self, waiting: Waiting, kept: Kept) -> None:
        if kept.row.model not in ("", waiting.row.model):
            return
        kept.matched = True
        order = kept.row.revision, kept.step, kept.order
        if waiting.label is None or order > waiting.label[0]:
            waiting.label = order, kept.row.value

    def _outcome(self, row: Prediction, value: int | None, sign: int) -> None:
        if value is not None:
            wrong = value != row.predicted
            self._count(row, "n", sign)
            self._count(row, "errors", sign * wrong)
            self._count(row, f"cell {row.cell} right", sign * (not wrong))

    def _count(self, row: Prediction, name: str, by: int) -> None:
        self._add(row.about, (row.model, row.version), row.place, name, by)

    def _add(self, about: int, version: tuple[str, str], place: str, name: str, by: int) -> None:
        self.revisions.setdefault((self.join.about.end(about - 1), version, place), Counter())[name] += by


def plain(sums: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((name, by) for name, by in sums.items() if by))
