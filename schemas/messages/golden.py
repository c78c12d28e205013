"""On ``PREFIX.golden``: that a model is to be tested on its golden set, that this was begun, what it answered, and what that means."""

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote, unquote

import msgspec
from pydantic import ConfigDict, Field

from ..cloud_events import JSON, MSGPACK
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, IntegerVector, Time

#: In place of a row's loss: why there is none.
TIMEOUT, ERROR, INVALID = -1, -2, -3
#: Answers of so many rows travel in one record: eight bytes for each of at most four numbers, well below 512 KB.
ROWS_A_RECORD = 10_000
#: Of the tolerances, in millionths.
MILLION = 1_000_000
#: In place of a share of what was lost before, where that was nothing and something is now: more than any bound that can be written.
FROM_NOTHING = 1_000_000.0
#: Metrics beside a request, of each kind.
MOST_METRICS = 20

Kind = Literal["request", "started", "result", "evaluation"]
Cause = Literal["slot", "episode", "model", "set", "person"]
Status = Literal["complete", "partial", "failed"]
Verdict = Literal["first", "same", "better", "worse", "unknown"]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Attempt = Annotated[int, Field(ge=0, le=1_000)]
_Name = Annotated[str, Field(min_length=1, max_length=500)]
_Hash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Metrics = Annotated[dict[Annotated[str, Field(max_length=100)], float], Field(max_length=MOST_METRICS)]
_Millionths = Annotated[int, Field(ge=0, le=1_000 * MILLION)]
Change = Annotated[
    float | None,
    Field(description="share of what was lost before; where that was nothing: 0, or 1000000 if anything is lost now; null: not compared"),
]


class Keyed(msgspec.Struct, frozen=True):
    """What a record's key says: it is of a compacted topic, and a tombstone has nothing else."""

    model: str
    request: str
    kind: str
    attempt: int
    chunk: int


def key_of(model: str, request: str, kind: Kind, attempt: int = 0, chunk: int = 0) -> str:
    """``MODEL/REQUEST/KIND/ATTEMPT/CHUNK``.

    >>> key_of("a/b", "5f0c", "started", 2)
    'a%2Fb/5f0c/started/2/0'
    """
    return f"{quote(model, safe='')}/{request}/{kind}/{attempt}/{chunk}"


def keyed(key: bytes | None) -> Keyed | None:
    """What `key_of` wrote; None: nothing of the kind.

    >>> keyed(b"a%2Fb/5f0c/started/2/0")
    Keyed(model='a/b', request='5f0c', kind='started', attempt=2, chunk=0)
    """
    steps = (key or b"").decode(errors="replace").split("/")
    if len(steps) != 5 or not (steps[3].isdecimal() and steps[4].isdecimal()):
        return None
    return Keyed(unquote(steps[0]), steps[1], steps[2], int(steps[3][:9]), int(steps[4][:9]))


class _OnGolden(Fact):
    """What all four have in common: whose request they speak of."""

    KIND: ClassVar[Kind]
    content_type: ClassVar = JSON

    request: _Id
    model: _Name
    version: _Name

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        return key_of(self.model, self.request, self.KIND)

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("golden", self.key)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.golden.{self.KIND}"

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{self.model}/{self.version}"

    @property
    def time(self) -> int | None:
        """When it was asked for, where that is known."""
        return None

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return self.model_dump_json().encode()


class GoldenRequest(_OnGolden):
    """Test this version of a model on this golden set, for this cause. Two who ask for the same cause ask once: the id is one."""

    KIND: ClassVar = "request"

    golden: _Hash | None = None  #: content hash of the set; None: the one that is in use when it is begun
    cause: Cause
    named: _Name  #: the slot, episode, model event or set; of a person: when
    asked: Time = 0  #: ms: of the slot, or the wall clock of whoever asked
    parent: _Name | None = None  #: the version that this one came from
    spread: bool = False  #: the second run at registration: how far it is from the first is how far two runs may be
    tolerance: _Millionths = 50_000  #: worse by so many millionths is bad
    passed_over: Count = 0  #: slots between the last one asked for and this one
    realised: _Metrics | None = None  #: metrics of the same time from labels, as of the step in which it was asked
    estimated: _Metrics | None = None  #: and without labels

    @property
    def time(self) -> int:
        """When it was asked for."""
        return self.asked

    @classmethod
    def of(
        cls, application: str, model: str, version: str, golden: str | None, cause: Cause, named: str, *, asked: int, spread: bool = False
    ) -> "GoldenRequest":
        """With the id that follows from its facts."""
        request = derived_id("golden", application, model, version, golden, cause, named, *(["spread"] if spread else []))
        return cls(request=request, model=model, version=version, golden=golden, cause=cause, named=named, asked=asked, spread=spread)


class GoldenStarted(_OnGolden):
    """An attempt has begun. What calls a model may die of it: without this, its successor would call, and die, for ever."""

    KIND: ClassVar = "started"

    attempt: _Attempt

    @property
    def key(self) -> str:
        """Of the record."""
        return key_of(self.model, self.request, self.KIND, self.attempt)


class GoldenResult(_OnGolden):
    """What an attempt brought: by row of the set, in its order, the losses, or why there is none. In several records if need be."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    KIND: ClassVar = "result"
    content_type: ClassVar = MSGPACK

    attempt: _Attempt
    golden: _Hash | None = None  #: the set that was answered
    chunk: _Attempt = 0
    chunks: Annotated[int, Field(ge=1, le=1_000)] = 1
    losses: dict[str, IntegerVector] = {}  #: the set's own loss first; below 0: timeout, error, invalid
    places: dict[str, Annotated[int, Field(ge=-4_000, le=4_000)]] = {}  #: by loss: it is a whole number of 2 ** -places
    slices: tuple[str, ...] = ()
    members: IntegerVector | None = None  #: by row, bit i: it belongs to slice i
    latency_ms: tuple[int, ...] = ()  #: of the calls: 50, 90, 99 % and the longest
    answered_by: str | None = None  #: the model's version, as its answers have it
    answered: Time = 0  #: ms: when it was over
    reasons: dict[str, Count] = {}  #: why rows have no loss: rows, by reason

    @property
    def key(self) -> str:
        """Of the record."""
        return key_of(self.model, self.request, self.KIND, self.attempt, self.chunk)

    @property
    def time(self) -> int:
        """When it was over."""
        return self.answered

    def encoded(self) -> bytes:
        """As it travels: msgpack."""
        return msgspec.msgpack.encode(self.model_dump())

    @classmethod
    def decoded(cls, value: bytes) -> "GoldenResult":
        """What `encoded` wrote."""
        return cls.model_validate(msgspec.msgpack.decode(value))


class SliceEvaluation(Fact):
    """A part of the set by itself."""

    name: str
    rows: int
    answered: int
    metrics: dict[str, float] = {}
    common: int = 0
    change: Change = None  #: of the mean loss on the common rows


class GoldenEvaluation(_OnGolden):
    """What a request came to: one for each. A failed one says nothing of the model."""

    KIND: ClassVar = "evaluation"

    golden: str | None  #: None: it failed before it was known
    cause: Cause
    named: str
    asked: Time = 0
    answered: Time = 0
    status: Status  #: partial: 95 % of the rows or more were answered
    attempt: _Attempt
    loss: str | None = None  #: by which it is judged
    rows: int = 0
    counts: dict[str, int] = {}  #: rows answered, timeout, error, invalid
    metrics: dict[str, float] = {}  #: of the rows answered: not to be compared with those of other rows
    slices: tuple[SliceEvaluation, ...] = ()
    verdict: Verdict  #: of the change, against the tolerance; first: there was nothing to compare with; unknown: it failed
    good: bool = False  #: it did not fail, and is not worse
    against: str | None = None  #: the request it is compared with: the anchor, or a last good one; beside a parent never its own
    against_version: str | None = None  #: the version that was tested there
    common: int = 0  #: rows answered both times
    change: Change = None  #: of their mean loss; older releases said None where that was 0, however much is lost now
    change_units: int | None = None  #: of the sum of their losses, in 2 ** -places
    was_units: int | None = None  #: what that sum was
    last_good: str | None = None  #: the request before this one whose evaluation was good: it dates an onset
    spread: _Millionths | None = None  #: of two runs at registration, in millionths of the loss
    latency_ms: tuple[int, ...] = ()
    answered_by: str | None = None
    reasons: dict[str, int] = {}
    realised: dict[str, float] | None = None
    estimated: dict[str, float] | None = None

    @property
    def time(self) -> int:
        """When it was asked for."""
        return self.asked

    def plain(self) -> dict[str, Any]:  # JSON
        """All that it says."""
        return self.model_dump(mode="json", exclude_none=True)
