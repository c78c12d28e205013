"""What is to be said of an index that was built."""

from typing import NamedTuple


class Report(NamedTuple):
    """What an index of rows was made of."""

    rows: int
    duplicates: int  #: left out
    references: int  #: distinct rows that others are compared with
    calibration: int  #: distinct rows that scores are compared with
    classes: int  #: with a calibration of their own
    fresh: float | None  #: of held-out rows that are in neither, the share flagged at .05; None: too few
    warnings: tuple[str, ...] = ()
