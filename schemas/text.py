r"""A message's own text, judged before it enters a record of ours: names, versions, categories, ids, reasons.

*Guarantee*: what `fitted` returns can be encoded, travels in any header, and is at most so long; distinct texts stay distinct, since
whatever was changed ends in the hash of what it was. Text that is fit stays as it is, to the byte.

What is done with unfit text is decided by its use (`docs/bounds.md` has the table): who must address by it refuses it, who only tells it
spells it out. Half a surrogate (JSON's ``"\ud800"``) is a text in Python and in none of the formats that we write: one of them in a record
ends every process that meets it, at every start.
"""

import re
from hashlib import sha256
from typing import NamedTuple

#: What CloudEvents allows in no text (control characters, noncharacters, halves of surrogates), and Kafka's tools do not show.
_CONTROLS = "\x00-\x1f\x7f-\x9f"
_NOWHERE = "\ud800-\udfff\ufdd0-\ufdef" + "".join(chr(plane | last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
_HALVES = re.compile("[\ud800-\udfff]")
_UNFIT = re.compile(f"[{_CONTROLS}{_NOWHERE}]")
#: Digits of the hash behind a text that was changed: among a million distinct ones, two that meet are to be found in one case of 500.
_DIGITS = 12


class Use(NamedTuple):
    """What a text is for: how many characters it may have, and whether control characters and noncharacters may stand in it."""

    most: int
    anything: bool = False


#: Models and versions travel in the key, the headers and the value of every pane: refused where unfit.
MODEL = Use(500)
#: A field that a reference watches: a column that is not fit to be one is ignored, with the reason.
FIELD = Use(500, anything=True)
#: A name among the features that the reference does not know, in panes and notices.
UNKNOWN_FIELD = Use(200)
#: The text of a category, as it is counted. Long ones differ by their hash.
CATEGORY = Use(500, anything=True)
#: A category that the reference does not know, in panes and events.
UNKNOWN_CATEGORY = Use(60, anything=True)
#: Of a row: compared, never shown.
ID = Use(200, anything=True)
#: Why a record is a dead letter, and what a reference says of its own rows.
REASON, REMARK = Use(1_000), Use(10_000, anything=True)


def is_unicode(text: str) -> bool:
    r"""Whether it can be written again: JSON's ``"\ud800"``, half a character, cannot."""
    return text.isascii() or _HALVES.search(text) is None


def unfit(text: str, use: Use) -> str | None:
    r"""Why a text cannot stand as it is; None: it can.

    >>> unfit("fraud", MODEL), unfit("a\0b", MODEL), unfit("x" * 501, MODEL)
    (None, 'a name with U+0000 in it', 'a name of 501 characters; at most 500 are read')
    """
    if len(text) > use.most:
        return f"a name of {len(text):,} characters; at most {use.most:,} are read"
    found = None if text.isprintable() else (_HALVES if use.anything else _UNFIT).search(text)
    return None if found is None else f"a name with U+{ord(found[0]):04X} in it"


def fitted(text: str, use: Use) -> str:
    r"""The text if it is fit; else spelled out and cut, with its hash behind it.

    >>> fitted("amount", UNKNOWN_FIELD), fitted("\ud800", UNKNOWN_FIELD)
    ('amount', '\\ud800~91a681b99855')
    >>> len(fitted("x" * 1_000, UNKNOWN_FIELD)), fitted("é" * 61, UNKNOWN_CATEGORY)[-14:]
    (200, 'é~cfe5b986ef57')
    """
    if unfit(text, use) is None:
        return text
    mark = f"~{sha256(text.encode(errors='surrogatepass')).hexdigest()[:_DIGITS]}"
    spelled = (_HALVES if use.anything else _UNFIT).sub(_spelled, text[: use.most])
    return spelled[: use.most - len(mark)] + mark


def _spelled(found: re.Match[str]) -> str:
    point = ord(found[0])
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
