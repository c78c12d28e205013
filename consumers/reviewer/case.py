"""A case as the estimates know it: what was predicted, how likely it was drawn, and what everybody said."""

from dataclasses import dataclass, field
from typing import Any

#: A reviewer's word: the label's number, or the reason why there is none.
Word = int | str


@dataclass
class Case:
    """One that people were asked about."""

    model: str
    version: str
    slot: int
    predicted: int | None  #: the prediction's number; None: it has none
    probability: float
    uniform_probability: float | None
    said: dict[str, Word] = field(default_factory=dict)  #: by reviewer, in the order in which they first answered
    label: int | None = None  #: what the model's labels say, as far as they do
    reference: str | None = None  #: against which the row was counted
    told: bool = False  #: it is evidence already
    complete: bool = True  #: all of its slot's predictions were there
    clock_decided: bool = False  #: that was the wall clock's word

    def labels(self) -> list[int]:
        """Those that were given, the first reviewer's first."""
        return [one for one in self.said.values() if isinstance(one, int)]

    def reason(self) -> str:
        """Why the first who said anything gave no label."""
        return str(next(iter(self.said.values())))

    def right(self) -> bool:
        """Whether the first label is what was predicted."""
        return self.labels()[0] == self.predicted

    def plain(self) -> list[Any]:  # plain data for a snapshot; its model is known
        """All but the model."""
        chances = [self.probability, self.uniform_probability]
        beside = [self.reference, self.told, self.complete, self.clock_decided]
        return [self.version, self.slot, self.predicted, *chances, list(self.said.items()), self.label, *beside]

    @classmethod
    def restored(cls, model: str, plain: list[Any]) -> "Case":
        """What `plain` wrote; a former release knew less."""
        version, slot, predicted, probability, uniform, said, *beside = plain
        return cls(model, version, slot, predicted, probability, uniform, dict(said), *beside)
