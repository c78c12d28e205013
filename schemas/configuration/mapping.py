"""Where things are in a user's messages: a path into the JSON, a header, the key, or a constant."""

from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ..fact import Setting


class Place(NamedTuple):
    """One place in a record: ``payload.amount`` (a path), ``header:model``, ``key``, or ``constant:fraud``."""

    source: Literal["path", "header", "key", "constant"]
    name: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The keys that lead to the value in a message's JSON."""
        return tuple(self.name.split("."))

    def __str__(self) -> str:
        """As it is written in a configuration."""
        return self.name if self.source == "path" else self.source if self.source == "key" else f"{self.source}:{self.name}"


def place_of(written: object) -> Place:
    """A place as it is written."""
    if isinstance(written, Place):
        return written
    if not isinstance(written, str) or not written:
        msg = f"{written!r} is not a place; write a path (payload.amount), header:NAME, key, or constant:VALUE"
        raise ValueError(msg)
    source, colon, name = written.partition(":")
    if written == "key":
        return Place("key")
    if colon and source in {"header", "constant"} and name:
        return Place("header" if source == "header" else "constant", name)
    if colon and source in {"header", "constant"}:
        msg = f'"{written}" lacks a name behind the colon'
        raise ValueError(msg)
    if "" in written.split("."):
        msg = f'"{written}" has an empty step in its path'
        raise ValueError(msg)
    return Place("path", written)


_as_written = PlainSerializer(str, return_type=str)
_as_text = WithJsonSchema({"type": "string"})
AnyPlace = Annotated[Place, BeforeValidator(place_of), _as_written, _as_text]


def _path(written: object) -> Place:
    place = place_of(written)
    if place.source != "path":
        msg = f'"{place}" must be a path into the message, for example payload.amount'
        raise ValueError(msg)
    return place


Path = Annotated[Place, BeforeValidator(_path), _as_written, _as_text]


class Mapping(Setting):
    """Where a stream's messages keep what driftbus reads. The defaults are the canonical form, which needs no mapping.

    ``features`` is the path of an object whose members are the features, or a list of paths (a feature is then named by its whole path).
    So named are ``text`` and ``embedding`` too: features that stand somewhere else in the message.
    """

    model: AnyPlace = Place("path", "model")
    version: AnyPlace | None = Place("path", "version")
    id: AnyPlace | None = Place("path", "id")
    time: AnyPlace | None = Place("path", "time")
    entity: AnyPlace | None = Field(None, description="whose features they are, as a feature log names it")
    as_of: AnyPlace | None = Field(None, description="as of when they are; null: the record's time")
    features: Path | Annotated[tuple[Path, ...], Field(min_length=1)] = Place("path", "features")
    prediction: Path | None = Place("path", "prediction")
    score: Path | None = Place("path", "score")
    text: Path | None = None
    embedding: Path | None = None

    @property
    def beside(self) -> tuple[Place, ...]:
        """The features that stand beside the others: text and embedding."""
        return tuple(place for place in (self.text, self.embedding) if place is not None)

    def feature(self, name: str) -> tuple[str, ...]:
        """The path of one feature in a message."""
        if isinstance(self.features, Place) and all(place.name != name for place in self.beside):
            return (*self.features.path, name)
        return tuple(name.split("."))

    def field(self, role: str, name: str) -> tuple[str, ...]:
        """The path of a field of a reference, by its role."""
        place = {"prediction": self.prediction, "score": self.score}.get(role)
        return self.feature(name) if place is None else place.path
