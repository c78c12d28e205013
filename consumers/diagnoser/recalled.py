"""Values of a window that are made again when somebody asks: what most runs look at is made of them once, and ten times smaller."""

from collections.abc import Callable, Iterator, Mapping

from ...detectors.diagnosis.evidence import Values


class Recalled(Mapping[str, Values]):
    """By field, what ``make`` makes."""

    def __init__(self, make: Callable[[], dict[str, Values]]) -> None:
        self._make = make
        self._made: dict[str, Values] | None = None

    def _whole(self) -> dict[str, Values]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: str) -> Values:
        return self._whole()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())
