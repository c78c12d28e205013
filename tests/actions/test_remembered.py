"""What the decider remembers of what is over, and for how long."""

import pytest

from driftbus.detectors.actions.state import MOST_FAULTS, REMEMBERED_FOR
from driftbus.schemas.messages.action import LedgerFact

from .adversary import DAY, HOUR, incident
from .test_rules import CAUSE, HAND, START, A, B, asked, told


def _fault(name: str, run: int) -> tuple[LedgerFact, LedgerFact]:
    """One that is over."""
    over = {"status": "resolved", "decision": "hold", "onset": run - HOUR, "run": run}
    return incident(name, 1, run - HOUR, decision="forbid", cause="model_broken", onset=run - HOUR), incident(name, 2, run, **over)


@pytest.mark.parametrize("years", [0.3, 1, 5])
def test_no_job_learns_from_a_fault_however_long_ago_it_was(years: float) -> None:
    """Data reach back further than anything else that is remembered."""
    one = told(hand=HAND)
    one(*_fault(A, START))
    one(*_fault(B, START + DAY), later=DAY)
    for _ in range(3):
        one.tick(int(years / 3 * 365 * DAY))
    one(asked("m"))
    assert [(part.since, part.until, part.incident) for part in one.request.data.exclude] == [
        (START - HOUR, START, A),
        (START + DAY - HOUR, START + DAY, B),
    ]


@pytest.mark.parametrize("days", [89, 91, 400])
def test_no_job_learns_from_a_fault_that_was_over_before_the_ledger_began(days: int) -> None:
    """An intake that begins beside topics of months copies faults that are long over."""
    one = told(hand=HAND)
    one.tick(0)
    assert one(*_fault(A, START - days * DAY), asked("m")) == ["requested"]
    assert [part.incident for part in one.request.data.exclude] == [A]


def test_of_faults_without_number_the_newest_are_remembered() -> None:
    one = told(hand=HAND)
    for number in range(MOST_FAULTS + 50):
        one(*_fault(f"{number:032x}", one.now), later=HOUR)
    one.tick(REMEMBERED_FOR)
    one.tick(DAY)
    assert sorted(one.ledger.incidents) == [f"{number:032x}" for number in range(50, MOST_FAULTS + 50)]


def test_what_is_over_is_forgotten() -> None:
    one = told(cause=CAUSE, hand=HAND)
    for number in range(50):
        name = f"{number:032x}"
        one(incident(name, 1, one.now))
        one.seen("succeeded")
        one(incident(name, 2, one.now, status="resolved", decision="hold"), asked(f"m{number}"))
        one.seen("succeeded")
        one.tick(10 * DAY)
    own = one.ledger
    assert max(len(own.incidents), len(own.jobs), len(own.tried)) <= 20
    assert one(incident(f"{1:032x}", 1, START + 10 * DAY)) == [], "too old"
