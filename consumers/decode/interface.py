"""What every decoder offers: a batch of payloads in, columns out; what cannot be decoded is named with its row and reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting import absent
from ...schemas.cloud_events import Headers
from ...schemas.stored.reference import ProfiledField


class Marks(NamedTuple):
    """Why a value is not there: bit patterns of NaN (as uint64) where it would be a number; as they are, ints, where it would be a text."""

    null: int = absent.NULL
    invalid: int = absent.INVALID
    missing: int = absent.MISSING


MARKS = Marks()


class AsOf(NamedTuple):
    """A time that stands beside the features: as of when values of some of them are."""

    path: tuple[str, ...]
    zone: str = "UTC"  #: where it is from, if it does not say so; the same of all that stand there


class Rejected(NamedTuple):
    """A record that cannot be counted at all."""

    row: int
    reason: str


class InvalidField(NamedTuple):
    """A field of the wrong type: the row's other fields count."""

    row: int
    field: str  #: where in the message: payload.features.amount
    reason: str


@dataclass(frozen=True)
class Identities:
    """Whose rows they are, for n records."""

    models: Sequence[tuple[str, str]]  #: the distinct (model, version) pairs
    model_of: NDArray[np.int32]  #: length n, index into ``models``; -1: rejected
    rejected: list[Rejected] = field(default_factory=list)
    left_out: Sequence[int] = ()  #: records that the stream does not take for rows: neither of a model, nor rejected
    golden: Mapping[int, str] = field(default_factory=dict)  #: those of them that golden evaluations asked for, each with which


@dataclass(frozen=True)
class Columns:
    """Decoded rows of one schema, in the order of its fields.

    ``numeric`` has shape [n, number of numeric fields]; what is no finite number is a NaN with a bit pattern of `MARKS`.
    ``categorical`` is one sequence of length n per categorical, boolean or text field: the text, or one of the `Marks` as an int.
    ``vectors`` is one array of shape [n, size] per embedding; of one that is not there the first number is a NaN of `MARKS`.
    """

    numeric: NDArray[np.float64]
    categorical: Sequence[Sequence[object]]
    invalid: list[InvalidField] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)  #: rows all of whose numbers are *missing*; they must not be counted
    vectors: Sequence[NDArray[np.float64]] = ()
    ids: Sequence[object] | None = None  #: the text of every row's id, or one of the `Marks`; None: not asked for, or not in the payload
    entities: Sequence[object] | None = None  #: likewise of whose features they are
    as_of: NDArray[np.float64] | None = None  #: and as of when, seconds since 1970; NaN where there is no time
    times: NDArray[np.float64] | None = None  #: [n, times], seconds since 1970 or a NaN of `MARKS`; None: not asked for


class Decoder(Protocol):
    """One format, for one stream's mapping."""

    def identities(
        self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None
    ) -> Identities:
        """The model and version of every record: from constant, key or header where mapped so, else a first pass over the ids only."""
        ...

    def columns(
        self,
        fields: Sequence[ProfiledField],
        values: Sequence[bytes | None],
        rows: NDArray[np.intp] | None = None,
        *,
        ids: bool = False,
        entities: bool = False,
        times: tuple[AsOf, ...] = (),
    ) -> Columns:
        """The fields of every record, in one pass, and what else is asked for; or of those of some rows, which what is told of rows then
        counts among. A time that is a field itself is known where that is a timestamp, and else missing.

        Of the very sequence of values that `identities` had, a decoder may have read the columns along already.
        """
        ...

    def is_row(self, value: bytes | None) -> bool:
        """Whether a record is one; of one that cannot be read nobody knows, so it is."""
        ...

    def features(self, value: bytes | None) -> dict[str, object]:
        """Whatever stands among the features of a record, of known names or not; nothing, where the mapping names each of them."""
        ...

    @property
    def needs_keys(self) -> bool:
        """Whether `identities` reads keys."""
        ...

    @property
    def needs_headers(self) -> bool:
        """Whether `identities` reads headers."""
        ...
