"""While what serves is about to be another version nothing else is decided; what a version came from is remembered while it counts."""

import pytest

from driftbus.schemas.configuration import Promotion
from driftbus.schemas.messages.action import ActionTick

from .adversary import DAY, HOUR, incident
from .adversary_versions import LENGTH, moved
from .test_versions import BARE, Told, promoted, registered, word


@pytest.mark.parametrize("by", ["a person", "the test"])
def test_while_one_is_rolled_back_no_other_is_promoted_in_its_place(by: str) -> None:
    """It was compared with a version that is on its way out, and named it as what to go back to."""
    told = promoted()
    told(registered("3", parent="2"))
    assert told.contest("3", "2", ahead=0.2, days=20) == []
    start = told.now - 21 * LENGTH
    assert (told(word("roll_back")) if by == "a person" else told.contest("1", "2", ahead=0.3, days=22, since=start)) == ["roll_back 2"]
    assert told.contest("3", "2", ahead=0.2, days=2) == []
    told(word("promote", "3"))
    assert told(moved("rolled_back", "2", 2, parent="1")) == ["promote 3"]
    assert told.last.parent == "1"


@pytest.mark.parametrize("by", ["a person", "the test"])
def test_while_another_is_promoted_none_is_rolled_back(by: str) -> None:
    """What serves in the end is the other; the ledger had the one in force that had been before both."""
    told = promoted()
    told(registered("3", parent="2"))
    start = told.now
    assert told.contest("3", "2", ahead=0.2, days=21) == ["promote 3"]
    assert (told(word("roll_back")) if by == "a person" else told.contest("1", "2", ahead=0.3, days=22, since=start)) == []
    assert told(moved("promoted", "3", 3, parent="2")) == ["retire 2"]
    assert told.ledger.version == "3"
    assert told(moved("promoted", "2", 4, parent="1"), ActionTick(time=told.now)) == [], "a person brings it back: it stays"
    assert (told.ledger.version, told.ledger.candidates["2"].state) == ("2", "promoted")


def test_a_roll_back_of_what_does_not_serve_changes_nothing() -> None:
    told = promoted()
    for version in ("1", "3", "-"):
        told(moved("rolled_back", version, 5, parent="0"))
        assert told.ledger.version == "2"


def test_what_a_person_rolled_back_and_brought_back_stays() -> None:
    """The word counted again as soon as it served."""
    told = promoted()
    assert told(word("roll_back")) == ["roll_back 2"]
    told(moved("rolled_back", "2", 2, parent="1"))
    assert told(moved("promoted", "2", 3, parent="1"), ActionTick(time=told.now)) == []
    assert told.ledger.candidates["2"].state == "promoted"


@pytest.mark.parametrize("days", [40, 89, 91, 300])
def test_a_fault_in_its_data_holds_a_version_however_late_it_is_found(days: int) -> None:
    told = Told(Promotion(**{**BARE, "shadow": 60 * DAY, "within": 366 * DAY}))
    told(registered(job=told.job()))
    onset = told.now - HOUR
    for _ in range(days):
        told(ActionTick(time=told.now), later=DAY)
    fault = incident("a" * 32, 1, told.now, decision="forbid", onset=onset, run=onset + 2 * HOUR)
    assert told(fault) == ["held 2"]
