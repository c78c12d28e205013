"""``models.NAME.reference:`` of the configuration: the rows that a model is compared with."""

from typing import Annotated

from pydantic import Field

from ..fact import Setting


class Table(Setting):
    """A file of rows, and what its columns are; every other column is a feature."""

    file: str | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="a name, that of a folder, a pattern (*.parquet) where no file is so called, or a list of these"
    )
    time: str | None = None
    id: str | None = None
    entity: str | None = None
    as_of: str | None = None
    prediction: str | None = None
    score: str | None = None
    model: str | None = None
    version: str | None = None
    ignore: tuple[str, ...] = ()


class TopicSlice(Setting):
    """A part of an input topic, as a reference."""

    topic: str
    start: str | None = Field(None, description="ISO time of the first record")
    end: str | None = Field(None, description="ISO time behind the last record")
