"""Facts of the ledger by which a version comes to serve: how it did on its golden set, against its parent, and what people say."""

from typing import Annotated, Literal

from pydantic import Field

from ..identity import derived_id
from ..integers import Offset, PartitionNumber, Time
from .anybodys import Name
from .contest import MOST_DAYS, ContestDay
from .feedback import NOTE
from .golden import Cause, Change, Status, Verdict
from .on_ledger import OnLedger

_Text = Annotated[str, Field(min_length=1, max_length=500)]


class ActionEvaluation(OnLedger):
    """A copy of a golden evaluation."""

    kind: Literal["evaluation"] = "evaluation"
    version: Name
    request: Annotated[str, Field(min_length=1, max_length=64)]
    golden: _Text | None = None  #: content hash of the set
    status: Status
    verdict: Verdict
    change: Change = None  #: of the mean loss
    slice: _Text | None = None  #: the one that has lost most
    slice_change: Change = None
    asked: Time = 0  #: ms
    against: Name | None = None  #: the version that it is compared with; its own: of its parent that says nothing
    cause: Cause | None = None  #: why it was asked for; None: an older release did not say

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.model, self.request)


class ActionContest(OnLedger):
    """A copy of a contest. Of a partition it counts once: only with a place above the last."""

    kind: Literal["contest"] = "contest"
    version: Name
    other: Name
    partition: PartitionNumber
    place: Offset
    day: Annotated[int, Field(ge=1)]  #: ms
    days: Annotated[tuple[ContestDay, ...], Field(max_length=MOST_DAYS)]

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.model, self.version, self.other, self.partition, self.place)


class ActionVersion(OnLedger):
    """What a person says of a version: it is to serve, never to, or its parent is to again. At another time it is another word."""

    kind: Literal["promote", "refuse", "roll_back"]
    version: Name
    by: Name
    note: Annotated[str, Field(max_length=NOTE.most)] | None = None

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.model, self.version, self.by, self.time)
