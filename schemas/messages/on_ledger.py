"""What all facts of the ledger have in common: a record of JSON with a `kind`, keyed by model."""

from typing import Any, ClassVar

import msgspec

from ..cloud_events import JSON
from ..fact import Fact
from .anybodys import Application, Moment, Name


class OnLedger(Fact):
    """What all have in common."""

    content_type: ClassVar = JSON

    kind: str
    model: Name
    time: Moment | None = None  #: ms
    application: Application = None

    @property
    def key(self) -> str:
        """Of the record: all of a model lies in one partition."""
        return self.model

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.action.{self.kind}"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.model

    def lies_under(self, key: bytes) -> bool:
        """Under any: the topic is not compacted."""
        return True

    def plain(self) -> dict[str, Any]:  # JSON
        """All that it says."""
        return self.model_dump(exclude_none=True)

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.plain(), order="sorted")
