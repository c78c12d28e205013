"""What all that stands on ``PREFIX.performance`` has in common: it tells of one version of a model, as JSON."""

from typing import Any, ClassVar, Self

import msgspec

from ..cloud_events import JSON
from ..fact import Fact


class OnPerformance(Fact):
    """What all have in common."""

    TYPE: ClassVar[str]
    content_type: ClassVar = JSON

    application: str
    model: str
    version: str

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{self.model}/{self.version}"

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.model_dump(), order="sorted")

    @classmethod
    def decoded(cls, value: bytes) -> Self:
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(msgspec.json.decode(value, type=dict[str, Any]))
