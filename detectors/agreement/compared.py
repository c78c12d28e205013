"""Which of a reference's features are compared with a feature log, and as what their values travel."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.identity import content_hash
from ...schemas.outcome import NO_VALUE
from ...schemas.stored.reference import CategoricalProfile, NumericProfile, ProfiledField
from .codes import code_of_text, codes_of_numbers

Integers = NDArray[np.int64]
#: Types of fields whose values are compared. An age is not: of one instant both sides say it at their own times.
COMPARED = ("numeric", "categorical", "boolean")
#: Differences up to this share of the larger value are how somebody rounded: float32 has seven digits.
TOLERANCE = 1e-6
#: Characters of an identity.
_SHORT = 16


class LookedUp(Protocol):
    """Columns of texts of which each distinct value is asked for once."""

    def looked_up(self, column: int, found: Callable[[object], int]) -> Integers:
        """A number for every row, by its value."""
        ...


class ComparedFeature(NamedTuple):
    """One feature."""

    field: ProfiledField
    column: int  #: among the decoded numbers, or among the texts
    tolerance: float = TOLERANCE

    @property
    def name(self) -> str:
        """As the reference has it."""
        return self.field.name

    @property
    def profile(self) -> NumericProfile | CategoricalProfile:
        """Its bins."""
        assert isinstance(self.field.values, NumericProfile | CategoricalProfile)  # `comparable`
        return self.field.values

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.field.type == "numeric"


class Comparison:
    """The features of a reference that are compared.

    Parameters
    ----------
    fields
        All fields of the reference.
    chosen
        The names of the features, or how many: then they are the first of those that can be compared.
    tolerance_of
        By a feature's name, up to which share of the larger value a difference is none; None: `TOLERANCE`.
    """

    def __init__(
        self, fields: Sequence[ProfiledField], chosen: Sequence[str] | int, tolerance_of: Callable[[str], float | None] = lambda _: None
    ) -> None:
        numeric = [field.name for field in fields if field.type in ("numeric", "timestamp")]
        texts = [field.name for field in fields if field.type in ("categorical", "boolean", "text")]
        known = {field.name: field for field in fields if comparable(field)}
        names = [*known][:chosen] if isinstance(chosen, int) else [name for name in chosen if name in known]
        places = {"numeric": numeric}
        found = []
        for name in names:
            field, tolerance = known[name], tolerance_of(name)
            column = places.get(field.type, texts).index(name)
            found.append(ComparedFeature(field, column, TOLERANCE if tolerance is None else tolerance))
        self.features = tuple(found)
        self.fields = tuple(one.field for one in found)  #: of the reference, those that are compared
        #: Equal where the values of two versions' rows mean the same; of no features "".
        self.name = content_hash(msgspec.json.encode([_form(one.field) for one in found])).partition(":")[2][:_SHORT] if found else ""

    def codes(self, numeric: NDArray[np.float64], texts: LookedUp, width: int) -> Integers:
        """Of every row a value a feature, shape [rows, width], from all decoded columns; those behind the features are absent."""
        found = np.full((len(numeric), width), NO_VALUE, dtype=np.int64)
        numbers = [place for place, one in enumerate(self.features) if one.numeric]
        found[:, numbers] = codes_of_numbers(numeric[:, [self.features[place].column for place in numbers]])
        for place, one in enumerate(self.features):
            if not one.numeric:
                found[:, place] = texts.looked_up(one.column, code_of_text)
        return found


def comparable(field: ProfiledField) -> bool:
    """Whether a field's values can be compared with those of a feature log."""
    return field.role == "feature" and field.type in COMPARED and isinstance(field.values, NumericProfile | CategoricalProfile)


def _form(field: ProfiledField) -> list[object]:
    """What decides which value a message's text stands for."""
    rule = None if field.rule is None else field.rule.model_dump()
    parse = isinstance(field.values, NumericProfile | CategoricalProfile) and field.values.parse
    return [field.name, field.type, parse, list(field.nulls), rule]
