"""On ``PREFIX.reviews``: which predictions people are asked about, what they answered, what labels say of that, and that a slot of time
was drawn from.
"""

from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import Field, model_validator

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, Offset, PartitionNumber, Time

#: Of a prediction that is shown: its fields, characters of the text of each, and of all together.
MOST_SHOWN, LONGEST_SHOWN, LONGEST_CASE = 50, 2_000, 20_000

#: The reason of an answer that takes the reviewer's former one back: then he has said nothing.
TAKEN_BACK = "taken back"

_Name = Annotated[str, Field(min_length=1, max_length=500)]
_Case = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Text = Annotated[str, Field(max_length=LONGEST_SHOWN)]
#: Of an id, made with a secret key: 128 bits, by which labels are matched, too (`driftbus.schemas.outcome.id_halves`).
IdHash = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
#: Above 0: what cannot be drawn is not asked about.
Probability = Annotated[float, Field(gt=0, le=1)]
#: Numbers that JSON keeps as they are.
_Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
#: A prediction, a label, a field of a row.
Value = bool | _Whole | _Number | _Text | None
#: Segments that a slot names; several versions may have more.
MOST_DRIFTING = 64
_Segments = Annotated[tuple[Annotated[str, Field(max_length=500)], ...], Field(max_length=MOST_DRIFTING)]
Shown = Annotated[dict[Annotated[str, Field(max_length=500)], Value], Field(max_length=MOST_SHOWN)]


class _OfAModel(Fact):
    """What all have in common: the model that they speak of."""

    KIND: ClassVar[str]
    content_type: ClassVar = JSON

    model: _Name

    @property
    def key(self) -> str:
        """Of the record: all of a model lies in one partition."""
        return self.model

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.review.{self.KIND}"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.model

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.model_dump(), order="sorted")


class _OnReviews(_OfAModel):
    """Of a slot."""

    slot: Time  #: the end of the slot that the prediction was drawn from, ms


class ReviewRequest(_OnReviews):
    """One prediction that somebody is asked to label.

    A slot's sample is of `probability` as a whole; those `uniform` in it are one by themselves, of `uniform_probability`, which knows
    nothing of scores, of what is unlike the training data, or of what drifts.
    """

    KIND: ClassVar = "request"

    case: _Case
    version: _Name
    reference: str | None = None
    segment: str | None = None
    asked: Time  #: the bucket that completed the slot, ms
    bucket: Time  #: of the prediction
    topic: str
    topic_id: str
    partition: PartitionNumber
    offset: Offset
    prediction_id: str | None = None  #: the message's `id`; without one its label meets nothing on the label stream
    prediction_hash: IdHash | None = None  #: in its place, where ids are personal
    prediction: Value = None
    score: float | None = None
    p: float | None = None  #: how like the training data it is: at most so (.005, .05, 1); null: that was not asked
    weight: Annotated[float, Field(gt=0)]  #: by which it was drawn
    probability: Probability
    uniform: bool = False
    uniform_probability: Probability | None = None  #: of those drawn uniformly
    group: str | None = None  #: near-duplicates of one slot bear the same: to be shown, and answered, together
    again: bool = False  #: two reviewers are to answer it
    shown: Shown = {}  #: fields of the row, after what `personal` says of them

    @property
    def id(self) -> str:
        """The case: a repetition is known by it."""
        return self.case

    @property
    def time(self) -> int:
        """When it was asked."""
        return self.asked

    @model_validator(mode="after")
    def _bounded(self) -> "ReviewRequest":
        length = sum(len(name) + (len(value) if isinstance(value, str) else 0) for name, value in self.shown.items())
        if length > LONGEST_CASE:
            msg = f"case {self.case}: {length:,} characters to show; at most {LONGEST_CASE:,}"
            raise ValueError(msg)
        return self

    @classmethod
    def decoded(cls, value: bytes) -> "ReviewRequest":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


#: Of a request, what an answer to it repeats.
_REPEATED = (
    *("case", "model", "version", "slot", "prediction_id", "prediction_hash", "prediction"),
    *("probability", "uniform", "uniform_probability"),
)


class ReviewAnswer(_OnReviews):
    """What a reviewer says of a case: a label, or why there is none. It repeats what the request says, so that it can be read alone.

    A later one of the same reviewer, by the order of the log, takes an earlier one's place.
    """

    KIND: ClassVar = "answer"

    case: _Case
    version: _Name
    prediction_id: str | None = None
    prediction_hash: IdHash | None = None  #: in its place, where ids are personal
    prediction: Value = None
    label: Value = None  #: in the words of the label stream
    skipped: Annotated[str, Field(min_length=1, max_length=200)] | None = None  #: the reason, instead of a label
    reviewer: _Name
    answered: Time  #: ms, by the clock of the page
    probability: Probability
    uniform: bool = False
    uniform_probability: Probability | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "ReviewAnswer":
        if (self.label is None) == (self.skipped is None):
            msg = f"case {self.case}: a label, or `skipped` with the reason; it has {'none' if self.label is None else 'both'}"
            raise ValueError(msg)
        return self

    @property
    def id(self) -> str:
        """The same for the same answer."""
        said = repr(self.label) if self.skipped is None else f"skipped {self.skipped}"
        return derived_id("review-answer", self.case, self.reviewer, self.answered, said)

    @property
    def time(self) -> int:
        """When it was answered."""
        return self.answered

    @classmethod
    def of(
        cls,
        request: ReviewRequest,
        reviewer: str,
        answered: int,
        *,
        label: bool | int | float | str | None = None,
        skipped: str | None = None,
    ) -> "ReviewAnswer":
        """To a request; `label` or `skipped`. Raises `ValueError` where there are both, or none."""
        said = {name: getattr(request, name) for name in _REPEATED}
        return cls(**said, reviewer=reviewer, answered=answered, label=label, skipped=skipped)

    @classmethod
    def decoded(cls, value: bytes) -> "ReviewAnswer":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


class ReviewSlot(_OnReviews):
    """A slot was drawn from: behind its requests. Said of empty ones too, so that an estimate knows what time it is of."""

    KIND: ClassVar = "slot"

    application: str
    start: Time  #: ms
    rows: Count  #: predictions that it was drawn from, of all versions
    cases: Count
    uniform: Count = 0  #: of these, drawn uniformly
    drifting: _Segments = ()  #: segments that drifted at its start, the first ones: these were drawn more often
    complete: bool = True  #: all of its predictions were there
    clock_decided: bool = False  #: that was the wall clock's word

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("review-slot", self.application, self.model, self.slot)

    @property
    def time(self) -> int:
        """Its end."""
        return self.slot

    @classmethod
    def decoded(cls, value: bytes) -> "ReviewSlot":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


class ReviewLabel(_OfAModel):
    """What the model's own labels say of a case that people have answered: told when that is known, and whenever it changes.

    It is beside the answers, and in the place of none: by it is counted how far both agree.
    """

    KIND: ClassVar = "label"

    case: _Case
    version: _Name
    label: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None  #: 64 bits as labels are compared by; null: it was taken back
    known: Time  #: the bucket of labels in which it was so, ms

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("review-label", self.model, self.version, self.case, self.label, self.known)

    @property
    def time(self) -> int:
        """When it was so."""
        return self.known

    @property
    def code(self) -> int | None:
        """The label, as `driftbus.schemas.outcome` has it.

        >>> told = ReviewLabel.of("fraud", "1", "0" * 32, -3, known=0)
        >>> told.label, told.code
        ('fffffffffffffffd', -3)
        """
        return None if self.label is None else int.from_bytes(bytes.fromhex(self.label), signed=True)

    @classmethod
    def of(cls, model: str, version: str, case: str, code: int | None, *, known: int) -> "ReviewLabel":
        """Of a label by its code; None: there is none any more."""
        label = None if code is None else code.to_bytes(8, signed=True).hex()
        return cls(model=model, version=version, case=case, label=label, known=known)

    @classmethod
    def decoded(cls, value: bytes) -> "ReviewLabel":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


def case_of(application: str, model: str, topic_id: str, partition: int, offset: int) -> str:
    """The id of a prediction's case: a function of where the prediction lies.

    >>> case_of("app", "fraud", "t1", 0, 7) == case_of("app", "fraud", "t1", 0, 7)
    True
    """
    return derived_id("review", application, model, topic_id, partition, offset)


def _plain(value: bytes) -> dict[str, Any]:  # any JSON
    return msgspec.json.decode(value, type=dict[str, Any])
