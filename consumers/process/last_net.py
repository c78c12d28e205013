"""The last net: a record that makes a consumer raise is set aside, so that it cannot stop all that lies behind it.

Bad input is judged where it is read. What gets through, and then breaks a step that nobody thought of, is caught here: the record is tried
again alone, and if it raises again, it becomes a dead letter with its place and the error, counted, and told in a notice.

*Exactness.* Whether a record raises depends on the record and the release, not on batches, speed or what else is in memory: it is tried
alone. So whoever reads the log again with this release sets the same records aside, and publishes the same. Another release may count them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...schemas.unusable import Unusable
from ..bus.interface import BusError
from ..reference.artifacts import ArtifactError

#: What a record can be the cause of. Never among them: a full disk, a store or a broker that is away (`OSError`), lack of memory; what a
#: person has to change (`Unusable`); a bare `LookupError`, which is raised on purpose only: a topic is missing.
_OF_RECORDS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, RecursionError)
#: So many in a row are no bad records: the process ends, saying which.
MOST_IN_A_ROW = 3


def of_a_record(error: Exception) -> bool:
    """Whether a record can be the cause of an error.

    >>> of_a_record(UnicodeEncodeError("utf-8", chr(0xD800), 0, 1, "surrogates not allowed")), of_a_record(OSError("disk full"))
    (True, False)
    """
    return isinstance(error, _OF_RECORDS) and not isinstance(error, Unusable | BusError | ArtifactError) and type(error) is not LookupError


def told(error: Exception) -> str:
    """An error in one line, as a reason: what a record holds may be in it, and is cut short."""
    return f"it cannot be processed: {type(error).__name__}: {' '.join(str(error).split())}"[:500].encode("utf-8", "replace").decode()


@dataclass
class SetAside:
    """The records of one partition that were set aside, by offset, with the reason; those behind a commit are forgotten."""

    reasons: dict[int, str] = field(default_factory=dict)
    row: int = 0  #: so many since a fold went on
    _before: dict[int, int | None] = field(default_factory=dict)  # the offset read in front of each

    def add(self, offset: int, before: int | None, error: Exception) -> None:
        """Set one aside; ``before`` is the offset of the record in front of it. Raises the error where it is the third in a row."""
        row, last = 1, before
        while last is not None and last in self.reasons:
            row, last = row + 1, self._before[last]
        if row >= MOST_IN_A_ROW or offset in self.reasons:
            raise error
        self.reasons[offset], self._before[offset] = told(error), before

    def add_to_row(self, offset: int, error: Exception) -> None:
        """Set one aside, of a fold: there the record that raises may be another than the one at fault, which waits inside, and raises again
        with the next that sets it off. Raises the error where it is the third without the fold having gone on.
        """
        self.row += 1
        if self.row >= MOST_IN_A_ROW or offset in self.reasons:
            raise error
        self.reasons[offset], self._before[offset] = told(error), None

    def forget(self, position: int) -> None:
        """Those in front of a committed position; the newest are kept, so that a row of them can be told."""
        for offset in [o for o in self.reasons if o < position][:-MOST_IN_A_ROW]:
            del self.reasons[offset], self._before[offset]

    def among(self, first: int, last: int) -> Mapping[int, str]:
        """Those between two offsets, both included."""
        return {offset: reason for offset, reason in self.reasons.items() if first <= offset <= last}
