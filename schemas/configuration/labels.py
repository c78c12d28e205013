"""``labels:`` of the configuration: where what really happened is read from, and how long predictions wait for it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..bounds import LONGEST_TOPIC, MOST_TOPICS
from ..duration import Duration, DurationOrNone, written
from ..fact import Setting
from .mapping import AnyPlace, Path, Place
from .personal import Variable
from .where import AnyWhere

#: What a label is: one of two outcomes, one of several classes, or a number.
Outcome = Literal["binary", "category", "number"]


class LabelMapping(Setting):
    """Where a stream's labels keep what driftbus reads. The defaults are the canonical form, which needs no mapping."""

    id: AnyPlace = Field(Place("path", "id"), description="of the prediction")
    label: Path = Place("path", "label")
    model: AnyPlace | None = Field(None, description="of which model it is; null: of every model whose prediction has this id")
    revision: Path | None = Field(
        None, description="a whole number of your own: of several labels of one prediction the highest is in force"
    )
    retracted: Path | None = Field(None, description="true: the label is taken back, as by one that is null")


class LabelColumns(Setting):
    """The columns of a file of labels. One that is not named is called as its place in a message, by the whole path or its last step."""

    time: str | None = Field(None, description="when it became known; null: when its prediction was made")
    id: str | None = None
    label: str | None = None
    model: str | None = None
    revision: str | None = None
    retracted: str | None = None


class Labels(Setting):
    """A stream of labels. It is cut as the predictions' streams are, whose `pane` and `clock` it has."""

    topics: Annotated[tuple[Annotated[str, Field(max_length=LONGEST_TOPIC)], ...], Field(min_length=1, max_length=MOST_TOPICS)]
    format: Literal["json"] = "json"
    mapping: LabelMapping = LabelMapping()
    columns: LabelColumns = Field(LabelColumns(), description="of a file of labels, for `driftbus replay --labels`")
    where: AnyWhere | None = Field(None, description="which records are labels: type == label")
    outcome: Outcome = Field("binary", description="what a label is: binary, category or number")
    positive: str | None = Field(None, description="binary: the label that counts as 1, where labels are neither booleans nor 0 and 1")
    wait: Duration = Field(30 * 86_400_000, description="how long after its prediction a label counts; rounded up to panes")
    early: DurationOrNone = Field(3_600_000, description="and how long before; rounded up to panes")
    sample: float = Field(1.0, gt=0, le=1, description="share of the ids whose predictions wait for a label")
    order: Literal["arrival", "matured"] = Field(
        "arrival",
        description="of predictions in concept drift: as their labels come; or each when its maturity is over, if it has a label then",
    )
    maturity: Duration | None = Field(
        None, description="how long after its prediction a label is expected to have come, at the latest; at most wait, rounded up to panes"
    )
    key: Variable | None = Field(
        None, description="the environment's variable with the key by which ids are hashed, of predictions as of labels; null: without one"
    )
    about: Duration = Field(3_600_000, description="performance is told for intervals of prediction time of this length")

    @model_validator(mode="after")
    def _matured_within_wait(self) -> "Labels":
        if self.order == "matured" and self.maturity is None:
            msg = "order: matured needs maturity: how long after their prediction nearly all labels have come; driftbus check proposes one"
            raise ValueError(msg)
        if self.maturity is not None and self.maturity > self.wait:
            msg = f"maturity: {written(self.maturity)} is longer than wait, {written(self.wait)}: no label counts so late"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _positive_of_two(self) -> "Labels":
        if self.positive is not None and self.outcome != "binary":
            msg = f"positive: is of binary labels, and outcome is {self.outcome}; leave it out"
            raise ValueError(msg)
        return self
