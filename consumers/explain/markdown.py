"""A document as Markdown, for a ticket or a wiki: pictures as their tables."""

import re
from collections.abc import Iterator

from ..replay.terminal import visible
from .document import Document, Items, Part, Picture, Prose, Table

#: What would be markup somewhere: of Markdown, of the HTML in it, of mentions and links in trackers.
_MARKUP = re.compile(r"([\\*_{}\[\]<>#|~$!@&])")


def markdown(document: Document) -> str:
    """The text."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {prose(document.title)}"
    yield ""
    for name, value in document.facts:
        yield f"- **{plain(name)}**: {prose(value)}"
    for section in document.sections:
        yield ""
        yield f"## {prose(section.heading)}"
        for part in section.parts:
            yield ""
            yield from _part(part)


def _part(part: Part) -> Iterator[str]:
    match part:
        case Prose(text=said):
            yield prose(said)
        case Items(texts=texts):
            yield from (f"- {prose(one)}" for one in texts)
        case Picture(caption=caption, table=table):
            yield f"*{prose(caption)}*"
            yield ""
            yield from _table(table)
        case Table():
            yield from _table(part)


def _table(table: Table) -> Iterator[str]:
    first = len(table.headings) - table.numbers
    yield _row(table.headings)
    yield "|" + "|".join("---:" if number >= first else "---" for number in range(len(table.headings))) + "|"
    yield from map(_row, table.rows)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(prose, cells))} |"


def plain(text: str) -> str:
    """Without markup: it reads as it is.

    >>> plain("a_b <script>")
    'a\\\\_b \\\\<script\\\\>'
    """
    return _MARKUP.sub(r"\\\1", visible(text).replace("`", "'"))


def prose(text: str) -> str:
    """The same, names between back-quotes set as code, in which nothing is markup but what ends a table's cell."""
    parts = text.split("`")
    whole = len(parts) % 2 == 1
    return "".join(
        f"`{visible(one).replace('|', chr(0xA6))}`" if number % 2 and whole and one else plain(one) for number, one in enumerate(parts)
    )
