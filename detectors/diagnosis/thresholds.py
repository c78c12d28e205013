"""Every number by which a cause is told: one place, a name and a reason each. `models.NAME.diagnosis.thresholds` overrides them by name."""

from collections.abc import Mapping
from typing import NamedTuple


class Thresholds(NamedTuple):
    """Shares are of rows, z in standard errors, errors of maps in spreads (10 to 90 %) of the values as they are now."""

    z: float = 5.0  #: of a step in a series of windows: with 100 series a window it is reached by chance once in years
    live: float = 0.35  #: of its level that the newest window must still show
    null: float = 0.03  #: more rows are null or missing
    null_certain: float = 0.06  #: the same, before there is a baseline of production: some are null in serving that never were in training
    invalid: float = 0.01  #: more rows are of another type: no population does that
    age_ratio: float = 3.0  #: values are so many times as old
    spike: float = 0.06  #: more rows have one value, while the others keep their shape
    spike_rest: float = 0.08  #: total variation by which the others may move nevertheless
    single: float = 0.8  #: of differing pairs, those with one and the same online value: a default
    unrelated: float = 0.2  #: R2 of online by offline values below which they are of another time or entity
    affine: float = 0.98  #: R2 from which on one is a linear function of the other
    skew: float = 0.03  #: more pairs differ
    skew_certain: float = 0.1  #: the same, before there is a baseline of production
    join_noise: float = 0.01  #: pairs that differ where all is well, as long as nobody has seen when it was
    shift: float = 0.06  #: total variation of a feature's groups against the baseline
    shift_blocks: float = 1.5  #: times the largest of the baseline's own stretches
    shift_certain: float = 1.2  #: times what a shift needs, below which a drift is not sure: a season of few cycles comes so far
    map_error: float = 0.06  #: of the quantiles under the fitted map
    map_affine: float = 0.6  #: of it for maps with two numbers, which fit more easily
    map_exact: float = 0.012  #: at which a map is no accident
    map_weak: float = 0.008  #: at which it suffices where nothing can tell whether values keep their meaning
    constant: float = 0.01  #: in logarithms, between a factor and a recognised constant
    spread_ratio: float = 3.0  #: of spreads: no population widens by that from one window to the next
    outside: float = 0.08  #: quantiles outside what training saw
    new_atoms: float = 0.8  #: of repeated values, those that training never saw
    face: float = 0.35  #: below which values mean what they meant
    face_broken: float = 0.5  #: from which on they do not
    rollout: float = 0.05  #: rows in which new values have come, in a mixture with old ones
    exchanged_share: float = 0.3  #: rows in which features have each other's values
    permuted: float = 0.04  #: total variation of frequencies under the best permutation
    renamed: float = 0.1  #: the same of new labels against old ones
    novelty: float = 0.02  #: more rows are outliers
    novelty_outside: float = 0.05  #: more rows are outside the core, which says it where few of the new rows are outliers
    novelty_leak: float = 0.5  #: of the excess of outliers, total variation of the core that comes of it
    novelty_tail: float = 0.45  #: of the largest variation in distribution, outliers that are its tail
    new_category: float = 0.03  #: more rows have a category that training did not know
    label_shift: float = 0.05  #: by which the rate of outcomes moves
    label_within: float = 0.06  #: total variation of features given the outcome, below which only the rate moved
    relation: float = 0.006  #: of the variance of residuals that groups of a feature explain anew
    relation_p: float = 1e-7  #: by chance
    relation_world: float = 0.35  #: of the residuals' effect that outcomes themselves must show, or it is the model
    golden: float = 0.05  #: more loss on the same golden set
    loss: float = 0.1  #: more loss in production
    prediction: float = 0.1  #: total variation of predictions that asks for a cause
    confidence: float = 0.55  #: from which on a finding may be confirmed: all above were right, below both right and wrong

    @classmethod
    def of(cls, chosen: Mapping[str, float]) -> "Thresholds":
        """The defaults but for some.

        Raises
        ------
        ValueError
            Of a name that is none, with all that are, or of a number that is not above 0.
        """
        for name, value in chosen.items():
            if name not in cls._fields:
                msg = f"{name}: no threshold is called so; there are {', '.join(cls._fields)}"
                raise ValueError(msg)
            if not value > 0:
                msg = f"{name}: {value} is not above 0"
                raise ValueError(msg)
        return cls(**chosen)


DEFAULTS = Thresholds()
