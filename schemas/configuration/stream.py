"""``streams:`` of the configuration: what is read, and how it is cut."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from ..bounds import LONGEST_TOPIC, MOST_TOPICS
from ..duration import Duration
from ..fact import Setting
from .mapping import Mapping
from .units import Pane, PaneLength
from .where import AnyWhere


class Stream(Setting):
    """A configured group of input topics, read and aligned together."""

    topics: Annotated[tuple[Annotated[str, Field(max_length=LONGEST_TOPIC)], ...], Field(min_length=1, max_length=MOST_TOPICS)]
    clock: Literal["live", "record"] = "live"
    pane: Pane = PaneLength("time", 10_000)
    format: Literal["json"] = "json"
    mapping: Mapping = Mapping()
    where: AnyWhere | None = Field(None, description="which records are rows: type == prediction and header:kind != shadow")
    grace: Duration = 1_000
    max_jump: Duration = 3_600_000
    max_ahead: Duration = Field(60_000, description="live: a record further ahead of the wall clock was written by a wrong clock")
    max_rows: int = Field(50_000, ge=1, le=10_000_000)
    linger: Duration = 2_000
    patience: Duration = 300_000

    @field_validator("pane")
    @classmethod
    def _rows_are_of_one_topic_by_record(cls, pane: PaneLength, known: ValidationInfo) -> PaneLength:
        if pane.unit == "rows" and len(known.data.get("topics", ())) > 1:
            msg = f"{pane} are counted in one topic; give each topic a stream of its own, or write a length of time"
            raise ValueError(msg)
        if pane.unit == "rows" and known.data.get("clock") == "live":
            msg = f"no clock can say that {pane} are complete; add clock: record"
            raise ValueError(msg)
        return pane

    @property
    def longest_jump(self) -> int:
        """Milliseconds a timestamp may be ahead without being judged: `max_jump`, at least ten buckets."""
        return max(self.max_jump, 10 * self.pane.milliseconds)
