"""``streams:`` of the configuration: what is read, and how it is cut."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ..bounds import LONGEST_TOPIC, MOST_TOPICS
from ..duration import DurationOrNone
from ..fact import Setting
from .embedder import Embedder
from .mapping import Mapping, Place
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
    grace: DurationOrNone = 1_000
    max_jump: DurationOrNone = 3_600_000
    max_ahead: DurationOrNone = Field(60_000, description="live: a record further ahead of the wall clock was written by a wrong clock")
    max_rows: int = Field(50_000, ge=1, le=10_000_000)
    linger: DurationOrNone = 2_000
    patience: DurationOrNone = 300_000
    act: bool = Field(False, description="with clock: record hands act on it, too: in demonstrations and tests")
    embedder: Embedder | None = Field(None, description="whose vectors the texts get, before anything else reads them")

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

    @model_validator(mode="after")
    def _texts_become_vectors(self) -> "Stream":
        if self.embedder is None:
            return self
        vector = self.mapping.embedding
        wrong = {
            "mapping.text: write where the text stands that its vector is of": self.mapping.text is None,
            "mapping.embedding: write the name that the vector gets in the message, which leads through no object": (
                vector is None or len(vector.path) > 1
            ),
            "topics: it reads one topic; give each a stream of its own": len(self.topics) > 1,
            "clock: an embedder asks a server, and so the clock is live": self.clock != "live",
        }
        if told := next((text for text, so in wrong.items() if so), None):
            msg = f"embedder needs {told}"
            raise ValueError(msg)
        return self

    @property
    def embedded(self) -> tuple[Place, Place] | None:
        """Where the text stands that an embedder is asked for, and where its vector does then; None: there is no embedder."""
        text, vector = self.mapping.text, self.mapping.embedding
        return None if self.embedder is None or text is None or vector is None else (text, vector)

    def read_from(self, topic: str) -> "Stream":
        """The same as everybody but its embedder reads it: from the topic that this one writes."""
        if self.embedder is None or self.embedder.reads is not None:
            return self
        reads = self.embedder.model_copy(update={"reads": self.topics[0]})
        return self.model_copy(update={"topics": (topic,), "embedder": reads})

    @property
    def acted_on(self) -> bool:
        """Whether hands act: of what is over nothing is done again."""
        return self.clock == "live" or self.act

    @property
    def longest_jump(self) -> int:
        """Milliseconds a timestamp may be ahead without being judged: `max_jump`, at least ten buckets."""
        return max(self.max_jump, 10 * self.pane.milliseconds)
