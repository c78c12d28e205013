"""What a version's outcomes are counted by: the description from which the layout of their sums follows, beside its reference."""

import itertools
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..fact import Fact

Task = Literal["binary", "category", "number"]
Finite = Annotated[float, Field(allow_inf_nan=False)]

#: Classes with a place of their own: their confusion is the square of it, and it travels. The rarer ones are *other*.
MOST_CLASSES = 200
#: Features whose groups stand in one table of products.
MOST_FEATURES = 24
#: Of one feature; a row's code is one byte, and larger codes are of no group.
MOST_GROUPS = 16
#: Columns that a user's own metrics add.
MOST_OWN = 64


class GroupedFeature(Fact):
    """A feature as outcomes know it: a row's code is that of its group, 0 to ``groups`` - 1; any other says that the value is absent."""

    name: str
    groups: int = Field(5, ge=1, le=MOST_GROUPS)


class OutcomeBasis(Fact):
    """How the predictions of a version, and what became of them, are counted. Everything that two counts must share to be added.

    Of a number, fixed point is in units of 2^-20 of ``scale``, and its outcome is taken from ``centre``: neither shows in any metric.
    """

    task: Task
    classes: Annotated[tuple[str, ...], Field(max_length=MOST_CLASSES)] = ()  #: of a category, commonest first; behind them is *other*
    centre: Finite = 0.0
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0  #: the sd of the outcome
    edges: Annotated[tuple[Finite, ...], Field(max_length=255)] = ()  #: between the bins of a predicted number
    losses: Annotated[tuple[int, ...], Field(max_length=255)] = ()  #: between the bins of a number's absolute residual, in fixed point
    features: Annotated[tuple[GroupedFeature, ...], Field(max_length=MOST_FEATURES)] = ()
    grouping: str = ""  #: which groups they are: rows' codes are of these, or of others
    inner: bool = False  #: whether there is room for the products of rows within the reference's distribution
    own: Annotated[tuple[str, ...], Field(max_length=MOST_OWN)] = ()  #: columns of the user's own metrics

    @model_validator(mode="after")
    def _of_one_task(self) -> Self:
        if bool(self.classes) != (self.task == "category"):
            msg = f"task {self.task} with {len(self.classes)} classes: a category has some, binary and number have none"
            raise ValueError(msg)
        if self.task != "number" and (self.edges or self.losses):
            msg = f"task {self.task} with edges of predictions or losses: only numbers have them"
            raise ValueError(msg)
        for name, names in (("classes", self.classes), ("own", self.own), ("features", tuple(each.name for each in self.features))):
            if len(set(names)) < len(names):
                msg = f"{name}: one stands there twice"
                raise ValueError(msg)
        for name, edges in (("edges", self.edges), ("losses", self.losses)):
            if any(low >= high for low, high in itertools.pairwise(edges)):
                msg = f"{name}: each must be larger than the one before it"
                raise ValueError(msg)
        return self
