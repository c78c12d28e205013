"""Proposals of golden sets, on the models topic: after an incident a model is to be tested on other rows; a person says whether."""

from typing import Annotated, ClassVar, Literal
from urllib.parse import quote

import msgspec
from pydantic import Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, Time
from .anybodys import Application, Name
from .job import Why

#: How the keys of all proposals begin.
KEYS = b"golden-proposal/"


class GoldenProposal(Fact):
    """On ``PREFIX.models``: a golden set that a model is to be tested on, by the hash of its content. A tombstone takes it back."""

    content_type: ClassVar = JSON

    model: Name
    golden: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]  #: content hash; the set is in the artifact store
    parent: str  #: the set that it would take the place of
    incident: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    revision: Count
    cause: str
    advice: Literal["refresh_after", "rebuild", "extend"]  #: of the cause
    because: Why = ""
    rows: Count
    added: Count = 0
    removed: Count = 0
    changed: Count = 0  #: rows of the same id with another content
    proposed: Time  #: ms
    by: Name | None = None
    application: Application = None

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        whose = "" if self.application is None else f"/{quote(self.application, safe='')}"
        return f"{KEYS.decode()}{quote(self.model, safe='')}/{self.golden}{whose}"

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("golden-proposal", self.key, self.incident)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return "io.driftbus.golden-proposal"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.model

    @property
    def time(self) -> int:
        """When it was proposed."""
        return self.proposed

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.model_dump(exclude_none=True), order="sorted")
