"""Names as the codes that rows have: of models, of versions, and of what a version is watched against."""

from typing import NamedTuple

from ...detectors.joining.rows import ANY
from ...detectors.outcomes.ledger import NO_VERSION
from ...schemas.messages.block import Whose

#: The model and version under which labels are told that met no prediction, and name no model.
NOBODY = "-"


class Place(NamedTuple):
    """Against which reference a version is watched, and from when on."""

    reference: str
    since: int


class Names:
    """Codes in the order in which names came: nothing that is told may depend on them."""

    def __init__(self) -> None:
        self._models: dict[str, int] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self._places: dict[Place, int] = {}

    def model(self, name: str) -> int:
        """Of a model; `ANY` where none is named, or where there are more than codes."""
        if not name:
            return ANY
        code = self._models.setdefault(name, len(self._models))
        return min(code, ANY)

    def codes(self, whose: Whose) -> tuple[int, int, int]:
        """Of the model, the version and the place of a prediction."""
        version = self._versions.setdefault((whose.model, whose.version), len(self._versions))
        place = Place(whose.reference, whose.since)
        return self.model(whose.model), version, self._places.setdefault(place, len(self._places))

    def model_of(self, version: int) -> str:
        """The model of a version, by its code."""
        return list(self._versions)[version][0]

    def place(self, code: int) -> Place:
        """By its code."""
        return list(self._places)[code]

    def whose(self, version: int, place: int) -> Whose:
        """Of a version and a place; of labels that met nothing, by their model."""
        if version == NO_VERSION:
            return Whose(NOBODY if place == ANY else list(self._models)[place], NOBODY)
        model, name = list(self._versions)[version]
        return Whose(model, name, *self.place(place))
