"""How the rows of a reference are divided into segments, and those counted against it."""

from ..fact import Fact


class Segmentation(Fact):
    """How a reference's rows, and those counted against it, are divided. The last of its segments is `OTHER`."""

    by: str | None = None
    rules: dict[str, str] = {}
    names: tuple[str, ...]
