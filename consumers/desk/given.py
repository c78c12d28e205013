"""Answers in a file: a JSON export of Label Studio, or lines of our own."""

from collections.abc import Iterator

import msgspec

from ...schemas.messages.review import ReviewAnswer
from . import label_studio
from .asking import Questions
from .desk import Desk, Refused
from .label_studio import Unread


class _Line(msgspec.Struct):
    """An answer as somebody writes it."""

    case: str
    label: bool | int | float | str | None = None
    skipped: str | None = None
    reviewer: str | None = None
    answered: int | None = None  #: ms; None: now


def answers(content: bytes, desk: Desk, questions: Questions, reviewer: str | None, now: int) -> Iterator[ReviewAnswer | Unread]:
    """All that the file holds, each an answer or why it is none. ``reviewer``: who answered, where it does not say; ``now``: when, ms."""
    if content.lstrip()[:1] == b"[":
        try:
            tasks = msgspec.json.decode(content, type=list[object])
        except msgspec.DecodeError as error:
            yield Unread("the file", f"{error}")
            return
        yield from label_studio.answers(tasks, desk, questions)
        return
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield _answer(msgspec.json.decode(line, type=_Line), desk, questions, reviewer, now)
        except (msgspec.MsgspecError, ValueError) as error:
            yield Unread(f"line {number:,}", f"{error}".splitlines()[0])


def _answer(line: _Line, desk: Desk, questions: Questions, reviewer: str | None, now: int) -> ReviewAnswer:
    request = desk.request(line.case)
    if request is None:
        msg = f"nobody was asked about case {line.case[:40]}, or it is too long ago"
        raise Refused(msg)
    who = line.reviewer or reviewer
    if who is None:
        msg = "reviewer is missing; write it in the line, or --reviewer NAME"
        raise Refused(msg)
    label = line.label
    if label is not None:
        label = questions(request).checked(label, questions.labels_of(request.model))
    answered = now if line.answered is None else line.answered
    try:
        return ReviewAnswer.of(request, who, answered, label=label, skipped=line.skipped)
    except ValueError:
        msg = "label, or skipped with the reason: one of them"
        raise Refused(msg) from None
