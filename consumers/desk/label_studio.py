"""Cases as tasks of Label Studio, and its annotations as answers: JSON as it imports and exports it, checked with release 1.23."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from ...schemas.cloud_events import iso, microseconds
from ...schemas.messages.review import ReviewAnswer, ReviewRequest
from .asking import Question
from .desk import Desk, Group, Refused
from .telling import Why, fields, is_read, line, readable, reasons

#: What the tags of the interface are called, and what a task's data holds.
_LABEL, _TEXT, _ID = "label", "text", "event_id"
#: Why a case has no label, where it was skipped there.
SKIPPED = "skipped in Label Studio"
#: How a reviewer is called: it, and who it says he is there.
_BY = "label-studio/"


#: What is asked about a case.
QuestionOf = Callable[[ReviewRequest], Question]


class Unread(NamedTuple):
    """An annotation that is no answer, and why."""

    place: str
    why: str


def interface(question: Question) -> str:
    """The labelling interface of a project: XML, for its settings.

    >>> from driftbus.consumers.desk.asking import Choice
    >>> "<Choice value='yes'" in interface(Question("What is right?", "binary", (Choice(True, "yes"),))).replace('"', "'")
    True
    """
    lines = ["<View>", '  <Header value="$why" size="6"/>', f'  <Text name="{_TEXT}" value="$text"/>', '  <Header value="$said" size="6"/>']
    if question.task == "number":
        lines.append(f'  <Number name="{_LABEL}" toName="{_TEXT}" required="true"/>')
    else:
        lines.append(f'  <Choices name="{_LABEL}" toName="{_TEXT}" choice="single" required="true">')
        lines += [
            f"    <Choice value={quoteattr(readable(choice.name))}" + (f' hotkey="{place}"' if place < 10 else "") + "/>"
            for place, choice in enumerate(question.choices, start=1)
        ]
        lines.append("  </Choices>")
    return "\n".join([*lines, "</View>"])


def task(group: Group, question: Question, desk: Desk) -> dict[str, Any]:  # JSON
    """The task of a group of cases: one that stands for all of it."""
    one = group.first
    why = [*reasons(one, question, drifting=desk.drifting(one))] or [Why("weight", "drawn by its weight")]
    shown = [
        f"{readable(name)}:\n{readable(value)}\n" if is_read(value) else f"{readable(name)}: {'none' if value is None else readable(value)}"
        for name, value in fields(one)
    ]
    said = "" if one.prediction is None else f"The model said {readable(one.prediction)}"
    score = "" if one.score is None else f"{', ' if said else ''}score {one.score:.4g}"
    return {
        "data": {
            _ID: one.case,
            "cases": [case.case for case in group.cases],
            _TEXT: "\n".join(shown) or line(one),
            "why": ", ".join(reason.words for reason in why),
            "said": f"{said}{score}" or "The model said nothing",
            "model": one.model,
            "version": one.version,
            "asked": iso(one.asked),
        },
        "meta": {"driftbus": one.case},
    }


def answers(tasks: Sequence[object], desk: Desk, question_of: QuestionOf) -> Iterator[ReviewAnswer | Unread]:
    """Those of the annotated tasks of a JSON export: of every case and person the last one."""
    found = dict[tuple[str, str], ReviewAnswer]()
    for place, one in enumerate(tasks):
        if not isinstance(one, Mapping) or not isinstance(one.get("data"), Mapping):
            yield Unread(f"task {place}", "no task of a JSON export: it has no data; export as JSON, not as JSON-MIN or CSV")
            continue
        named = f"task {one.get('id', place)}"
        named_cases = cases(one["data"])
        if not named_cases:
            yield Unread(named, f"its data has no {_ID}: it did not come from here")
            continue
        requests = [request for case in named_cases if (request := desk.request(case)) is not None]
        if not requests:
            yield Unread(named, f"nobody was asked about case {named_cases[0][:40]}, or it is too long ago")
            continue
        annotations = one.get("annotations")
        for annotation in annotations if isinstance(annotations, list) else ():
            try:
                for answer in _answers(annotation, requests, question_of):
                    known = found.get((answer.case, answer.reviewer))
                    if known is None or known.answered <= answer.answered:
                        found[answer.case, answer.reviewer] = answer
            except (Refused, ValueError, TypeError, LookupError, AttributeError) as error:
                yield Unread(named, f"{error}" or type(error).__name__)
    yield from sorted(found.values(), key=lambda answer: (answer.answered, answer.case))


def cases(data: Mapping[str, object]) -> list[str]:
    """The cases that a task stands for, by its data."""
    named = data.get("cases") if isinstance(data.get("cases"), list) else [data.get(_ID)]
    return [case for case in named if isinstance(case, str)] if isinstance(named, list) else []


def _answers(annotation: Mapping[str, Any], requests: Sequence[ReviewRequest], question_of: QuestionOf) -> list[ReviewAnswer]:
    answered = microseconds(annotation.get("updated_at") or annotation["created_at"]) // 1000
    reviewer = _BY + _account(annotation.get("completed_by"))
    if annotation.get("was_cancelled"):
        return [ReviewAnswer.of(request, reviewer, answered, skipped=SKIPPED) for request in requests]
    given = [one for one in annotation.get("result") or () if one.get("from_name") == _LABEL]
    if len(given) != 1:
        msg = f"{len(given) or 'no'} results named {_LABEL!r}; the project's interface is not the one of driftbus review interface"
        raise Refused(msg)
    value, question = given[0]["value"], question_of(requests[0])
    if question.task == "number":
        label = question.checked(value["number"], None)
    else:
        (name,) = value["choices"]
        named = [choice.value for choice in question.choices if readable(choice.name) == name]
        if not named:
            names = ", ".join(choice.name for choice in question.choices[:10])
            msg = f"choice {name!r:.100} is none of those asked for: {names}"
            raise Refused(msg)
        label = named[0]
    return [ReviewAnswer.of(request, reviewer, answered, label=label) for request in requests]


def _account(completed_by: object) -> str:
    """The number of an account: exports of some releases hold the number, of others an object with it. Addresses are nobody's business."""
    number = completed_by.get("id") if isinstance(completed_by, Mapping) else completed_by
    return str(number)[:100] if isinstance(number, int | str) else "unknown"
