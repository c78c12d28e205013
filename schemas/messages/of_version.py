"""How messages that speak of one model version are addressed."""

from typing import Protocol


class _Speaks(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str: ...


class OfVersion:
    """Beside `Fact`: the record's key is the model, so that all of it meets in one partition, and the subject its version."""

    @property
    def key(self: _Speaks) -> str:
        """Of the record."""
        return self.model

    @property
    def subject(self: _Speaks) -> str:
        """What it is about."""
        return f"{self.model}/{self.version}"
