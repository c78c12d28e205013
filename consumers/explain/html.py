"""A document as one HTML file: no script, nothing fetched, light and dark, fit to be printed.

*Guarantee.* Every text is escaped, and a policy in the file forbids whatever else a reader's browser might fetch or run.
"""

from collections.abc import Iterator
from html import escape
from importlib import resources

from ..replay.terminal import visible
from .document import Document, Items, Part, Picture, Prose, Section, Table

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(document: Document) -> str:
    """The file."""
    style = resources.files(__package__).joinpath("page.css").read_text("utf-8")
    facts = "".join(f"<div><dt>{text(name)}</dt><dd>{prose(value)}</dd></div>" for name, value in document.facts)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{text(document.title)}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{prose(document.title)}</h1>",
            f"<dl>{facts}</dl>",
            *(line for section in document.sections for line in _section(section)),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def text(plain: str) -> str:
    """Escaped, with what would act on a screen shown instead."""
    return escape(visible(plain), quote=True)


def prose(plain: str) -> str:
    """The same, names between back-quotes set as such."""
    parts = plain.split("`")
    whole = len(parts) % 2 == 1
    return "".join(f"<code>{text(one)}</code>" if number % 2 and whole else text(one) for number, one in enumerate(parts))


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{prose(section.heading)}</h2>"
    for part in section.parts:
        yield _part(part)
    yield "</section>"


def _part(part: Part) -> str:
    match part:
        case Prose(text=said, lead=lead):
            return f"<p class='lead'>{prose(said)}</p>" if lead else f"<p>{prose(said)}</p>"
        case Items(texts=texts):
            items = "".join(f"<li>{prose(one)}</li>" for one in texts)
            return f"<ul>{items}</ul>"
        case Picture(svg=svg, caption=caption):
            return f"<figure>{svg}<figcaption>{prose(caption)}</figcaption></figure>"
        case Table():
            return _table(part)


def _table(table: Table) -> str:
    first = len(table.headings) - table.numbers
    kinds = ['<{0} class="number">' if number >= first else "<{0}>" for number in range(len(table.headings))]
    head = "".join(f"{kind.format('th')}{prose(one)}</th>" for kind, one in zip(kinds, table.headings, strict=True))
    cells = ["".join(f"{kind.format('td')}{prose(one)}</td>" for kind, one in zip(kinds, row, strict=True)) for row in table.rows]
    rows = "".join(f"<tr>{row}</tr>" for row in cells)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
