"""All that people are shown passes here, and nowhere else: names and values come from anybody who can write to a topic.

*Guarantee.* What is printed holds no control characters, no escape sequences, and nothing that changes the direction of the text around
it: each is shown as JSON writes it (``\\u001b``), so a line of JSON stays one. A line stays one line. Only this file knows click's
printing, and only `screen` knows rich's; a test reads the source of all others.
"""

import json
import re
import sys
import traceback
import unicodedata
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import NamedTuple

import click

#: C0, DEL and C1; marks, embeddings, overrides and isolates of direction; line and paragraph separators; what has no width and no sense;
#: halves of surrogate pairs, which no terminal can be sent.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Styled(NamedTuple):
    """A part of a line in a style of rich: ``red``, ``bold red``, ``dim``."""

    text: str
    style: str


Part = str | Styled


def visible(text: str) -> str:
    """The text with everything shown that would act on a terminal instead.

    >>> visible("amount\\x1b[2J"), visible("a\\u202eb"), visible("caf\\u00e9 \\u4f60")
    ('amount\\\\u001b[2J', 'a\\\\u202eb', 'caf\u00e9 \u4f60')

    So is what looks like another text and is none: a letter and its mark, which are mostly one character, and another letter's double.

    >>> visible("cafe\\u0301"), visible("\\u212b")
    ('cafe\\\\u0301', '\\\\u212b')
    """
    shown = _UNSEEN.sub(lambda found: _SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), text)
    return shown if unicodedata.is_normalized("NFC", shown) else "".join(_told_apart(shown))


def _told_apart(text: str) -> Iterator[str]:
    """The characters of a text, those escaped that its composed form (NFC) does not have."""
    before = ""
    for one in text:
        composed = len(unicodedata.normalize("NFC", before + one)) < len(before + one) or unicodedata.normalize("NFC", one) != one
        yield json.dumps(one)[1:-1] if composed else one
        before = "" if composed else one


def say(*parts: Part, err: bool = False) -> None:
    """One line."""
    click.echo("".join(_ansi(part) for part in parts), err=err)


def agreed(question: str) -> bool:
    """Whether somebody says yes."""
    return click.confirm(visible(question))


def without_credentials(text: str) -> str:
    """A message without the names and passwords of the addresses in it.

    >>> without_credentials("artifacts: ftp://anna:hunter2@host/x has no sha256:ab")
    'artifacts: ftp://***@host/x has no sha256:ab'
    """
    return _CREDENTIALS.sub("***@", text)


def neutral(error: click.ClickException) -> click.ClickException:
    """The error with a message that may be shown, as one line."""
    if error.message:  # a missing parameter has none of its own
        vars(error)["message"] = visible(without_credentials(error.message))
    return error


def refusal(lines: Sequence[str]) -> click.ClickException:
    """An error of several lines."""
    return click.ClickException("\n".join(visible(without_credentials(line)) for line in lines))


def told_at_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: a traceback repeats the error's message, which may repeat a message of the bus."""
    for line in traceback.format_exception(kind, error, trace):
        for one in line.splitlines():
            say(without_credentials(one), err=True)


def _ansi(part: Part) -> str:
    """As click writes it, which leaves the colours out where there is no terminal."""
    if not isinstance(part, Styled):
        return visible(part)
    words = part.style.split()
    colour = next((word for word in words if word not in {"bold", "dim"}), None)
    return click.style(visible(part.text), fg=colour, bold="bold" in words or None, dim="dim" in words or None)


def guard_tracebacks() -> None:
    """What ends the process unforeseen is told by `told_at_the_end`."""
    sys.excepthook = told_at_the_end
