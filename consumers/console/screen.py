"""Tables, and what changes in place: rich, given nothing but what `terminal.visible` has neutralised."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import rich.table
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ..replay.terminal import Part, Styled, visible

#: Of a table where there is no terminal: nothing is cut, so that `grep` finds it.
_UNLIMITED = 100_000


class Table:
    """Rows under headings; the last columns take what room there is."""

    def __init__(self, *headings: str, title: str = "", wide: Sequence[str] = ()) -> None:
        self._rich = rich.table.Table(title=Text(visible(title)) if title else None, box=None, header_style="dim", pad_edge=False)
        for heading in headings:
            self._rich.add_column(Text(visible(heading)), overflow="fold", no_wrap=bool(wide) and heading not in wide)

    def row(self, *cells: Part) -> None:
        """A row, a cell a column."""
        self._rich.add_row(*(_text(cell) for cell in cells))


class Terminal:
    """A screen, or whatever stands in its place: a pipe, a file."""

    def __init__(self, file: IO[str] | None = None, width: int | None = None) -> None:
        self._console = Console(file=file, width=width, highlight=False)
        if width is None and not self._console.is_terminal:
            self._console = Console(file=file, width=_UNLIMITED, highlight=False)

    @property
    def is_one(self) -> bool:
        """Whether somebody sits in front of it."""
        return self._console.is_terminal

    @property
    def width(self) -> int:
        """In characters; without bounds where nobody sits in front of it."""
        return self._console.width

    def say(self, *parts: Part) -> None:
        """One line, however long."""
        self._console.print(Text.assemble(*map(_text, parts)), soft_wrap=True)

    def table(self, table: Table) -> None:
        """A table, in the width there is."""
        if self.is_one:
            self._console.print(table._rich)
            return
        with self._console.capture() as captured:
            self._console.print(table._rich)
        for line in captured.get().splitlines():  # without the blanks that fill up the last column
            self._console.print(Text(line.rstrip()), soft_wrap=True)

    def show(self, table: Table, lines: Sequence[str]) -> None:
        """A table with lines below it, which go on in the next one where they are too long."""
        self._console.print(_shown(table, lines))

    @contextmanager
    def live(self, table: Table, lines: Sequence[str] = ()) -> Iterator[Callable[[Table, Sequence[str]], None]]:
        """What `show` shows, in one place, until the end of the block; the function given shows other content."""
        with Live(_shown(table, lines), console=self._console, auto_refresh=False) as live:
            yield lambda table, lines: live.update(_shown(table, lines), refresh=True)

    @contextmanager
    def pace(self) -> Iterator[Callable[[str], None]]:
        """A line that changes, below all others; none where there is no terminal."""
        with self._console.status("") as status:
            yield lambda text: status.update(Text(visible(text)))


def _shown(table: Table, lines: Sequence[str]) -> Group:
    return Group(table._rich, *(Text(visible(line), overflow="fold") for line in lines))


def _text(part: Part) -> Text:
    return Text(visible(part.text), part.style) if isinstance(part, Styled) else Text(visible(part))
