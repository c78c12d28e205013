"""Coincident facts on the models topic: what was done at a time, to whatever, that may be why something drifts since then."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote, unquote

import msgspec
from pydantic import Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from .anybodys import Application, Moment, Name, of_fields, of_json

#: *release*: something was deployed; *feature_version*: features are computed in another way; *schema*: messages have another form.
CoincidenceType = Literal["release", "feature_version", "schema"]
#: How the keys of all of them begin.
KEYS = b"coincident/"
#: Features that one names.
MOST_NAMED = 50


class Coincidence(Fact):
    """On ``PREFIX.models``, written by `driftbus coincident` and by any Kafka client.

    It proves nothing: it is told beside what began then, and what needs a release to be believed believes it.
    """

    content_type: ClassVar = JSON

    type_: Annotated[CoincidenceType, Field(alias="type")]
    ref: Name  #: what people find it by: "inventory 4.2", a deployment's address
    source: Name | None = None  #: where values come from, as the configuration's `sources` call it; none: it may touch any
    features: Annotated[tuple[Name, ...], Field(max_length=MOST_NAMED)] = ()  #: none: all of the source
    model: Name | None = None  #: none: it concerns every model that the configuration lists
    time: Moment | None = None  #: ms of record time; none: when the record was written
    application: Application = None

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        whose = () if self.application is None else (self.application,)
        return KEYS.decode() + "/".join(quote(part, safe="") for part in (self.type_, self.ref, *whose))

    def lies_under(self, key: bytes) -> bool:
        """Whether a record's key is this one's: its parts need no escapes where they hold no slash.

        >>> one = Coincidence(type="release", ref="inventory 4.2")
        >>> one.key, one.lies_under(b"coincident/release/inventory 4.2"), one.lies_under(b"coincident/release/other")
        ('coincident/release/inventory%204.2', True, False)
        """
        said, own = (list(map(unquote, text.split("/"))) for text in (key.decode("utf-8", "replace"), self.key))
        return said == own

    @property
    def id(self) -> str:
        """The same at every repetition; at another time it is another fact."""
        return derived_id("coincidence", self.type_, self.ref, self.model, self.time)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.coincident.{self.type_}"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.ref

    @property
    def version(self) -> str:
        """It is of no version."""
        return "-"

    def plain(self) -> dict[str, Any]:  # JSON
        """All that it says."""
        return self.model_dump(exclude_none=True, by_alias=True)

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.plain(), order="sorted")

    @classmethod
    def of(cls, plain: Mapping[str, object]) -> "Coincidence":
        """The fact with these fields. Raises `ValueError` that names each one at fault.

        >>> Coincidence.of({"type": "release", "ref": "web 7", "time": "yesterday"})
        Traceback (most recent call last):
        ...
        ValueError: time: Invalid isoformat string: 'yesterday'
        """
        return of_fields(cls, plain)

    @classmethod
    def decoded(cls, value: bytes) -> "Coincidence":
        """What `encoded`, or anybody, wrote. Raises `ValueError` as `of` does."""
        return of_json(cls, value, "a coincident fact")
