"""The mixture Shiryaev-Roberts e-detector: one weighted mean of all bets of all signals, alarming when it reaches the budget.

R_k <- (R_k + d) E_k for every bet, with d the bucket's length in seconds: M = sum_s w_s sum_k w_k R_s,k less the elapsed seconds is a
supermartingale while nothing has changed, whatever the dependence between signals. Hence the mean time between false alarms is at
least the budget (Shin, Ramdas, Rinaldo, *E-detectors*, arXiv 2203.03532).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..schemas.configuration import Model
from ..schemas.reference import CategoricalProfile, NumericProfile, Reference
from .bets import Bet, Concession, availability, availability_shares, categorical, location_tau, normalised, numeric
from .layout import Layout, Signal
from .margin import margin
from .scores import probabilities, scores

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Of the mixture, in equal parts over the signals of each kind. What is not used here (pairs, text and segments .1 each, reserve .1) stays
#: unused, so that a kind that is added later changes nobody's budget.
SIGNAL_WEIGHTS = {"values": 0.5, "availability": 0.1}
#: One bucket may multiply R by no more than its exponential: far beyond any budget, far below the largest float.
_LARGEST_STEP = 600.0
_ORDERS = 4


@dataclass(frozen=True)
class Bets:
    """The bets of all signals as flat arrays in the signals' order; a signal without any bet left is not tested."""

    signals: tuple[Signal, ...]  #: those tested
    words: tuple[str, ...]
    bins: tuple[tuple[int, ...], ...]  #: within the signal, of two-point bets
    first: Indices  #: per tested signal, its first bet
    owner: Indices  #: per bet, its tested signal
    weight: Floats  #: per bet, within its signal
    signal_weight: Floats  #: per tested signal
    joint_weight: Floats  #: per bet, the product of both
    _starts: Indices  # of every signal's counts
    _scores: Floats  # [order, bin of the whole layout]
    _pairs: Indices  # [2, pair]: bins of the whole layout that are counted together
    _x: Indices  # per bet, which statistic
    _n: Indices  # per bet, which signal's rows
    _slope: Floats
    _intercept: Floats

    def of(self, signal: int) -> slice:
        """The bets of a tested signal."""
        return slice(int(self.first[signal]), int(self.first[signal + 1]) if signal + 1 < len(self.first) else len(self.owner))

    def log_ratios(self, counts: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        """The log likelihood ratio of every bet on these counts, and the rows counted per tested signal.

        Elementwise operations and one fixed order of addition only: a repetition gives the same bytes.
        """
        rows = np.add.reduceat(counts, self._starts)[self._n]
        as_floats = counts.astype(np.float64)
        sums = np.add.reduceat(as_floats * self._scores, self._starts, axis=1).ravel()
        x = np.concatenate((sums, as_floats, as_floats[self._pairs[0]] + as_floats[self._pairs[1]]))
        return self._slope * x[self._x] + self._intercept * rows, rows[self.first]


def _signal_bets(signal: Signal, settings: Model, budget_rows: float | None) -> tuple[list[Bet], Floats | None, int | None]:
    """Its bets, its scores if it is numeric, and its bin of *other* if it is categorical."""
    profile, rows = signal.field.values, int(signal.reference_counts.sum())
    if rows <= 0:
        return [], None, None
    own = settings.feature(signal.name).min_effect
    concession = Concession(rows, margin(budget_rows, rows), settings.min_effect if own is None else own)
    if signal.of == "availability":
        states = signal.field.availability
        return list(availability(states, availability_shares(states), location_tau(profile), concession)), None, None
    if isinstance(profile, CategoricalProfile):
        return list(categorical(profile, probabilities(profile), concession)), None, len(profile.categories)
    assert isinstance(profile, NumericProfile)
    by_order = scores(profile)
    return list(numeric(profile, probabilities(profile), by_order, concession)), by_order, None


def compiled(layout: Layout, reference: Reference, settings: Model, budget_rows: float | None) -> Bets:
    """All bets of a reference under a model's settings."""
    score_table = np.zeros((_ORDERS, layout.size))
    pairs: dict[tuple[int, int], int] = {}
    signals: list[Signal] = []
    bets: list[Bet] = []
    weights: list[Floats] = []
    first: list[int] = []
    x: list[int] = []
    n: list[int] = []
    count_x = _ORDERS * len(layout.signals)
    for position, signal in enumerate(layout.signals):
        own, by_order, other = _signal_bets(signal, settings, budget_rows)
        if not own:
            continue
        if by_order is not None:
            score_table[:, signal.span] = by_order
        signals.append(signal)
        first.append(len(bets))
        bets += own
        weights.append(normalised(own, other))
        for bet in own:
            places = tuple(signal.start + bin_ for bin_ in bet.bins)
            if bet.order is not None:
                x.append(bet.order * len(layout.signals) + position)
            elif len(places) == 1:
                x.append(count_x + places[0])
            else:
                x.append(count_x + layout.size + pairs.setdefault((places[0], places[1]), len(pairs)))
            n.append(position)
    kinds = [signal.of for signal in layout.signals]
    owner = np.repeat(np.arange(len(signals)), [len(own) for own in weights])
    weight = np.concatenate(weights) if weights else np.zeros(0)
    signal_weight = np.array([SIGNAL_WEIGHTS[signal.of] / kinds.count(signal.of) for signal in signals])
    return Bets(
        signals=tuple(signals),
        words=tuple(bet.words for bet in bets),
        bins=tuple(bet.bins for bet in bets),
        first=_indices(first),
        owner=owner,
        weight=weight,
        signal_weight=signal_weight,
        joint_weight=signal_weight[owner] * weight,
        _starts=layout.starts,
        _scores=score_table,
        _pairs=_indices(list(pairs)).reshape(-1, 2).T.copy(),
        _x=_indices(x),
        _n=_indices(n),
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
        # d counts buckets that are not empty for the signal; while a signal's episode is open its R stays 0.
        before = self.r + ((rows > 0) & self.tested)[bets.owner] * seconds
        self.r = before * np.exp(np.minimum(log_ratios, _LARGEST_STEP))
        self.cusum = np.maximum(self.cusum + log_ratios, 0.0)
        self.onset[self.cusum == 0.0] = end
        return float((bets.joint_weight * self.r).sum()), before

    def restart(self, end: int, where: slice = slice(None)) -> None:
        """Forget all evidence, of all bets or of some: R := 0, CUSUM := 0, onset := now."""
        self.r[where] = 0.0
        self.cusum[where] = 0.0
        self.onset[where] = end
