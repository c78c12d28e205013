"""What people say, and what was done, as the clerk puts it on the summaries beside the traffic of `tests.diagnoser.facts`."""

from typing import Any

from driftbus.schemas.messages.coincidence import Coincidence
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.feedback import Feedback
from driftbus.schemas.messages.progress import Progress

from ..diagnoser.facts import Record, Traffic, end, writers

GRAINS = 40
#: The grain from which on a third of the amounts is missing.
LOST = 28


def broken() -> Traffic:
    return Traffic(null=lambda number: 0.33 if number >= LOST else 0.0)


def evidence(of: str, fact: Coincidence | Feedback, number: int, place: int = 0) -> Evidence:
    """Copied in a grain."""
    return Evidence(
        of=of,
        stream="predictions",
        topic="p.feedback" if of == "feedback" else "p.models",
        topic_id="f",
        partition=0,
        offset=10 * number + place,
        bucket=end(number),
        about=end(number) if fact.time is None else fact.time,
        model="m0",
        version="-",
        fact_id=fact.id,
        fact=fact.plain(),
    )


def word(incident: str, answer: str, **fields: Any) -> Feedback:
    return Feedback.of({"model": "m0", "incident": incident, "answer": answer, **fields})


def told(traffic: Traffic, *facts: tuple[int, Coincidence | Feedback], grains: int = GRAINS) -> dict[str, list[Record]]:
    """By writer, all records; each fact in front of the clerk's progress through its grain."""
    found = writers(traffic, grains)
    for place, (number, fact) in enumerate(facts):
        of = "feedback" if isinstance(fact, Feedback) else "model"
        records = found["clerk"]
        at = next(i for i, one in enumerate(records) if isinstance(one.fact, Progress) and one.through == number)
        records.insert(at, Record("clerk", evidence(of, fact, number, place)))
    return found
