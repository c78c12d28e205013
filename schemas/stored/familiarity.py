"""What a reference knows of how alike its rows are: an index of them, by its hash, and what is to be expected of known rows."""

from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from ..fact import Fact

#: At which p-values rows are counted, for detection.
LEVELS = (0.005, 0.05)
#: Counts of calibration rows: p <= .005, .005 < p <= .05, p > .05.
Cells = tuple[int, int, int]


class FamiliarityOf(Fact):
    """Of the calibration rows of one segment."""

    name: str
    rows: int  #: of the reference
    cells: Cells


class MaskProfile(Fact):
    """A field of rows, or all fields of one source, and what rows are like without it (`driftbus.detectors.neighbours.masked`)."""

    name: str
    of: Literal["field", "source"]
    fields: tuple[str, ...]
    cured: int  #: of the calibration's own outliers, those that are familiar without it
    distinct: tuple[float, ...]  #: near how many places of the reference so many calibration rows lie without it


class FamiliarityProfile(Fact):
    """How one field's values, or whole rows, are compared with those of the reference.

    The index lies beside the reference, under its hash. Another embedder, or the same of other files, makes other numbers of the same
    texts: it is refused.
    """

    of: str  #: the field; ``row``: all fields of a row together
    kind: Literal["text", "embedding", "row"]
    index: str  #: content hash
    embedder: str = ""  #: of texts
    files: dict[str, str] = {}  #: of the embedder, each with its SHA-256
    why: str = ""  #: that embedder
    classes: bool = False  #: p-values are those within the class that the model predicted
    sample: int = 1  #: rows of which one is scored
    rows: int  #: distinct ones of the reference that others are compared with
    duplicates: int = 0  #: left out of these
    cells: Cells  #: of the calibration rows
    tau: tuple[float, float] = (1.0, 1.0)  #: dependence of the flags at .005 and .05 in the calibration's order, in rows
    segments: tuple[FamiliarityOf, ...] = ()
    flagged_probe: tuple[int, int] | None = None  #: of the rows that must be flagged how many are, and how many there are
    outliers: int = 0  #: of rows: calibration rows with p <= .01
    masks: tuple[MaskProfile, ...] = ()  #: of rows: fields, then sources, in the order of a pane's `masked`
    pairs: tuple[int, ...] = ()  #: of every two fields, of these outliers those that no mask cures, and both do

    @model_serializer(mode="wrap")
    def _lean(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:  # JSON
        """Without what is not so."""
        return {key: value for key, value in written(self).items() if value or key in ("of", "kind", "index", "rows", "cells")}

    @property
    def calibration(self) -> int:
        """Rows that p-values are taken from."""
        return sum(self.cells)

    @property
    def signal(self) -> str:
        """As events name it.

        >>> FamiliarityProfile(of="question", kind="text", index="", rows=0, cells=(0, 0, 0)).signal
        'question (unlike the training data)'
        """
        return UNLIKE if self.kind == "row" else f"{self.of} {UNLIKE}"


UNLIKE = "(unlike the training data)"
