"""``streams.NAME.embedder:`` of the configuration: whose vectors a stream's texts get before anything else reads them."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from ..bounds import LONGEST_TOPIC
from ..duration import Duration
from ..fact import Setting
from .address import Address, Headers, holds
from .mapping import Path, Place

#: Numbers of a vector, at most: of such are its products exact.
MOST_NUMBERS = 4_096
#: What stands for the texts in a template.
TEXTS = "{texts}"
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]


class Embedder(Setting):
    """A server that is asked once for the vector of each text; the defaults are those of most."""

    url: Address
    name: _Name = Field(description="of its model; another one makes other vectors")
    revision: _Name = Field(description="of that model, as its server declares it")
    size: int = Field(ge=2, le=MOST_NUMBERS, description="numbers of a vector")
    template: Any = Field({"input": TEXTS}, description="of a request")
    answer: Path | None = Field(Place("path", "data"), description="where the list of vectors stands; null: the answer is the list")
    headers: Headers = {}
    batch: int = Field(64, ge=1, le=1_000, description="texts of a call")
    deadline: Duration = Field(30_000, description="of one call")
    attempts: int = Field(3, ge=1, le=100, description="at a call, before it is asked whether the server answers at all")
    down: Literal["wait", "pass"] = Field("wait", description="while it does not: nothing passes, or rows without a vector do")
    insecure: bool = Field(False, description="http to another machine: anybody on the way can read the texts")
    reads: Annotated[str, Field(min_length=1, max_length=LONGEST_TOPIC)] | None = Field(None, description="the stream's own topic")

    @property
    def identity(self) -> str:
        """Whose vectors they are, as references have it."""
        return f"{self.name}@{self.revision}"

    @model_validator(mode="after")
    def _sends_texts(self) -> "Embedder":
        if not holds(self.template, TEXTS):
            msg = f'template: no text stands in it; write "{TEXTS}" where the list of them is to be'
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _in_private(self) -> "Embedder":
        parts = urlsplit(self.url)
        if parts.scheme == "http" and parts.hostname not in _HERE and not self.insecure:
            msg = f"url: texts would go to {parts.hostname} in the clear; write https, or insecure: true"
            raise ValueError(msg)
        return self
