"""A case as a reviewer is told it: plain texts, from which whatever acts on the one who reads is taken, and why it was drawn."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...schemas.cloud_events import iso
from ...schemas.messages.review import ReviewRequest
from ..decode.personal import HASH_BYTES, SIGN
from ..replay.terminal import visible
from .asking import Question
from .desk import Desk, Group

#: From here on a text is read, and not looked at: characters, or words.
_READ_CHARACTERS, _READ_WORDS = 60, 9
#: Of a near-duplicate, characters that are shown.
_LINE = 300
#: Scores that leave it open.
_OPEN = (0.2, 0.8)
#: Flagged as unlike the training data: p at most so.
_UNLIKE = 0.05
_SAME = "word for word the same"
_NUMBERS = re.compile(r"(\d+)")


class Why(NamedTuple):
    """A reason for which a case was drawn: its kind, and in words."""

    kind: str
    words: str


def readable(value: object) -> str:
    r"""A value as text that may be shown: it keeps its lines, and nothing in it changes the text around it.

    >>> readable("a\tb\nc\u202ed"), readable(True), readable(0.5), readable(3)
    ('a   b\nc\\u202ed', 'true', '0.5', '3')
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(visible(line.expandtabs(4)) for line in lines)


def is_read(value: object) -> bool:
    """Whether a field is a text to read, rather than a value to look at.

    >>> is_read("Lima"), is_read("How do I get my money back?\\nIt never came."), is_read(12.5)
    (False, True, False)
    """
    return isinstance(value, str) and (len(value) >= _READ_CHARACTERS or "\n" in value or len(value.split()) >= _READ_WORDS)


def reasons(request: ReviewRequest, question: Question, *, drifting: bool) -> Iterator[Why]:
    """Why a case was drawn: all that made it likelier; at random, whatever it is, where it is one of the uniform third."""
    open_ = request.score is not None and question.task != "number" and _OPEN[0] <= request.score <= _OPEN[1]
    if request.uniform:
        yield Why("random", "drawn at random")
    if request.p is not None and request.p <= _UNLIKE:
        yield Why("unlike", "unlike the training data")
    if drifting:
        yield Why("drifting", f"{readable(request.segment)} is drifting")
    if open_ and not request.uniform:
        yield Why("uncertain", "the model is uncertain")
    if request.again:
        yield Why("second", "two are asked")


def told(group: Group, question: Question, desk: Desk) -> Mapping[str, Any]:  # JSON
    """Of a group of cases, all that the page shows."""
    one = group.first
    why = [*reasons(one, question, drifting=desk.drifting(one))] or [Why("weight", "drawn by its weight")]
    return {
        "case": one.case,
        "model": readable(one.model),
        "version": readable(one.version),
        "id": _id(one),
        "when": iso(one.bucket).replace("T", " ").replace("Z", " UTC"),
        "why": why,
        "texts": [(readable(name), readable(value)) for name, value in fields(one) if is_read(value)],
        "fields": [(readable(name), None if value is None else readable(value)) for name, value in fields(one) if not is_read(value)],
        "prediction": None if one.prediction is None else readable(one.prediction),
        "score": None if one.score is None else f"{one.score:.4g}",
        "probability": f"probability {one.probability:.3g}",
        "others": [(other.case, _SAME if line(other) == line(one) else line(other)) for other in group.others],
        "asked": {
            "question": question.text,
            "number": question.task == "number",
            "choices": [{"value": choice.value, "name": readable(choice.name), "key": choice.letter} for choice in question.choices],
        },
    }


def _id(request: ReviewRequest) -> str | None:
    """By which a case can be told from another: that of its prediction, or of a hash as many digits as people compare."""
    if request.prediction_hash is not None:
        return f"{SIGN}{request.prediction_hash[: 2 * HASH_BYTES]}"
    return None if request.prediction_id is None else readable(request.prediction_id)


def fields(request: ReviewRequest) -> list[tuple[str, object]]:
    """What is shown of a case, in the order of the names as people count: f2 before f10."""
    return sorted(request.shown.items(), key=lambda one: _counted(one[0]))


def _counted(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(name)]


def line(request: ReviewRequest) -> str:
    """A case in a line: its texts, else its fields."""
    texts = [str(value) for value in request.shown.values() if is_read(value)]
    words = " / ".join(texts) if texts else ", ".join(f"{name} {value}" for name, value in request.shown.items())
    return readable(" ".join(words.split())[:_LINE] or f"offset {request.offset}")
