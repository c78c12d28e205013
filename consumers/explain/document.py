"""What a document consists of, whatever it is written as. All texts are plain: who writes it down escapes them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Prose:
    """A paragraph; what stands between back-quotes is a name."""

    text: str
    lead: bool = False  #: it says all that matters


@dataclass(frozen=True)
class Items:
    """A list."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of texts under headings; the ``numbers`` last columns are numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int = 0


@dataclass(frozen=True)
class Picture:
    """A drawing as SVG, whose texts are escaped, and what it shows as a table, for who cannot see it."""

    svg: str
    caption: str
    table: Table


Part = Prose | Items | Table | Picture


@dataclass(frozen=True)
class Section:
    """Parts under a heading."""

    heading: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Document:
    """All of it."""

    title: str
    facts: tuple[tuple[str, str], ...]  #: what it is about, name and value
    sections: tuple[Section, ...] = field(default_factory=tuple)
