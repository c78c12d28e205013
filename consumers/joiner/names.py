"""Names as the codes that rows have: of models, of versions, and of what a version is watched against."""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from ...detectors.joining.rows import ANY
from ...detectors.outcomes.ledger import NO_VERSION
from ...schemas.messages.block import Whose
from ...schemas.messages.pane import OTHERS

#: The model and version under which labels are told that met no prediction, and name no model.
NOBODY = "-"
_Name = TypeVar("_Name")


class Place(NamedTuple):
    """Against which reference a version is watched, and from when on; and the segment that a row is of."""

    reference: str
    since: int
    segment: str | None = None


class _Codes(Generic[_Name]):
    """Codes in the order in which names come. None is given twice."""

    def __init__(self) -> None:
        self._codes: dict[_Name, int] = {}
        self.names: dict[int, _Name] = {}  #: by code
        self._used: dict[int, int] = {}  # by code, the newest step
        self._next = 0

    def of(self, name: _Name, step: int) -> int:
        """The code of a name, which is used in this step."""
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = self._next
            self.names[code] = name
            self._next += 1
        self._used[code] = max(step, self._used.get(code, step))
        return code

    def forget(self, before: int) -> bool:
        """Those that were used last before this step; whether there are any."""
        gone = [code for code, used in self._used.items() if used < before]
        for code in gone:
            del self._codes[self.names.pop(code)], self._used[code]
        return bool(gone)


class Names:
    """Codes of versions and places in the order in which they came: nothing that is told may depend on them.

    Models are those of the configuration: whatever else a label names has no prediction here, and is one of the `OTHERS`.
    """

    def __init__(self, models: Iterable[str]) -> None:
        self._models = {name: code for code, name in enumerate([OTHERS, *sorted(models)])}
        self._versions, self._places = _Codes[tuple[str, str]](), _Codes[Place]()

    def model(self, name: str) -> int:
        """Of a model; `ANY` where none is named."""
        return self._models.get(name, 0) if name else ANY

    def codes(self, whose: Whose, step: int) -> tuple[int, int, int]:
        """Of the model, the version and the place of a prediction that this step takes."""
        version = self._versions.of((whose.model, whose.version), step)
        place = Place(whose.reference, whose.since, whose.segment)
        return self.model(whose.model), version, self._places.of(place, step)

    def forget(self, before: int) -> bool:
        """The codes of which no row came since this step, so that none is left; whether there are any."""
        versions, places = self._versions.forget(before), self._places.forget(before)
        return versions or places

    def known(self, version: int, place: int) -> bool:
        """Whether these codes are remembered."""
        return version in self._versions.names and place in self._places.names

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._versions.names) + len(self._places.names)

    def model_of(self, version: int) -> str:
        """The model of a version, by its code."""
        return self._versions.names[version][0]

    def version_of(self, code: int) -> tuple[str, str]:
        """The model and the name of a version, by its code."""
        return self._versions.names[code]

    def place(self, code: int) -> Place:
        """By its code."""
        return self._places.names[code]

    def whose(self, version: int, place: int) -> Whose:
        """Of a version and a place; of labels that met nothing, by their model."""
        if version == NO_VERSION:
            return Whose(NOBODY if place == ANY else list(self._models)[place], NOBODY)
        model, name = self._versions.names[version]
        return Whose(model, name, *self.place(place))
