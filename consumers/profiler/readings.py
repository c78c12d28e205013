"""How rows of a feature log are read: as the predictions of each model are that is compared with it.

By the fields, types, absent values and rules for personal data of the references that hold in the row's bucket: so what is the same in both
messages is the same in both blocks.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors.agreement import Comparison
from ...schemas.configuration import Configuration
from ...schemas.configuration.mapping import Mapping, Place
from ...schemas.outcome import NO_VALUE
from ..decode.json import JSONDecoder
from ..decode.personal import rules_of
from ..reference.agreement import comparisons
from .awaiting import Texts
from .references import References

Integers = NDArray[np.int64]
#: Of one model in one bucket, ways to read a row that are tried: those of the newest versions.
MOST_READINGS = 4


class LogReferences(References, Protocol):
    """What the reader of a feature log asks about references: its rows say no version."""

    def holding_of(self, model: str, bucket: int) -> Sequence[str]:
        """The references that hold for any version of a model in that bucket, the newest first."""
        ...


class Bad(NamedTuple):
    """A record, or a field of it, that cannot be read."""

    row: int
    field: str | None
    reason: str


class Reading:
    """How rows are read for some versions of one model.

    Parameters
    ----------
    comparison
        What is compared, with columns as the reference has them.
    width
        Values that a row carries.
    """

    def __init__(self, model: str, comparison: Comparison, mapping: Mapping, decoder: JSONDecoder, width: int) -> None:
        self.model, self.comparison = model, comparison
        self._own = Comparison(comparison.fields, [one.name for one in comparison.features])  # with columns as they are read here
        self._mapping, self._decoder, self._width = mapping, decoder, width

    def codes(self, values: Sequence[bytes | None], rows: Integers) -> tuple[Integers, list[Bad]]:
        """The values of some of the records, shape [rows, width]; and what is bad of these, each with its row among the records."""
        fields = self._own.fields
        columns = self._decoder.columns(fields, values, rows)
        codes = self._own.codes(columns.numeric, Texts(columns.categorical, fields, np.arange(len(rows))), self._width)
        bad = [Bad(int(rows[one.row]), one.field, one.reason) for one in columns.invalid]
        empty = [row for row in rows[(codes == NO_VALUE).all(axis=1)].tolist() if not self._decoder.is_row(values[row])]
        return codes, bad + [Bad(row, None, f"{self._mapping.features}: no values of features") for row in empty]


class Readings:
    """Those of the models that are compared with one feature log."""

    def __init__(self, configuration: Configuration, log: str, references: LogReferences) -> None:
        self._references, self._comparison_of = references, comparisons(configuration)
        values = configuration.features[log].mapping.values
        # Whose a row is says the feature log's own mapping: by this one nothing but the features is read.
        self._mapping = Mapping(
            model=Place("constant", "-"), version=None, id=None, time=None, features=values, prediction=None, score=None
        )
        self._width = configuration.compared(log)
        models = [name for name, own in configuration.models.items() if own.agreement is not None and own.agreement.log == log]
        self._decoders = {name: JSONDecoder(self._mapping, keys=rules_of(configuration, name).keys) for name in models}
        self._known: dict[tuple[str, str], Reading] = {}

    def of(self, bucket: int) -> Iterator[Reading]:
        """Those that rows of a bucket are read by."""
        for model in self._decoders:
            found: dict[str, Comparison] = {}
            for reference in self._references.holding_of(model, bucket):
                comparison = self._comparison_of(model, reference, self._references.monitored(reference).fields)
                if comparison.features and len(found) < MOST_READINGS:
                    found.setdefault(comparison.name, comparison)
            yield from (self._reading(model, comparison) for comparison in found.values())

    def _reading(self, model: str, comparison: Comparison) -> Reading:
        known = self._known.get((model, comparison.name))
        if known is None:
            if len(self._known) >= MOST_READINGS * len(self._decoders):
                self._known.clear()
            known = Reading(model, comparison, self._mapping, self._decoders[model], self._width)
            self._known[model, comparison.name] = known
        return known
