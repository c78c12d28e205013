"""What the sums of a window stand for: vectors of panes to counts by field, by the layouts of the version's reference."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.familiarity import FamiliarityProfile
from ...schemas.stored.reference import CategoricalProfile, NumericProfile, ProfiledField, Reference
from ..agreement import Comparison
from ..counting.layout import Layout, Signal
from ..counting.layout import layout as counting_layout
from ..counting.magnitudes import Magnitudes, mantissa
from ..neighbours.bins import KINDS, InBins, leading
from ..neighbours.masked import length
from ..outcomes.layout import INNER, squares
from ..outcomes.layout import Layout as OutcomeLayout
from ..outcomes.values import UNIT
from .agreeing import AgreementPanes
from .evidence import FieldOf, Outcomes, Relation, Values
from .evidence import Window as Evidence
from .groups import Layout as Groups
from .sums import Integers, Sums
from .windows import Window


class Whose(NamedTuple):
    """What is configured of a field."""

    source: str | None = None
    owner: str | None = None
    same_code: bool = False  #: the same code makes its values online and offline
    aged: bool = False  #: it is known as of when its values are


WhoseOf = Callable[[str], Whose]


class _Field(NamedTuple):
    values: Signal
    available: Signal
    inside: slice | None  #: its part of a vector of scored rows


class Reading:
    """How the windows of one reference are read. ``outcomes``: how its outcomes are laid out; None: it has none; ``compared``: its
    features with those of a feature log."""

    def __init__(self, reference: Reference, outcomes: OutcomeLayout | None, whose: WhoseOf, compared: Comparison | None = None) -> None:
        self.layout: Layout = counting_layout(reference)
        self.outcomes = outcomes
        self.pairs = None if compared is None or not compared.name else AgreementPanes(compared)
        self.compared_by = "" if compared is None else compared.name  #: by what pairs are counted; empty: there are none
        self.paired = () if compared is None else tuple(one.name for one in compared.features)  #: features with a feature log
        self._in_bins = InBins(self.layout)
        self._subject = _compared(reference.familiarity)
        self._known = {signal.name for signal in self._in_bins.signals}
        found = [
            (field, self._placed(field)) for field in reference.fields if isinstance(field.values, NumericProfile | CategoricalProfile)
        ]
        self._places = {field.name: place for field, place in found if place is not None}
        own = {field.name: whose(field.name) for field, _ in found}
        self.aged = any(one.aged for one in own.values())  #: of some field the age of values is known
        self.fields = tuple(_field_of(field, own[field.name]) for field, place in found if place is not None)
        self.groups_of_fields = Groups(self.fields)

    @property
    def size(self) -> int:
        """Of a pane's counts and sums together."""
        return self.layout.size + self.layout.wide

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """The features that outcomes are grouped by."""
        return () if self.outcomes is None else tuple((one.name, one.groups) for one in self.outcomes.basis.features)

    @property
    def binary(self) -> bool:
        """Outcomes are 0 and 1."""
        return self.outcomes is not None and self.outcomes.basis.task == "binary"

    @property
    def usual(self) -> dict[str, float]:
        """Of the calibration's outliers, the share that each mask cures."""
        profile = None if self._subject is None else self._subject[1]
        if profile is None or not profile.outliers:
            return {}
        return {_mask(one.name, one.of): one.cured / profile.outliers for one in profile.masks}

    @property
    def subject(self) -> int | None:
        """Which of what is compared with the training data, by its number, says how many rows are outliers; None: nothing is compared."""
        return None if self._subject is None else self._subject[0]

    @property
    def by_rows(self) -> bool:
        """Whether that is rows of features: not a text or an embedding, which no fault of a feature makes strange."""
        return self._subject is None or self._subject[1].kind == "row"

    def masked(self, counts: Integers) -> bool:
        """Whether these are counts of outliers without each of the reference's masks."""
        return self._subject is not None and len(counts) == length(len(self._subject[1].masks), len(self._subject[1].pairs))

    def fits_inside(self, end: int) -> bool:
        """Whether a vector of scored rows may reach so far."""
        return end <= len(KINDS) * self._in_bins.size

    def window(self, window: Window) -> Evidence:
        """What a diagnosis looks at."""
        sums = window.sums
        scored, outliers = sums.compared
        masked, cured = self._cured(sums.masked)
        return Evidence(
            start=window.start,
            end=window.end,
            rows=sums.rows,
            values=self.values(window),
            scored=scored,
            outliers=outliers,
            masked=masked,
            cured=cured,
            agreeing=None if self.pairs is None else self.pairs.of(sums.pairs, sums.commonest) or None,
            outcomes=self.told(sums.outcomes),
        )

    def values(self, window: Window) -> dict[str, Values]:
        """By field, a window's."""
        sums = window.sums
        counts = sums.counts if len(sums.counts) else np.zeros(self.size, dtype=np.int64)
        inside = sums.inside
        whole = len(KINDS) * self._in_bins.size
        if len(inside) < whole:
            inside = np.concatenate([inside, np.zeros(whole - len(inside), dtype=np.int64)])
        by_kind = inside.reshape(len(KINDS), -1)
        return {name: self._values(name, place, counts, by_kind, sums) for name, place in self._places.items()}

    def _placed(self, field: ProfiledField) -> _Field | None:
        values, available = self.layout.find(field.name, "values"), self.layout.find(field.name, "availability")
        if values is None or available is None:
            return None
        return _Field(values, available, self._in_bins.span(field.name) if field.name in self._known else None)

    def _values(self, name: str, place: _Field, counts: Integers, inside: Integers, sums: Sums) -> Values:
        present, null, invalid, missing = counts[place.available.span].tolist()
        scored = None if place.inside is None or not inside.any() else inside[:, place.inside]
        moments = (0, 0) if place.values.moments is None else tuple(counts[place.values.moments : place.values.moments + 2].tolist())
        return Values(
            present=present,
            null=null,
            invalid=invalid,
            missing=missing,
            bins=counts[place.values.span],
            moments=moments,
            magnitudes=None if name not in sums.magnitudes.whole else Magnitudes(*sums.magnitudes.whole[name]),
            repeated=_floats(sums.repeated.whole.get(name)),
            unseen=sums.unseen.get(name, {}),
            age=sums.ages.get(name),
            scored=None if scored is None else scored[0],
            outside=None if scored is None else scored[1],
            outliers=None if scored is None else scored[2],
        )

    def _cured(self, counts: Integers) -> tuple[int, dict[str, int]]:
        if self._subject is None or not self.masked(counts):
            return 0, {}
        masks = self._subject[1].masks
        cured = counts[1 : 1 + len(masks)].tolist()
        return int(counts[0]), {_mask(one.name, one.of): number for one, number in zip(masks, cured, strict=True)}

    def told(self, vector: Integers) -> Outcomes | None:
        """What became of predictions, by a sum of revisions; numbers are in scales of the outcome, from its centre."""
        plan = self.outcomes
        if plan is None or len(vector) != plan.size:
            return None
        relation = _relation(plan, vector, "")
        rows = plan.number(vector, "labelled")
        if plan.basis.task == "category":
            loss = float(plan.number(vector, "errors"))
        else:
            loss, rows = relation.rr, relation.rows
        return Outcomes(
            labelled=rows,
            predicted=plan.number(vector, "predicted"),
            expired=plan.number(vector, "expired"),
            loss=loss,
            relation=relation,
            inner=_relation(plan, vector, INNER) if plan.basis.inner else None,
        )


def _field_of(field: ProfiledField, whose: Whose) -> FieldOf:
    assert isinstance(field.values, NumericProfile | CategoricalProfile)
    bits = mantissa(field.values) if isinstance(field.values, NumericProfile) else 0
    return FieldOf(field.name, field.role, field.values, bits, whose.source, whose.owner, whose.same_code)


def _compared(profiles: tuple[FamiliarityProfile, ...]) -> tuple[int, FamiliarityProfile] | None:
    """What is compared with the training data that says how many rows are outliers, and where it is among the others."""
    place = leading(profiles)
    return None if place is None else (place, profiles[place])


def _mask(name: str, of: str) -> str:
    return f"source:{name}" if of == "source" else name


def _floats(both: Integers | None) -> dict[float, int]:
    if both is None:
        return {}
    return dict(zip(np.ascontiguousarray(both[0]).view(np.float64).tolist(), both[1].tolist(), strict=True))


def _relation(plan: OutcomeLayout, vector: Integers, part: str) -> Relation:
    """Of a category, of its first class."""
    groups = plan.groups
    hh = np.zeros((groups, groups))
    upper = np.triu_indices(groups)
    hh[upper] = plan.take(vector, f"{part}hh")
    hh.T[upper] = hh[upper]
    unit = 1 / UNIT
    return Relation(
        rows=plan.number(vector, f"{part}rows"),
        y=float(plan.take(vector, f"{part}y")[0] * unit),
        yy=squares(plan.take(vector, f"{part}yy"))[0] * unit * unit,
        r=float(plan.take(vector, f"{part}r")[0] * unit),
        rr=squares(plan.take(vector, f"{part}rr"))[0] * unit * unit,
        hh=hh,
        hy=_floats_of(plan.take(vector, f"{part}hy")[:, 0], unit),
        hr=_floats_of(plan.take(vector, f"{part}hr")[:, 0], unit),
    )


def _floats_of(fixed: Integers, unit: float) -> NDArray[np.float64]:
    return np.asarray(fixed, dtype=np.float64) * unit
