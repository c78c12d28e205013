"""Facts of the ledger about what a job is given beside its rows: how many labels are people's, and which golden set is in use."""

from typing import Annotated, Literal

from pydantic import Field

from ..identity import derived_id
from ..integers import Count, Time
from .on_ledger import OnLedger


class ActionReviewed(OnLedger):
    """So many predictions of a model people have labelled; the total only grows."""

    kind: Literal["reviewed"] = "reviewed"
    total: Count

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.model, self.total)


class ActionGolden(OnLedger):
    """A copy of an announcement of a golden set: the one that was announced last is in use."""

    kind: Literal["golden"] = "golden"
    golden: Annotated[str, Field(min_length=1, max_length=200)]  #: content hash
    name: Annotated[str, Field(max_length=4_000)]  #: the key of its announcement on ``PREFIX.models``
    announced: Time  #: ms

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.name, self.announced)
