"""Names as the codes that rows have: of models, of versions, and of what a version is watched against."""

from collections.abc import Iterable
from typing import NamedTuple

from ...detectors.joining.rows import ANY
from ...detectors.outcomes.ledger import NO_VERSION
from ...schemas.messages.block import Whose
from ...schemas.messages.pane import OTHERS

#: The model and version under which labels are told that met no prediction, and name no model.
NOBODY = "-"


class Place(NamedTuple):
    """Against which reference a version is watched, and from when on; and the segment that a row is of."""

    reference: str
    since: int
    segment: str | None = None


class Names:
    """Codes of versions and places in the order in which they came: nothing that is told may depend on them.

    Models are those of the configuration: whatever else a label names has no prediction here, and is one of the `OTHERS`.
    """

    def __init__(self, models: Iterable[str]) -> None:
        self._models = {name: code for code, name in enumerate([OTHERS, *sorted(models)])}
        self._versions: dict[tuple[str, str], int] = {}
        self._places: dict[Place, int] = {}

    def model(self, name: str) -> int:
        """Of a model; `ANY` where none is named."""
        return self._models.get(name, 0) if name else ANY

    def codes(self, whose: Whose) -> tuple[int, int, int]:
        """Of the model, the version and the place of a prediction."""
        version = self._versions.setdefault((whose.model, whose.version), len(self._versions))
        place = Place(whose.reference, whose.since, whose.segment)
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
