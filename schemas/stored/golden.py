"""A golden set: rows with known answers, on which the model itself is tested. Nothing changes one; a better one has another name."""

import math
from typing import Any, Literal, NamedTuple

import msgspec
from pydantic import Field, model_validator

from ..fact import Fact
from ..form import check_form
from ..identity import content_hash
from ..text import CATEGORY, ID, MODEL, unfit
from ..unusable import Unusable

#: Of a set: its answers then travel in a few records, and are compared whole.
MOST_ROWS = 20_000
#: Of a set: a row's slices travel as the bits of one number.
MOST_SLICES = 62
#: Of a loss between 0 and some thirty: a millionth is told apart.
PLACES = 20
#: Binary places of the largest label: so much smaller losses are told apart, and so much larger ones still add up exactly.
OF_LABELS = 32

Loss = Literal["zero_one", "log_loss", "brier", "absolute", "squared"]
OF_NUMBERS: frozenset[str] = frozenset({"absolute", "squared"})
OF_PROBABILITIES: frozenset[str] = frozenset({"log_loss", "brier"})
Value = float | int | str | bool | list[float] | None
FORM = 1


class UnusableGolden(Unusable):
    """Rows that no golden set can be made of. The message says what to change."""


class GoldenRow(Fact):
    """One row, as the model is asked it, and what it should answer."""

    id: str
    features: dict[str, Value]
    label: float | str  #: a number where the loss is one of numbers, else the text of a class
    slices: tuple[str, ...] = ()  #: parts of the set that are told by themselves


class GoldenSet(Fact):
    """Rows in the order of their ids, and the loss that tells how well they were answered."""

    form: int = FORM
    model: str
    loss: Loss
    classes: tuple[str, ...] = ()  #: in the order in which a list of probabilities has them; of two the second is meant by one number
    places: int = PLACES  #: a loss travels as a whole number of 2 ** -places
    rows: tuple[GoldenRow, ...] = Field(min_length=1, max_length=MOST_ROWS)

    @model_validator(mode="after")
    def _in_order(self) -> "GoldenSet":
        ids = [row.id for row in self.rows]
        if ids != sorted(set(ids)):
            msg = "the rows of a golden set stand in the order of their ids, each once"
            raise ValueError(msg)
        return self

    @property
    def slices(self) -> tuple[str, ...]:
        """The names of all its slices, sorted."""
        return tuple(sorted({name for row in self.rows for name in row.slices}))

    @property
    def hash(self) -> str:
        """Its name: that of its content."""
        return content_hash(self.encoded())

    def encoded(self) -> bytes:
        """The artifact: JSON, the same bytes for the same rows, whoever collected them, in whatever order."""
        return msgspec.json.encode(self.model_dump(), order="sorted")

    @classmethod
    def decoded(cls, content: bytes) -> "GoldenSet":
        """What `encoded` wrote."""
        plain: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])  # JSON
        check_form("golden set", plain, FORM)
        return cls.model_validate(plain)


class Difference(NamedTuple):
    """What one set has, and another has not: ids of rows."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]  #: of the same id, with other features, label or slices


def golden_set(model: str, loss: Loss, rows: list[GoldenRow], classes: tuple[str, ...] = ()) -> GoldenSet:
    """The set of these rows, whatever their order.

    >>> rows = [GoldenRow(id=i, features={"amount": 1.0}, label=l) for i, l in (("b", "yes"), ("a", "no"))]
    >>> made = golden_set("fraud", "zero_one", rows)
    >>> made.classes, [row.id for row in made.rows], made.hash == golden_set("fraud", "zero_one", rows[::-1]).hash
    (('no', 'yes'), ['a', 'b'], True)
    """
    _check(model, loss, rows)
    labels = [row.label for row in rows]
    if loss in OF_NUMBERS:
        numbers = [abs(label) for label in labels if isinstance(label, int | float)]
        classes, places = (), _places(max(numbers), squared=loss == "squared")
    else:
        known = set(map(str, labels))
        classes, places = classes or tuple(sorted(known)), PLACES
        if unknown := known - set(classes):
            msg = f"label {sorted(unknown)[0]!r} is not among the classes {', '.join(classes)}: name them all"
            raise UnusableGolden(msg)
        if len(set(classes)) < max(2, len(classes)):
            msg = f"{len(set(classes))} class of {len(classes)}: a golden set has at least two, each once; name those without a row, too"
            raise UnusableGolden(msg)
    return GoldenSet(model=model, loss=loss, classes=classes, places=places, rows=tuple(sorted(rows, key=lambda row: row.id)))


def difference(before: GoldenSet, after: GoldenSet) -> Difference:
    """What became of the rows from one set to another."""
    old, new = ({row.id: row for row in one.rows} for one in (before, after))
    changed = sorted(id_ for id_ in old.keys() & new.keys() if old[id_] != new[id_])
    return Difference(tuple(sorted(new.keys() - old.keys())), tuple(sorted(old.keys() - new.keys())), tuple(changed))


def label_text(label: object) -> str:
    """A class by its text, however it is written: whole numbers and booleans are the same class as a number, or its text.

    >>> label_text(1.0), label_text(True), label_text("1"), label_text("yes")
    ('1', '1', '1', 'yes')
    """
    if isinstance(label, bool):
        return str(int(label))
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _check(model: str, loss: Loss, rows: list[GoldenRow]) -> None:
    if why := unfit(model, MODEL):
        msg = f"the model of a golden set has {why}"
        raise UnusableGolden(msg)
    if not 1 <= len(rows) <= MOST_ROWS:
        msg = f"{len(rows):,} rows: a golden set has 1 to {MOST_ROWS:,}; choose among them: driftbus golden refresh does"
        raise UnusableGolden(msg)
    ids = [row.id for row in rows]
    if len(set(ids)) < len(ids):
        twice = next(id_ for number, id_ in enumerate(ids) if id_ in ids[:number])
        msg = f"row {twice!r} stands there twice: ids tell rows apart"
        raise UnusableGolden(msg)
    for row in rows:
        for text, use in ((row.id, ID), *((name, CATEGORY) for name in row.slices)):
            if not text or (why := unfit(text, use)):
                msg = f"row {row.id[:50]!r}: an id or a slice has {'no text' if not text else why}"
                raise UnusableGolden(msg)
        if loss in OF_NUMBERS and not (isinstance(row.label, int | float) and math.isfinite(row.label)):
            msg = f"row {row.id!r}: label {row.label!r} is no number, and the loss is {loss}; leave the row out, or choose zero_one"
            raise UnusableGolden(msg)
    if len(slices := {name for row in rows for name in row.slices}) > MOST_SLICES:
        msg = f"{len(slices)} slices: a golden set has at most {MOST_SLICES}"
        raise UnusableGolden(msg)


def _places(largest: float, *, squared: bool) -> int:
    """So many that the loss of the largest label has `OF_LABELS` of them in front of the point, or more."""
    exponent = math.frexp(largest)[1] if largest else 0
    return max(-1_000, min(60, OF_LABELS - exponent * (2 if squared else 1)))
