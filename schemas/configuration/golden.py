"""``models.NAME.golden:`` of the configuration: on which golden set a model is tested, how often, and how it is called."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from ..bounds import LONGEST_TOPIC
from ..duration import Duration, written
from ..fact import Setting
from .address import Address, Headers, holds
from .importable import importable
from .mapping import Path, Place


def _function(written_: str) -> str:
    return importable(written_, "function", "function")


_Batch = Annotated[int, Field(ge=1, le=20_000)]
_AtOnce = Annotated[int, Field(ge=1, le=64)]


class KServe(Setting):
    """A server of the V2 inference protocol: KServe, MLServer, Triton, Seldon."""

    url: Address = Field(description="in front of v2/models/...")
    model: str | None = Field(None, min_length=1, description="as the server calls it; null: as driftbus does")
    versioned: bool = Field(True, description="whether the version stands in the path")
    tensor: str | None = Field(None, description="one input of this name, a row of numbers a row; null: an input for every feature")
    output: str | None = Field(None, description="the output that is the answer; null: the first")
    headers: Headers = {}
    batch: _Batch = 100
    at_once: _AtOnce = 4


class PlainHTTP(Setting):
    """Any server that takes JSON: a template says what it is sent, a path where its answer is."""

    url: Address = Field(description="may hold {model} and {version}")
    template: Any = Field({"id": "{id}", "features": "{features}"}, description="of a request, or with {rows} of many")
    answer: Path = Place("path", "prediction")
    version: Path | None = Field(None, description="where the answer names the model's version")
    headers: Headers = {}
    batch: _Batch = Field(100, description="rows in a request, where the template has {rows}")
    at_once: _AtOnce = 4

    @property
    def many(self) -> bool:
        """Whether a request holds many rows."""
        return holds(self.template, "{rows}")

    @model_validator(mode="after")
    def _asks(self) -> "PlainHTTP":
        if not self.many and not any(holds(self.template, name) for name in ("{features}", "{feature:")):
            msg = 'template: nothing of a row stands in it; write "{features}", "{feature:NAME}", or "{rows}" for many'
            raise ValueError(msg)
        return self


class RequestReply(Setting):
    """Two topics: what is asked on one is answered on the other, under the same id."""

    request: Annotated[str, Field(min_length=1, max_length=LONGEST_TOPIC)]
    reply: Annotated[str, Field(min_length=1, max_length=LONGEST_TOPIC)]
    id: Path = Field(Place("path", "id"), description="where a reply repeats the id, if not in the header driftbus-evaluation")
    answer: Path = Place("path", "prediction")
    version: Path | None = Place("path", "version")


class PythonCallable(Setting):
    """A function of Python, called in a process of its own, with rows and the version."""

    function: Annotated[str, AfterValidator(_function)]
    batch: _Batch = 1_000


class Call(Setting):
    """How a model is asked: one of these."""

    kserve: KServe | None = None
    http: PlainHTTP | None = None
    topics: RequestReply | None = None
    callable: PythonCallable | None = None

    @model_validator(mode="after")
    def _one(self) -> "Call":
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            msg = f"{' and '.join(named) or 'nothing'}: write one of kserve, http, topics, callable"
            raise ValueError(msg)
        return self


class Golden(Setting):
    """A model's golden set, and how it is tested on it."""

    set: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = Field(None, description="null: the one announced last")
    every: Duration = 86_400_000
    call: Call
    deadline: Duration = Field(30_000, description="of one call")
    within: Duration = Field(600_000, description="of all calls of an evaluation")
    tolerance: float = Field(0.05, gt=0, le=10, description="worse by this share is bad")

    @model_validator(mode="after")
    def _in_time(self) -> "Golden":
        if self.deadline > self.within:
            msg = f"deadline: {written(self.deadline)} is longer than within, which is {written(self.within)}: of all calls; write less"
            raise ValueError(msg)
        return self
