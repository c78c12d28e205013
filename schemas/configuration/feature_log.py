"""``features:`` of the configuration: where values of features are read from as the training pipeline computes them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ..bounds import LONGEST_TOPIC, MOST_TOPICS
from ..duration import Duration, DurationOrNone
from ..fact import Setting
from ..messages.block import MOST_COMPARED
from .mapping import AnyPlace, Path, Place
from .personal import Variable
from .where import AnyWhere


class FeatureMapping(Setting):
    """Where a feature log keeps what driftbus reads. The defaults are the canonical form, which needs no mapping."""

    entity: AnyPlace = Field(Place("path", "entity"), description="whose values they are: the same text as of the prediction")
    as_of: AnyPlace = Field(Place("path", "as_of"), description="as of when: the same instant as of the prediction, to the millisecond")
    values: Path = Field(Place("path", "values"), description="the object whose members are the features")
    model: AnyPlace | None = Field(
        None, description="for which model; null, or where a row names none: for every model that is compared with this log"
    )
    revision: Path | None = Field(
        None, description="a whole number of your own: of several rows of one entity and time the highest is in force"
    )


class FeatureColumns(Setting):
    """The columns of a file of features. One that is not named is called as its place in a message; all others are features."""

    time: str | None = Field(None, description="when it became known; null: as of when it is")
    entity: str | None = None
    as_of: str | None = None
    model: str | None = None
    revision: str | None = None


class FeatureLog(Setting):
    """A stream of values of features. It is cut as the predictions' streams are, whose `pane` and `clock` it has."""

    topics: Annotated[tuple[Annotated[str, Field(max_length=LONGEST_TOPIC)], ...], Field(min_length=1, max_length=MOST_TOPICS)]
    format: Literal["json"] = "json"
    mapping: FeatureMapping = FeatureMapping()
    columns: FeatureColumns = Field(FeatureColumns(), description="of a file of features, for `driftbus features load`")
    where: AnyWhere | None = Field(None, description="which records are values of features: type == features")
    wait: Duration = Field(2 * 86_400_000, description="how long after its prediction a row counts; rounded up to panes")
    early: DurationOrNone = Field(3_600_000, description="and how long before; rounded up to panes")
    sample: float = Field(1.0, gt=0, le=1, description="share of entities and times whose predictions wait for a row")
    key: Variable | None = Field(
        None, description="the environment's variable with the key by which entities are hashed, on both sides; null: without one"
    )


def _names(written: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({name for name in written if written.count(name) > 1}):
        msg = f"{', '.join(twice)}: twice in the list; write each once"
        raise ValueError(msg)
    return written


_Features = Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_COMPARED), AfterValidator(_names)]


class Agreement(Setting):
    """Served values of a model's features are compared with those of a feature log."""

    log: str = Field(description="the feature log: a name of `features`")
    features: Annotated[int, Field(ge=1, le=MOST_COMPARED, strict=True)] | _Features = Field(
        MOST_COMPARED, description="which are compared: their names, or how many, the first of the reference's"
    )

    @property
    def compared(self) -> int:
        """Features of a row, at most."""
        return self.features if isinstance(self.features, int) else len(self.features)
