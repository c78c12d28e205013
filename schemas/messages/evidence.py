"""Evidence: a fact of another topic, on the summaries, where whoever looks for causes reads it in the order of record time."""

from typing import Any, ClassVar

import msgspec

from ..cloud_events import MSGPACK
from ..fact import Fact
from ..form import check_form, lean
from ..identity import derived_id
from ..integers import Offset, PartitionNumber, Time
from .of_version import OfVersion

#: How it is to be read: as a pane's.
FORM = 1


class Evidence(OfVersion, Fact):
    """Like a pane it has a bucket, and lies where all panes of its model do; its content is a fact, not counts.

    ``of`` says which kind: each is completed by progress of its own kind, and ignored by who does not read it.
    """

    TYPE: ClassVar = "io.driftbus.evidence"
    content_type: ClassVar = MSGPACK

    of: str
    stream: str  #: of the model's predictions
    topic: str
    topic_id: str
    partition: PartitionNumber
    offset: Offset  #: where the fact stands; of a note of an episode, whose topic is its lane, what never falls: its bucket, in general
    bucket: Time  #: ms, its end; when the fact became known: drives progress and order
    about: Time  #: ms; the time that the fact states, else that of its record
    model: str
    version: str
    fact_id: str  #: the fact's own: it is copied once, however often it was written
    fact: dict[str, Any]  # by kind, the fields of its message
    form: int = FORM

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("evidence", self.of, self.fact_id)

    @property
    def first(self) -> int:
        """In what is aligned, that of a run: here of one fact."""
        return self.offset

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def time(self) -> int:
        """The end of its bucket."""
        return self.bucket

    def encoded(self) -> bytes:
        """As it travels: msgpack."""
        return msgspec.msgpack.encode(lean(self.model_dump(), {"form": 1}))

    @classmethod
    def decoded(cls, value: bytes) -> "Evidence":
        """What `encoded` wrote. Raises `NewerForm`, and `ValueError` where it is damaged."""
        plain = msgspec.msgpack.decode(value, type=dict[str, Any])
        check_form("piece of evidence", plain, FORM)
        return cls.model_validate(plain)
