"""How the features of a request are read: as a decoder reads those from which the model learns, by the same reference and the same rules.

Where no reference of the model holds, nothing is learnt of new rows either. Then features are read by their kind when they were learnt, and
by what the configuration says of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...detectors.learning.candidates import Value
from ...detectors.learning.served import FeatureKind
from ...schemas.configuration import Model
from ...schemas.configuration.mapping import Mapping as Canonical
from ...schemas.stored.reference import FieldType, ProfiledField
from ..decode.interface import MARKS
from ..decode.learnable import learnable, learnt
from ..decode.nulls import Nulls
from ..decode.personal import Keys, ModelRules
from ..decode.table import Wanted, wanted

#: Characters of a value, or a name, that are told in an error.
_SHOWN = 60
#: Names of features that are.
_MOST_NAMES = 10
_TYPES: Mapping[FeatureKind, FieldType] = {"number": "numeric", "text": "categorical", "boolean": "boolean"}
_NAMES: Mapping[FieldType, str] = {"numeric": "number", "categorical": "text, number or boolean", "boolean": "boolean"}


class Refused(ValueError):
    """A request that cannot be answered; the text names field and value."""


@dataclass(frozen=True)
class Reading:
    """Of one model, feature by feature."""

    features: Mapping[str, Wanted]
    known: frozenset[str]  #: names of all features, of those that nobody learns from, too

    @classmethod
    def of_fields(cls, fields: Sequence[ProfiledField], keys: Keys) -> "Reading":
        """As the reference with these fields has them."""
        known = [field for field in fields if learnable(field)]
        read = {field.name: one for field, one in zip(known, wanted(Canonical(), known, keys), strict=True)}
        return cls(read, frozenset(field.name for field in fields if field.role == "feature"))

    @classmethod
    def of_kinds(cls, kinds: Mapping[str, FeatureKind], settings: Model, rules: ModelRules) -> "Reading":
        """As what was learnt, and the configuration, have them."""
        return cls(
            {
                name: Wanted((name,), _TYPES[kind], kind == "boolean", 0, Nulls.of(settings.nulls_of(name)), "UTC", rules.of(name))
                for name, kind in kinds.items()
            },
            frozenset(kinds),
        )

    def read(self, row: Mapping[str, object], place: int) -> dict[str, Value]:
        """The features of one row; null where there is none, but some feature is there. Raises `Refused`."""
        if row and self.known and not self.known & row.keys():
            given, known = (", ".join(one[:_SHOWN] for one in sorted(names)[:_MOST_NAMES]) for names in (row, self.known))
            msg = f"features: there is none in row {place}, which has {given}; the model knows {known}"
            raise Refused(msg)
        found: dict[str, Value] = {}
        for name, one in self.features.items():
            value = one.read(row.get(name))
            if value == MARKS.invalid:
                raise misfit(name, row[name], place, _NAMES[one.type])
            found[name] = learnt(value)
        return found


def misfit(name: str, value: object, place: int, kind: str) -> Refused:
    """That a value is not what its feature is made of."""
    return Refused(f"features.{name[:_SHOWN]}: {str(value)[:_SHOWN]!r} of row {place} is no {kind}")
