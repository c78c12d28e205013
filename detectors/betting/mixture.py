"""The mixture Shiryaev-Roberts e-detector: one weighted mean of all bets of all signals, alarming when it reaches the budget.

R_k <- (R_k + d) E_k for every bet, with d the bucket's length in seconds: M = sum_s w_s sum_k w_k R_s,k less the elapsed seconds is a
supermartingale while nothing has changed, whatever the dependence between signals. Hence the mean time between false alarms is at
least the budget (Shin, Ramdas, Rinaldo, *E-detectors*, arXiv 2203.03532).

Segments of a signal share its weight, and each has its share of d: together they add no more than d. By season every E has a mean of at
most 1 in its own hour, so the sum may run through the hours. Of a trailing reference this holds as far as the recent past is the law.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Model
from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.reference import PairProfile, WordsProfile
from ..counting.layout import Group, Signal
from . import Concession, SignalBets, bets_of, normalised
from .familiarity import OF_SEGMENTS
from .margin import margin
from .scores import ORDERS
from .space import Space

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
#: Its bins, its words, its target.
BetName = tuple[tuple[int, ...], str, float]

#: Of the mixture, in equal parts over what there is of each group; a group that is not there leaves its part unused. Half is a reserve: a
#: group that is added later changes nobody's budget, and an unlucky reference has it to lose. It costs a twentieth of most delays.
GROUP_WEIGHTS: dict[Group, float] = {
    "values": 0.25,
    "availability": 0.05,
    "text": 0.05,
    "pairs": 0.05,
    "segments": 0.05,
    "joint": 0.015,
    "traffic": 0.01,
    "errors": 0.1,
    "relation": 0.05,
    "ood": 0.2,
}
#: Of the weight of errors, what those have that people find: where a model has reviews, labels have the rest.
REVIEWED_WEIGHT = 0.05
#: With fewer reference rows a pair, a segment's signal, or the like says nothing that a margin would not hide.
FEWEST_ROWS = 500
#: One bucket may multiply R by no more than its exponential: far beyond any budget, far below the largest float.
_LARGEST_STEP = 600.0


@dataclass(frozen=True)
class Bets:
    """The bets of all signals as flat arrays in the signals' order; a signal without any bet left is not tested."""

    signals: tuple[Signal, ...]  #: those tested
    words: tuple[str, ...]
    bins: tuple[tuple[int, ...], ...]  #: within the signal, of two-point bets
    targets: tuple[float, ...]  #: what each bets on
    first: Indices  #: per tested signal, its first bet
    owner: Indices  #: per bet, its tested signal
    weight: Floats  #: per bet, within its signal
    signal_weight: Floats  #: per tested signal
    joint_weight: Floats  #: per bet, the product of both
    share: Floats  #: per bet, of the reference's rows: 1, or that of its segment
    _rows: Indices  # [2, tested signal]: from where to where its rows are counted
    _scored: Indices  # indices of the bins of all numeric signals
    _starts: Indices  # among these, the first one of every numeric signal
    _scores: Floats  # [order, scored bin]
    _places: Indices  # [2, statistic]: indices of one or two bins that are counted together; -1: a zero
    _x: Indices  # per bet, which statistic
    _slope: Floats
    _intercept: Floats

    def of(self, signal: int) -> slice:
        """The bets of a tested signal."""
        return slice(int(self.first[signal]), int(self.first[signal + 1]) if signal + 1 < len(self.first) else len(self.owner))

    def named(self, signal: int) -> dict[BetName, int]:
        """The bets of a tested signal by what tells them apart under any settings, of which some bets do not survive."""
        return {self.name(bet): bet for bet in range(*self.of(signal).indices(len(self.owner)))}

    @cached_property
    def _by_name(self) -> list[dict[BetName, int]]:
        return [self.named(signal) for signal in range(len(self.signals))]

    def find(self, signal: int, name: BetName) -> int | None:
        """The bet of a tested signal that is so called; None: there is none any more."""
        return self._by_name[signal].get(name)

    def name(self, bet: int) -> BetName:
        """What tells it apart from the others of its signal."""
        return self.bins[bet], self.words[bet], self.targets[bet]

    def moved(self, other: "Bets", unknown: Collection[tuple[str, str, str]] = ()) -> "Bets":
        """These bets, with their weights, against the reference of other ones that are aligned with them.

        Those of signals of which it is ``unknown`` what to expect never move.
        """
        known = np.array([signal.key not in unknown for signal in self.signals], dtype=np.bool_)[self.owner]
        slope, intercept = other._slope * known, other._intercept * known
        return replace(self, _scores=other._scores, _places=other._places, _x=other._x, _slope=slope, _intercept=intercept)

    def log_ratios(self, vector: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        """The log likelihood ratio of every bet on a vector of the space, and the rows counted per tested signal.

        Elementwise operations and one fixed order of addition only: a repetition gives the same bytes.
        """
        until = np.concatenate(([0], np.cumsum(vector)))
        rows = until[self._rows[1]] - until[self._rows[0]]
        as_floats = np.append(vector, 0).astype(np.float64)
        sums = np.add.reduceat(as_floats[self._scored] * self._scores, self._starts, axis=1).ravel() if len(self._starts) else np.zeros(0)
        x = np.concatenate((sums, as_floats[self._places[0]] + as_floats[self._places[1]]))
        return self._slope * x[self._x] + self._intercept * rows[self.owner], rows


def _signal_weights(signals: Sequence[Signal], of_groups: Mapping[Group, float]) -> dict[tuple[str, str, str], float]:
    """Of every signal: its group's, over the fields of the group, over the parts of its field. Segments of one part share its weight."""
    fields = {group: len({signal.name for signal in signals if signal.group == group}) for group in of_groups}
    parts = Counter((group, name) for group, name, _ in {(signal.group, signal.name, signal.of) for signal in signals})
    weights = {signal.key: of_groups[signal.group] / fields[signal.group] / parts[signal.group, signal.name] for signal in signals}
    divided = {(signal.group, signal.name) for signal in signals if signal.group == "ood" and signal.segment is not None}
    for signal in signals:
        if (signal.group, signal.name) in divided:
            weights[signal.key] *= 1 - OF_SEGMENTS if signal.segment is None else OF_SEGMENTS
    return weights


def _rows_of(signal: Signal) -> int:
    """Reference rows counted in a signal."""
    match signal.profile:
        case PairProfile():
            return signal.profile.rows
        case WordsProfile():
            return signal.profile.texts
        case OutcomeBaseline():
            return signal.profile.labelled
    return int(signal.reference_counts.sum())


def _signal_bets(signal: Signal, settings: Model, budget_rows: float | None, fields: int, *, aligned: bool) -> SignalBets:
    rows = _rows_of(signal)
    if rows <= 0 or (signal.group not in ("values", "availability") and rows < FEWEST_ROWS):
        return SignalBets([])
    given_away = Concession(rows, margin(budget_rows, rows, fields), min_effect(signal, settings), aligned)
    return bets_of(signal, given_away, settings.feature(signal.name).direction)


def min_effect(signal: Signal, settings: Model) -> float:
    """The smallest effect worth hearing of. Of a pair the larger one of its fields: what moves one of them moves their product."""
    names = (signal.profile.first, signal.profile.second) if isinstance(signal.profile, PairProfile) else (signal.name,)
    own = (settings.feature(name).min_effect for name in names)
    return max(settings.min_effect if least is None else least for least in own)


def compiled(
    space: Space,
    settings: Model,
    budget_rows: float | None,
    *,
    aligned: bool = False,
    weights: Mapping[Group, float] = GROUP_WEIGHTS,
) -> Bets:
    """All bets on a space under a model's settings; ``aligned``: the same ones, whatever the counts of its profiles."""
    fields = len({signal.field.name for signal in space.signals if signal.field is not None})
    found = [(signal, _signal_bets(signal, settings, budget_rows, fields, aligned=aligned)) for signal in space.signals]
    tested = [(signal, own) for signal, own in found if own.bets]
    scored = [(signal, own.scores) for signal, own in tested if own.scores is not None]
    place_of = {signal.key: place for place, (signal, _) in enumerate(scored)}
    first_count = ORDERS * len(scored)
    counted: dict[tuple[int, int], int] = {}
    x: list[int] = []
    for signal, own in tested:
        for bet in own.bets:
            places = tuple(signal.start + bin_ for bin_ in bet.bins)
            if bet.order is not None:
                x.append(bet.order * len(scored) + place_of[signal.key])
            else:
                x.append(first_count + counted.setdefault((places[0], places[1] if len(places) > 1 else -1), len(counted)))
    bets = [bet for _, own in tested for bet in own.bets]
    sizes = [len(own.bets) for _, own in tested]
    owner = np.repeat(np.arange(len(tested)), sizes)
    weight = np.concatenate([normalised(own.bets) for _, own in tested]) if tested else np.zeros(0)
    of_signal = _signal_weights(space.signals, weights)
    signal_weight = np.array([of_signal[signal.key] for signal, _ in tested])
    return Bets(
        signals=tuple(signal for signal, _ in tested),
        words=tuple(bet.words for bet in bets),
        bins=tuple(bet.bins for bet in bets),
        targets=tuple(bet.target for bet in bets),
        first=_indices(np.cumsum([0, *sizes])[:-1].tolist()),
        owner=owner,
        weight=weight,
        signal_weight=signal_weight,
        joint_weight=signal_weight[owner] * weight,
        share=np.array([signal.share for signal, _ in tested])[owner],
        _rows=_indices([(signal.rows.start, signal.rows.stop) for signal, _ in tested]).reshape(-1, 2).T.copy(),
        _scored=_indices([place for signal, _ in scored for place in range(signal.start, signal.start + signal.size)]),
        _starts=_indices(np.cumsum([0, *(signal.size for signal, _ in scored)])[:-1].tolist()),
        _scores=np.concatenate([by_order for _, by_order in scored], axis=1) if scored else np.zeros((ORDERS, 0)),
        _places=_indices(list(counted)).reshape(-1, 2).T.copy(),
        _x=_indices(x),
        _slope=np.array([bet.slope for bet in bets]),
        _intercept=np.array([bet.intercept for bet in bets]),
    )


def _indices(numbers: Sequence[int] | Sequence[tuple[int, int]]) -> Indices:
    return np.array(numbers, dtype=np.int64)


@dataclass
class Mixture:
    """What eSR remembers: per bet R, its CUSUM and the end of the last bucket at which that was 0; per signal whether it is tested."""

    r: Floats
    cusum: Floats
    onset: Indices
    tested: NDArray[np.bool_]

    @classmethod
    def started(cls, bets: Bets, time: int) -> "Mixture":
        """Before the first bucket, which starts at ``time``."""
        size = len(bets.owner)
        return cls(np.zeros(size), np.zeros(size), np.full(size, time, dtype=np.int64), np.ones(len(bets.signals), dtype=np.bool_))

    def update(self, bets: Bets, log_ratios: Floats, rows: NDArray[np.int64], seconds: float, end: int) -> tuple[float, Floats]:
        """Fold one bucket in: M behind it, and R + d before its ratios (which an alarm looks at in logs, where nothing saturates)."""
        # d counts buckets that are not empty for the signal, a segment's by its share of the rows; while an episode is open its R stays 0.
        before = self.r + ((rows > 0) & self.tested)[bets.owner] * (seconds * bets.share)
        self.r = before * np.exp(np.minimum(log_ratios, _LARGEST_STEP))
        self.cusum = np.maximum(self.cusum + log_ratios, 0.0)
        self.onset[self.cusum == 0.0] = end
        return float((bets.joint_weight * self.r).sum()), before

    def restart(self, end: int, where: slice = slice(None)) -> None:
        """Forget all evidence, of all bets or of some: R := 0, CUSUM := 0, onset := now."""
        self.r[where] = 0.0
        self.cusum[where] = 0.0
        self.onset[where] = end
