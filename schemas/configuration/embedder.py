"""``streams.NAME.embedder:`` of the configuration: whose vectors a stream's texts get before anything else reads them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from ..bounds import LONGEST_TOPIC
from ..duration import Duration
from ..fact import Setting
from .address import Address, Headers, clear, holds
from .importable import importable
from .mapping import Path, Place

#: Numbers of a vector, at most: of such are its products exact.
MOST_NUMBERS = 4_096
#: What stands for the texts in a template.
TEXTS = "{texts}"
_WAYS = ("url", "callable", "sentence_transformers")
_OF_URL = ("template", "answer", "headers", "insecure")
_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]


def _function(written_: str) -> str:
    return importable(written_, "function", "function")


class Embedder(Setting):
    """What is asked once for the vector of each text: a server, a function, or a model; the defaults are those of most."""

    url: Address | None = Field(None, description="of a server")
    callable: Annotated[str, AfterValidator(_function)] | None = Field(
        None, description="a function of Python, package.module:function, in a process of its own: a list of texts in, as many vectors out"
    )
    sentence_transformers: Annotated[str, Field(min_length=1, max_length=1_000)] | None = Field(
        None, description="a model of sentence-transformers: its name, or the folder where it lies; in a process of its own"
    )
    name: _Name = Field(description="of its model; another one makes other vectors")
    revision: _Name = Field(description="of that model, as its server declares it")
    size: int = Field(ge=2, le=MOST_NUMBERS, description="numbers of a vector")
    template: Any = Field({"input": TEXTS}, description="of a request")
    answer: Path | None = Field(Place("path", "data"), description="where the list of vectors stands; null: the answer is the list")
    headers: Headers = {}
    batch: int = Field(64, ge=1, le=1_000, description="texts of a call")
    deadline: Duration = Field(30_000, description="of one call")
    loading: Duration = Field(300_000, description="until a function or a model is there")
    attempts: int = Field(3, ge=1, le=100, description="at a call, before it is asked whether it answers at all")
    down: Literal["wait", "pass"] = Field("wait", description="while it does not: nothing passes, or rows without a vector do")
    insecure: bool = Field(False, description="http to another machine: anybody on the way can read the texts")
    reads: Annotated[str, Field(min_length=1, max_length=LONGEST_TOPIC)] | None = Field(None, description="the stream's own topic")

    @property
    def identity(self) -> str:
        """Whose vectors they are, as references have it."""
        return f"{self.name}@{self.revision}"

    @property
    def way(self) -> str:
        """The key that says how it is asked."""
        return next(key for key in _WAYS if getattr(self, key) is not None)

    @model_validator(mode="after")
    def _one_way(self) -> "Embedder":
        named = [key for key in _WAYS if getattr(self, key) is not None]
        if len(named) != 1:
            msg = f"{' and '.join(named) or 'nothing'}: write one of {', '.join(_WAYS)}"
            raise ValueError(msg)
        fields = type(self).model_fields
        if self.url is None and (of_url := [key for key in _OF_URL if getattr(self, key) != fields[key].get_default()]):
            msg = f"{of_url[0]}: only a server with a url has it, and {named[0]} is asked in a process; leave it out"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _sends_texts(self) -> "Embedder":
        if not holds(self.template, TEXTS):
            msg = f'template: no text stands in it; write "{TEXTS}" where the list of them is to be'
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _in_private(self) -> "Embedder":
        if self.url is not None and not self.insecure and (problem := clear(self.url, "texts")):
            raise ValueError(problem)
        return self
