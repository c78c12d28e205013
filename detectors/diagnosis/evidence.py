"""All that a diagnosis may look at: windows of sums over whole grains, by kind of evidence, and facts of the model with their times.

Nothing here is a row. All counts are whole numbers that add, so that windows merge by addition (`Window.merged`), whatever panes they
were made of. What is None was not there: not configured, not arrived, or not of this window.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from ..counting.magnitudes import Magnitudes

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Kinds of evidence, as `missing_evidence` names them, in the order in which runs take them.
KINDS = ("predictions", "ood", "arrivals", "agreement", "ages", "golden", "model", "episode", "feedback")


@dataclass(frozen=True)
class FieldOf:
    """A feature, or the output, of the reference."""

    name: str
    role: str  #: feature, prediction, score
    profile: NumericProfile | CategoricalProfile
    mantissa: int = 5  #: bits of it in a magnitude cell; of numbers
    source: str | None = None
    owner: str | None = None
    same_code: bool = False  #: its source says that online and offline values come from the same code: pairs count as agreeing

    @property
    def numeric(self) -> bool:
        """Whether it has bins of numbers."""
        return isinstance(self.profile, NumericProfile)


@dataclass
class Values:
    """One field's values in one window. Vectors are in the reference's bins (of categories: one more than there are, *other*)."""

    present: int
    null: int
    invalid: int
    missing: int
    bins: Integers
    moments: tuple[int, int] = (0, 0)  #: of numbers: sums of z and of its square, fixed point as in a pane
    magnitudes: Magnitudes | None = None
    repeated: dict[float, int] = field(default_factory=dict)  #: of numbers, values that many of `magnitudes`' rows had, with their rows
    unseen: dict[str, int] = field(default_factory=dict)  #: of categories, names that the reference does not know
    age: tuple[int, int] | None = None  #: sum of seconds, and rows
    scored: Integers | None = None  #: bins of rows compared with the training data
    outside: Integers | None = None  #: of these, those outside the core: p <= .2
    outliers: Integers | None = None  #: of these, p <= .01


@dataclass
class Agreeing:
    """One field's pairs of online and offline values. Sums over differing pairs, x offline, y online, in reference sd x 2^12, exact."""

    pairs: int
    differing: int  #: both there, and not equal within tolerance
    missing: int  #: offline there, online not
    sums: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)  #: x, y, xx, xy, yy of the differing ones that are numbers
    commonest: dict[str, int] = field(default_factory=dict)  #: online values of differing pairs, as texts, with their rows
    offline: Integers | None = None  #: the offline side in the reference's bins
    cells: Integers | None = None  #: of the online values of differing pairs, hashed: one value's rows are at most its cell's


@dataclass
class Relation:
    """Products of groups, outcomes and residuals over joined rows (`driftbus.detectors.outcomes.layout`); in the outcome's unit."""

    rows: int
    y: float
    yy: float
    r: float
    rr: float
    hh: NDArray[np.float64]  #: (W, W), symmetric
    hy: NDArray[np.float64]  #: (W,)
    hr: NDArray[np.float64]  #: (W,)

    @cached_property
    def by_group(self) -> NDArray[np.float64]:
        """Rows of every group (W,)."""
        return np.ascontiguousarray(self.hh.diagonal())


@dataclass
class Outcomes:
    """What became of the predictions of a stretch of time. ``relation`` over all joined rows, ``inner`` over those that are no outliers."""

    labelled: int
    predicted: int
    expired: int
    loss: float  #: summed: squared residuals, or Brier's; the loss a row is loss / labelled
    relation: Relation | None = None
    inner: Relation | None = None


@dataclass
class Counted:
    """A window's values side by side, in a layout's order (`driftbus.detectors.diagnosis.groups`): made once for all runs that see it."""

    window: Floats  #: six numbers, as `driftbus.detectors.diagnosis.matrices` takes them apart
    groups: Floats
    features: Floats  #: six numbers of each, as there
    compared: Floats | None = (
        None  #: of rows compared with the training data: groups of all, outside the core, outliers; None: there are none
    )
    offline: Floats | None = None  #: groups of the offline sides of pairs; None: there are none
    # By field, as far as somebody asked: who asks again need not have the window's values made again.
    looked_at: dict[str, int] = field(default_factory=dict)  #: rows
    quantiles: dict[str, Floats | None] = field(default_factory=dict)  #: None: no rows were looked at
    common: dict[str, tuple[Floats, Floats] | None] = field(default_factory=dict)  #: values that many rows share, and their shares of these
    categories: dict[str, Mapping[str, int]] = field(default_factory=dict)  #: rows of each


@dataclass
class Window:
    """A run of grains. ``start`` < times <= ``end``, ms."""

    start: int
    end: int
    rows: int
    values: Mapping[str, Values]  #: by field, outputs too
    scored: int = 0  #: rows compared with the training data
    outliers: int = 0
    masked: int = 0  #: outliers that were looked at without each field
    cured: dict[str, int] = field(default_factory=dict)  #: of these, familiar without the field, or without all of "source:NAME"
    agreeing: dict[str, Agreeing] | None = None  #: by feature; None: no pairs of this window
    outcomes: Outcomes | None = None
    counted: Counted | None = field(default=None, compare=False, repr=False)  #: what was made of it; whoever changes a window clears it


class Evaluated(NamedTuple):
    """One golden evaluation."""

    time: int  #: ms
    golden: str  #: version of the golden set
    version: str  #: of the model
    loss: float
    rows: int
    against: str = ""  #: the version that it was compared with; "": none, or it is not known


class Coincident(NamedTuple):
    """Something that was done at a time: a deployment, a release of a feature."""

    time: int
    type: str  #: model, feature_version, schema, release
    ref: str
    source: str | None = None
    features: tuple[str, ...] = ()


@dataclass
class Case:
    """One model version's evidence at the time of a run."""

    fields: tuple[FieldOf, ...]
    groups: tuple[tuple[str, int], ...]  #: features that outcomes are grouped by, with their numbers of groups, as `Relation` has them
    binary: bool  #: outcomes are 0 and 1
    baseline: list[Window]
    monitored: list[Window]  #: oldest first; the newest 24 at most
    ladder: list[Window] = field(default_factory=list)  #: older than `monitored`, merged in pairs: outcomes alone are looked at
    evaluated: list[Evaluated] = field(default_factory=list)
    coincident: list[Coincident] = field(default_factory=list)
    usual: dict[str, float] = field(
        default_factory=dict
    )  #: of the calibration's outliers, the share that each mask cures, as `cured` names it
    by_rows: bool = True  #: what is compared with the training data is rows of features; else texts or embeddings beside these
    standing: bool = True  #: the baseline is of production, not drawn from the reference
    settled: frozenset[str] = frozenset()  #: where it is not, fields whose own values in it are of production nevertheless
    absent: dict[str, str] = field(default_factory=dict)  #: kinds without evidence, with why: not configured, not read, late

    def stands_for(self, fields: Collection[str]) -> bool:
        """Whether the baseline of these fields' own values is of production."""
        return self.standing or (bool(fields) and self.settled.issuperset(fields))
