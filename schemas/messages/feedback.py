"""Feedback: what a person says of an incident, on a topic where any Kafka client may say it."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import AfterValidator, Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..text import Use, unfit
from .anybodys import Application, Moment, Name, of_fields, of_json
from .of_version import OfVersion
from .root_cause import Cause

Answer = Literal["confirm", "reject"]
#: A remark: any text, so long at most; whoever shows it escapes it.
NOTE = Use(2_000, anything=True)


def _note(note: str) -> str:
    if problem := unfit(note, NOTE):
        raise ValueError(problem.replace("a name", "a note"))
    return note


class Feedback(OfVersion, Fact):
    """On ``PREFIX.feedback``, written by `driftbus feedback` and by any Kafka client; the last word on an incident counts.

    Twice is once: the same answer by the same person at the same time has the same id.
    """

    content_type: ClassVar = JSON

    model: Name  #: of the incident: all that is known of it meets where its panes lie
    incident: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    answer: Answer
    cause: Cause | None = None  #: what it is in this person's eyes; confirmed under another cause it is rejected as what it was taken for
    note: Annotated[str, AfterValidator(_note)] | None = None
    by: Name | None = None
    time: Moment | None = None  #: ms of record time; none: when the record was written
    application: Application = None

    @property
    def version(self) -> str:
        """It is of the incident, whatever versions that touches."""
        return "-"

    def lies_under(self, key: bytes) -> bool:
        """Under any: the topic is not compacted, and has one partition."""
        return True

    def agrees(self, cause: Cause) -> bool:
        """Whether it says that the incident is rightly told as this cause.

        >>> one = Feedback(model="eta", incident="0" * 32, answer="confirm", cause="data_drift")
        >>> one.agrees("data_drift"), one.agrees("feature_drift")
        (True, False)
        """
        return self.answer == "confirm" and self.cause in (None, cause)

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("feedback", self.model, self.incident, self.answer, self.cause, self.by, self.time, self.note)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.feedback.{self.answer}"

    def plain(self) -> dict[str, Any]:  # JSON
        """All that it says."""
        return self.model_dump(exclude_none=True)

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.plain(), order="sorted")

    @classmethod
    def of(cls, plain: Mapping[str, object]) -> "Feedback":
        """The word with these fields. Raises `ValueError` that names each one at fault.

        >>> Feedback.of({"model": "eta", "incident": "0" * 32, "answer": "maybe"})
        Traceback (most recent call last):
        ...
        ValueError: answer: Input should be 'confirm' or 'reject'
        """
        return of_fields(cls, plain)

    @classmethod
    def decoded(cls, value: bytes) -> "Feedback":
        """What `encoded`, or anybody, wrote. Raises `ValueError` as `of` does."""
        return of_json(cls, value, "feedback")
