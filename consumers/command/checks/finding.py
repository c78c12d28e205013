"""What a check found."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from ...bus.interface import BusError
from ...reference.artifacts import ArtifactError


class Finding(NamedTuple):
    """``wrong`` prevents running; ``note`` is worth a thought; ``more`` belongs to the one in front of it. Each is a line."""

    level: Literal["ok", "note", "wrong", "more"]
    text: str


def answered(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; where a permission or an artifact is missing, the reason instead of what would have followed."""
    try:
        yield from findings
    except ArtifactError as error:
        yield Finding("wrong", str(error))
    except BusError as error:
        if "AUTHORIZATION" not in str(error):
            raise  # a bus that does not answer will not answer the next question either
        yield Finding("wrong", f"{error}; see docs/acls.md")
