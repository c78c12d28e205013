"""What a diagnosis knows while it goes through the causes: matrices, shifts, symptoms, and what is claimed by which cause."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.root_cause import Cause
from ..neighbours.levels import OUTLIER
from .evidence import Case, Coincident, Window
from .finding import PIPELINE, Finding, Map, Piece
from .groups import Layout
from .matrices import Matrices, quantiles_in
from .shifts import NEWEST, Series, Shift, compared
from .statistics import Noise, Step, confidence, medians, phi2, steps, still, strength
from .thresholds import Thresholds

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Causes after which a feature's served values are not what the model learned: later causes look past it.
FAULTY: frozenset[Cause] = PIPELINE | {"feature_recalibration"}
#: Pairs since an onset without which nobody knows whether online and offline values agree.
_LEAST_PAIRS = 30
#: Outliers of the baseline without which the calibration's say what masks cure where all is well.
_LEAST_MASKED = 64
#: Of the baseline's labelled share, the share that a window needs: early labels are not like all of them.
_MATURE, _LEAST_LABELLED = 0.7, 20
#: Of its sampling error, by which a share of rows varies at least.
_SHARE_FLOOR = 0.15
#: Kinds of things done that may change how values are computed, or the model.
DEPLOYMENTS = ("model", "release")


class Inquiry:
    """One case on its way through the causes."""

    def __init__(self, case: Case, layout: Layout, thresholds: Thresholds) -> None:
        self.case, self.layout, self.thresholds = case, layout, thresholds
        self.base, self.now = Matrices(case.baseline, layout), Matrices(case.monitored, layout)
        self.base_rows, now_rows = (float(medians(of.rows[None])[0]) if len(of.rows) else 1.0 for of in (self.base, self.now))
        self.smaller = max(1.0, self.base_rows / max(now_rows, 1.0)) ** 0.5
        self._quantiles: dict[str, tuple[Floats, Floats]] = {}
        self.claimed: dict[str, Cause] = {}
        self.findings: list[Finding] = []
        self.growing: set[str] = set()  #: features by a factor that itself grows: the world
        self.doubtful: set[str] = set()  #: features that drift, and might be an exact scale
        self.fresh: list[str] = []  #: features with categories that training did not know
        self.beside: dict[str, Shift] = {}  #: features whose true values drift beside a fault of the served ones
        self.novel: Step | None = None
        self.novel_share = 0.0  #: of rows, as far as they lie outside the core
        self.requests_unsure = False  #: whether requests are new nobody knows: rows are not compared, or outliers not masked
        self.unsure: set[str] = set()  #: features that drift, or new requests make them so: nothing was there to tell
        self.prior = False  #: only the rate of outcomes moved

    # ------------------------------------------------------------------------------------------------ series

    def steps(self, base: Floats, now: Floats, floor: float | Sequence[float], gate: float | None = None) -> list[Step | None]:
        """Of series [series, windows] the steps above the gate: the threshold z, unless said."""
        noise = Noise(floor if isinstance(floor, float) else np.array(floor), self.smaller)
        return steps(base, now, noise, gate=self.thresholds.z if gate is None else gate, live=self.thresholds.live)

    def step(self, base: Floats, now: Floats, floor: float, gate: float | None = None) -> Step | None:
        """Of one series."""
        return self.steps(base[None], now[None], floor, gate)[0]

    def steps_of(self, series: Series) -> list[Step | None]:
        """Of series."""
        return self.steps(series.base, series.now, series.floors)

    def any_step(self, of: Sequence[Series]) -> bool:
        """Whether any of all these series has one."""
        base, now = (np.concatenate([getattr(one, name) for one in of]) for name in ("base", "now"))
        return any(one is not None for one in self.steps(base, now, [floor for one in of for floor in one.floors]))

    def of_features(self, name: str, floor: float) -> Series:
        """Of every feature its share of rows that are so: ``absent``, ``invalid``."""
        with np.errstate(invalid="ignore"):
            base, now = (getattr(one, name) / (one.present + one.absent + one.invalid) for one in (self.base, self.now))
        return Series(base.T, now.T, [floor] * len(self.layout.features))

    @property
    def share_floor(self) -> float:
        """By which a share of rows varies at least."""
        return float(_SHARE_FLOOR / np.sqrt(max(self.base_rows, 1.0)))

    # ------------------------------------------------------------------------------------------------ shifts

    @cached_property
    def _moved(self) -> tuple[Floats, list[Step | None]]:
        """phi2 of every field by window [fields, windows], and its steps."""
        series = self.distances(self.base.groups, self.now.groups, self.layout.starts)
        return series.now, self.steps_of(series)

    def distances(self, base: Floats, now: Floats, starts: Integers) -> Series:
        """phi2 of groups of fields side by side."""
        if not len(starts):
            return Series(np.zeros((0, len(base))), np.zeros((0, len(now))), [])
        usual, sizes = base.sum(axis=0), np.diff(np.append(starts, base.shape[1]))
        before, since = np.split(phi2(np.concatenate((base, now)), usual, starts), [len(base)], axis=1)
        rows = np.add.reduceat(base, starts, axis=1)
        usual_rows = medians(rows.T) if len(rows) else np.ones(len(starts))
        return Series(before, since, (np.sqrt(2 * (sizes - 1)) / np.maximum(usual_rows, 1.0)).tolist())

    def _shift(self, name: str, base: Floats, now: Floats, phi2_: Floats, step: Step | None) -> Shift | None:
        if step is None:
            return None
        root = np.sqrt(np.maximum(0.0, np.nan_to_num(phi2_)))  # phi2 is a square: a season swings it twice as far
        live = still(root[step.onset :], root, self.thresholds.live)
        return self.compared(name, base, now, Step(step.z, step.level, step.before, step.onset, step.gradual, live))

    def _shift_of(self, name: str) -> Shift | None:
        place, (now, found) = self.layout.place[name], self._moved
        return self._shift(name, self.base.groups, self.now.groups, now[place], found[place])

    def shift_of(self, name: str, base: Floats, now: Floats) -> Shift | None:
        """Of other counts of a field than those of all rows [windows, G]."""
        span = self.layout.span(name)
        series = self.distances(base[:, span], now[:, span], np.zeros(1, dtype=np.int64))
        return self._shift(name, base, now, series.now[0], self.steps_of(series)[0])

    def compared(self, name: str, base: Floats, now: Floats, step: Step) -> Shift | None:
        """How far a feature's groups are from the baseline's since an onset."""
        span = self.layout.span(name)
        return compared(base[:, span], now[:, span], step, self.thresholds)

    @cached_property
    def shifts(self) -> dict[str, Shift]:
        """Features whose distribution moved, by far enough."""
        found = {name: self._shift_of(name) for name in self.layout.names}
        return {name: one for name, one in found.items() if one is not None and one.size > one.threshold}

    @cached_property
    def output(self) -> Shift | None:
        """How predictions moved."""
        return None if self.layout.output is None else self._shift_of(self.layout.output)

    def unclaimed(self, near: int, than: str, *, within: int = 2) -> list[str]:
        """Other features that shift, claimed by no cause, with an onset near one."""
        return [
            name for name, one in self.shifts.items() if name != than and name not in self.claimed and abs(one.step.onset - near) <= within
        ]

    def usual_quantiles(self, name: str) -> tuple[Floats, Floats]:
        """Of a numeric feature those of the baseline's windows that have any [windows, quantiles], and their means."""
        if name not in self._quantiles:
            found = quantiles_in(self.case.baseline, self.layout, name)
            self._quantiles[name] = found, found.sum(axis=0) / max(len(found), 1)
        return self._quantiles[name]

    # ---------------------------------------------------------------------------------------------- symptoms

    @cached_property
    def labels(self) -> tuple[Floats, Floats]:
        """Loss a row by window, NaN where too few labels are there; of the baseline, and now."""
        known = self.base.labelled.sum() / max(self.base.predicted.sum(), 1.0)

        def losses(of: Matrices) -> Floats:
            there = (of.labelled >= _LEAST_LABELLED) & (of.labelled >= _MATURE * known * of.predicted)
            return np.where(there, of.loss / np.maximum(of.labelled, 1.0), np.nan)

        return losses(self.base), losses(self.now)

    @cached_property
    def loss(self) -> Step | None:
        """A step of the loss."""
        return self.step(*self.labels, 0.0)

    @cached_property
    def base_loss(self) -> float:
        """A row's; 0 where nothing is labelled."""
        base = self.labels[0]
        return float(np.nanmean(base)) if np.isfinite(base).any() else 0.0

    @property
    def loss_up(self) -> bool:
        """Whether it rose by enough."""
        return self.loss is not None and self.loss.level > self.thresholds.loss * self.base_loss

    @property
    def labelled(self) -> int:
        """Windows with labels."""
        return int(np.isfinite(self.labels[1]).sum())

    # -------------------------------------------------------------------------------------- what is known of

    def agree_known(self, name: str, onset: int = 0) -> bool:
        """Whether it is known of a feature if online and offline values agree: by pairs, or because the same code makes both."""
        if self.layout.of[name].same_code:
            return True
        return bool(self.now.pairs[onset:, self.layout.place[name]].sum() >= _LEAST_PAIRS)

    @property
    def outliers_known(self) -> bool:
        """Whether rows are compared with the training data."""
        return bool(self.now.compared.sum() and self.base.compared.sum())

    @property
    def ages_known(self) -> bool:
        """Whether ages of values are told."""
        return bool(np.isfinite(self.now.age).any() and np.isfinite(self.base.age).any())

    def mismatch(self, name: str) -> Step | None:
        """A step of the share of pairs that differ; none where the same code makes both sides."""
        return self.mismatches[self.layout.place[name]]

    @cached_property
    def usual_outliers(self) -> tuple[float, dict[str, float]]:
        """The share of outliers where all is well, and of them the share familiar without each feature: as production tells."""
        windows = self.case.baseline
        masked, compared = sum(window.masked for window in windows), self.base.compared.sum()
        if masked < _LEAST_MASKED or not compared:
            return OUTLIER, self.case.usual
        names = {name for window in windows for name in window.cured}
        cured = {name: sum(window.cured.get(name, 0) for window in windows) / masked for name in sorted(names)}
        return float(self.base.outliers.sum() / compared), cured

    @cached_property
    def mismatches(self) -> list[Step | None]:
        """Of all features."""
        return self.steps_of(self.differing)

    @property
    def differing(self) -> Series:
        """The share of pairs that differ, of all features."""
        base, now = (np.where(one.pairs > 0, one.differing / np.maximum(one.pairs, 1.0), np.nan).T for one in (self.base, self.now))
        noise = self.thresholds.join_noise
        base[~np.isfinite(base).any(axis=1)] = noise  # nobody has seen what it is where all is well
        return Series(base, now, [noise] * len(now))

    def window_of(self, time: int) -> int | None:
        """The monitored window that a time is in; -1 shortly before them, None long before."""
        windows = self.case.monitored
        if not windows or time <= windows[0].start - (windows[0].end - windows[0].start):
            return None
        return -1 if time <= windows[0].start else int(np.searchsorted([one.end for one in windows], time, side="left"))

    def near(self, onset: int, types: Sequence[str] = DEPLOYMENTS) -> list[Coincident]:
        """What was done within one window of an onset."""
        found = [(one, self.window_of(one.time)) for one in self.case.coincident if one.type in types]
        return [one for one, window in found if window is not None and abs(window - onset) <= 1]

    def since(self, onset: int, most: int = NEWEST) -> list[Window]:
        """The newest windows since an onset."""
        return self.case.monitored[onset:][-most:]

    def behind(self, onset: int, most: int = NEWEST) -> list[Window]:
        """The newest windows that hold nothing of before an onset: not that of the onset itself, which holds both."""
        return self.since(onset + 1, most)

    # -------------------------------------------------------------------------------------------- what is found

    def add(
        self,
        cause: Cause,
        features: Sequence[str],
        step: Step,
        confidence_: float,
        subtype: str,
        evidence: Sequence[Piece],
        *,
        missing: dict[str, str] | None = None,
        awaits: str | None = None,
        alternatives: tuple[Cause, ...] = (),
        map_: Map | None = None,
        exchanged: dict[str, str] | None = None,
        live: bool | None = None,
    ) -> None:
        """A finding; its features are claimed by the cause that named them first."""
        self.findings.append(
            Finding(
                cause=cause,
                subtype=subtype,
                features=tuple(features),
                onset=step.onset,
                shape="gradual" if step.gradual else "abrupt",
                live=step.live if live is None else live,
                confidence=confidence_,
                evidence=[*evidence],
                awaits=awaits,
                missing=missing or {},
                alternatives=alternatives,
                map=map_,
                exchanged=exchanged or {},
            )
        )
        for name in features:
            self.claimed.setdefault(name, cause)

    def claimed_by(self, causes: frozenset[Cause]) -> set[str]:
        """Features that one of the causes has."""
        return {name for name, cause in self.claimed.items() if cause in causes}


def sure(*pairs: tuple[float, float], missing: int = 0, against: int = 0, besides: Sequence[float] = ()) -> float:
    """Confidence by values and their thresholds, and further strengths."""
    return confidence(*(strength(value, threshold) for value, threshold in pairs), *besides, missing=missing, against=against)
