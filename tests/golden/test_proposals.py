"""After an incident: a golden set is proposed where the cause asks for one, and waits for a person."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.golden_proposals import proposals, written
from driftbus.consumers.reference.golden_records import folded
from driftbus.consumers.reference.golden_sets import AnnouncedSets, read_set, store_of
from driftbus.schemas.bounds import RECORDS
from driftbus.schemas.messages.golden_proposal import GoldenProposal
from driftbus.schemas.messages.root_cause import Mitigation

from ..command.conftest import User, user  # noqa: F401  # a fixture
from ..command.test_golden import CONFIGURATION, SCORING, build, table
from ..feedback.test_command import cause, publishes
from .test_bounds import NAME, SETTINGS, size

INCIDENT, OTHER = "1" * 32, "2" * 32
NEW = ("golden", "refresh", "fraud", "october.csv", "--label", "label", "--id", "id", "--slice", "country")


def ask(incident: str, advice: str, *statuses: str, **fields: object) -> None:
    """An incident whose cause asks for this."""
    asked: dict[str, Any] = {"mitigation": Mitigation.model_validate({"action": "fine_tune", "golden_set": advice}), **fields}
    publishes(*(cause(incident, number, status=status, **asked) for number, status in enumerate(statuses, 1)))


@pytest.fixture
def asker(user: User) -> User:  # noqa: F811  # the fixture
    Path("driftbus.yaml").write_text(CONFIGURATION)
    Path("scoring.py").write_text(SCORING)
    table("labelled.csv", range(100))
    table("october.csv", range(0), *(f"{number},{number},{('NZ', 'PE')[number % 2]},yes" for number in range(100, 180)))
    user.creates()
    build(user)
    return user


def in_use() -> str:
    with closing(open_bus(load())) as bus:
        return AnnouncedSets(bus, load()).in_use("fraud")


def waiting() -> list[GoldenProposal]:
    with closing(open_bus(load())) as bus:
        return proposals(bus, load())


def test_what_a_confirmed_cause_asks_for_waits_for_a_person(asker: User) -> None:
    ask(INCIDENT, "refresh_after", "suspected", "confirmed", "resolved")
    before = in_use()
    for _ in range(2):
        told = asker.says(*NEW, "--incident", "111", "--by", "ann")
    [one] = waiting()
    assert f"proposed: {one.golden}, refresh after for 11111111; it waits for a person" in told
    assert (one.incident, one.revision, one.cause, one.advice, one.by) == (INCIDENT, 2, "data_drift", "refresh_after", "ann")
    assert (one.parent, one.rows, one.added) == (before, 100, one.removed)
    assert in_use() == before
    [line] = [json.loads(line) for line in asker.says("golden", "proposals", "--json").splitlines()]
    assert line["golden"] == one.golden
    assert "data drift 11111111" in asker.says("golden", "proposals", "fraud")
    asker.says("golden", "accept", one.golden[7:15], "--by", "bob")
    assert in_use() == one.golden
    assert "no golden set waits for a person" in asker.says("golden", "proposals")
    with closing(open_bus(load())) as bus:
        asked = sorted(one.request.golden or "" for one in folded(bus, load(), "fraud").todo())
        [announced] = [known for known in AnnouncedSets(bus, load()).of("fraud") if known.golden == one.golden]
    assert asked == sorted([before, one.golden]), "both are run once, so that the series connects"
    assert (announced.by, announced.parent) == ("bob", before)
    assert "no proposals have a hash that begins so" in asker.says("golden", "accept", one.golden, "--by", "bob", code=1)


@pytest.mark.parametrize(("advice", "rows", "old"), [("refresh_after", 100, True), ("extend", 180, True), ("rebuild", 80, False)])
def test_each_advice_makes_another_set(asker: User, advice: str, rows: int, old: bool) -> None:
    ask(INCIDENT, advice, "confirmed")
    asker.says(*NEW, "--incident", INCIDENT)
    [one] = waiting()
    made = read_set(store_of(load()), one.golden)
    assert len(made.rows) == one.rows == rows
    assert any(int(row.id) < 100 for row in made.rows) is old


def test_what_is_rejected_changes_nothing(asker: User) -> None:
    ask(INCIDENT, "extend", "confirmed")
    before = in_use()
    asker.says(*NEW, "--incident", INCIDENT)
    [one] = waiting()
    asker.says("golden", "reject", one.golden)
    assert not waiting()
    assert in_use() == before


@pytest.mark.parametrize(
    ("incident", "more", "said"),
    [
        ("1", (), "11111111 is suspected: only a confirmed cause changes what a model is tested on"),
        ("2", (), "22222222: data drift: the golden set stays as it is"),
        ("3", (), "33333333 is of model other, not of fraud"),
        ("4", (), "4: there is no such incident on fraud-watch.root-causes"),
        ("1", ("--announce",), "--incident and --announce: what is proposed for an incident waits for a person"),
    ],
)
def test_nothing_else_is_proposed(asker: User, incident: str, more: tuple[str, ...], said: str) -> None:
    ask(INCIDENT, "extend", "suspected")
    ask(OTHER, "keep", "confirmed")
    ask("3" * 32, "extend", "confirmed", model="other")
    assert said in asker.says(*NEW, "--incident", incident, *more, code=2 if more or incident == "3" else 1)
    assert not waiting()


def test_a_proposal_is_within_its_bound() -> None:
    one = GoldenProposal(
        model=NAME,
        golden=f"sha256:{'0' * 64}",
        parent=f"sha256:{'0' * 64}",
        incident=INCIDENT,
        revision=2**40,
        cause="c" * 100,
        advice="extend",
        because="\x01" * 500,
        rows=20_000,
        proposed=2**45,
        by=NAME,
    )
    assert size(written(SETTINGS, one)) <= RECORDS["golden-proposal"]


@pytest.mark.parametrize("by", ["", "x" * 501, "a\ud800b", "a\x00b"], ids=["empty", "long", "surrogate", "null"])
def test_a_name_that_no_message_may_hold_is_refused_before_anything_is_done(asker: User, by: str) -> None:
    ask(INCIDENT, "refresh_after", "suspected", "confirmed")
    before = in_use()
    assert "Invalid value for '--by'" in asker.says(*NEW, "--incident", "111", "--by", by, code=2)
    assert waiting() == []
    asker.says(*NEW, "--incident", "111", "--by", "ann")
    [one] = waiting()
    assert "Invalid value for '--by'" in asker.says("golden", "accept", one.golden, "--by", by, code=2)
    assert (in_use(), waiting()) == (before, [one])
