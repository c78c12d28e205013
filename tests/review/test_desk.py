"""What waits for a reviewer, and what becomes of his answers, is a function of the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.interface import Bus, BusError, Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.desk.desk import Desk, Refused
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.review import TAKEN_BACK, ReviewRequest

from . import cases
from .cases import MODEL, SLOT, answers, request, requests

NOW = SLOT + 1_000_000


@contextmanager
def desk(folder: Path, said: list[ReviewRequest], most: int = 1_000) -> Iterator[tuple[Desk, Bus, Configuration]]:
    configured = cases.configuration(folder)
    with cases.asked(configured, said) as bus:
        made = Desk(bus, configured, MODEL, most)
        made.refresh()
        yield made, bus, configured


def waiting(made: Desk, reviewer: str) -> list[str]:
    return [case.case for group in made.waiting(reviewer) for case in group.cases]


def test_slots_come_in_their_order_and_each_reviewer_has_his_own_within_one(tmp_path: Path) -> None:
    with desk(tmp_path, requests(30)) as (made, _, _):
        slots = [group.first.slot for group in made.waiting("anna")]
        assert slots == sorted(slots)
        assert len(slots) == 30
        assert waiting(made, "anna") != waiting(made, "ben")
        assert set(waiting(made, "anna")) == set(waiting(made, "ben"))


def test_an_answered_case_waits_for_nobody_unless_two_are_asked(tmp_path: Path) -> None:
    with desk(tmp_path, [request(0), request(1, again=True)]) as (made, _, _):
        made.answer("anna", [request(0).case, request(1).case], NOW, label="card")
        assert waiting(made, "anna") == []
        assert waiting(made, "ben") == [request(1).case]
        made.answer("ben", [request(1).case], NOW, label="refund")
        assert waiting(made, "clara") == []


def test_a_case_that_one_skips_waits_for_others(tmp_path: Path) -> None:
    with desk(tmp_path, [request(0)]) as (made, _, _):
        made.answer("anna", [request(0).case], NOW, skipped="I cannot tell")
        assert waiting(made, "anna") == []
        assert waiting(made, "ben") == [request(0).case]


def test_near_duplicates_are_one_group_and_are_answered_together(tmp_path: Path) -> None:
    alike = [request(place, group="g") for place in range(3)]
    with desk(tmp_path, [*alike, *requests(6)[3:]]) as (made, bus, configured):
        groups = made.waiting("anna")
        assert sorted(len(group.cases) for group in groups) == [1, 1, 1, 3]
        (group,) = (group for group in groups if group.others)
        made.answer("anna", [case.case for case in group.cases], NOW, label="card")
        assert len(answers(bus, configured)) == 3
        assert len(made.waiting("anna")) == 3


def test_an_answer_that_is_tried_again_is_on_the_topic_once(tmp_path: Path) -> None:
    with desk(tmp_path, requests(3)) as (made, bus, configured):
        for _ in range(3):
            made.answer("anna", [request(0).case], NOW, label="card")
        other = Desk(bus, configured)  # another process, which begins where this one has died
        other.answer("anna", [request(0).case, request(0).case], NOW, label="card")
        assert [(one.label, one.reviewer, one.probability) for one in answers(bus, configured)] == [("card", "anna", 0.08)]


def test_what_is_taken_back_comes_first_and_is_answered_anew(tmp_path: Path) -> None:
    with desk(tmp_path, requests(9)) as (made, bus, configured):
        made.answer("anna", [request(5).case, request(6).case], NOW, label="card")
        made.answer("ben", [request(2).case], NOW + 5, label="card")
        made.take_back("anna", NOW + 10)
        made.take_back("anna", NOW + 10)  # tried again
        assert {one.case for one in made.waiting("anna")[0].cases + made.waiting("anna")[1].cases} == {request(5).case, request(6).case}
        assert [one.skipped for one in answers(bus, configured)] == [None, None, None, TAKEN_BACK, TAKEN_BACK]
        made.take_back("anna", NOW + 20)  # there is nothing more of hers
        assert len(answers(bus, configured)) == 5
        made.answer("anna", [request(5).case], NOW + 30, label="refund")
        assert made.last("anna")[0].label == "refund"
        again = Desk(bus, configured)
        again.refresh()
        assert waiting(again, "anna") == waiting(made, "anna")


def test_what_nobody_asked_is_refused(tmp_path: Path) -> None:
    with desk(tmp_path, requests(2)) as (made, bus, configured):
        for said in ({"label": "card", "skipped": "both"}, {}, {"skipped": "x" * 201}, {"label": "x" * 2_001}):
            with pytest.raises(Refused):
                made.answer("anna", [request(0).case], NOW, **said)
        with pytest.raises(Refused, match="not among the 2 newest"):
            made.answer("anna", [request(0).case, request(9).case], NOW, label="card")
        assert answers(bus, configured) == []


def test_the_newest_are_held(tmp_path: Path) -> None:
    with desk(tmp_path, requests(30), most=10) as (made, _, _):
        assert sorted(waiting(made, "anna")) == sorted(one.case for one in requests(30)[20:])


def test_strangers_on_the_topic_stop_nobody(tmp_path: Path) -> None:
    with desk(tmp_path, requests(2)) as (made, bus, configured):
        topic = configured.topics.reviews
        source = (("ce_source", b"/driftbus/desk"), ("ce_type", b"io.driftbus.review.request"))
        damaged = (None, b"", b"{", b"[]", b"\xff")
        bus.publish([Output(topic, place, b"x", value, heads) for place in range(4) for value in damaged for heads in ((), source)])
        cases.write(bus, configured, [request(7)])
        made.refresh()
        assert len(made.waiting("anna")) == 3


def test_without_the_topic_it_is_said_what_to_do(tmp_path: Path) -> None:
    configured = cases.configuration(tmp_path)
    bus = open_bus(configured)
    with pytest.raises(BusError, match="driftbus topics create"):
        Desk(bus, configured)
    bus.close()


def test_a_topic_that_is_made_again_asks_what_it_holds_and_nothing_else(tmp_path: Path) -> None:
    with desk(tmp_path, requests(30)) as (made, bus, configured):
        made.answer("anna", waiting(made, "anna")[:3], NOW, label="card")
        old = waiting(made, "anna")
        bus.delete(configured.topics.reviews)
        with pytest.raises(BusError, match="driftbus topics create"):
            made.refresh()
        bus.create(configured.topics.reviews, configured.topics.partitions)
        cases.write(bus, configured, [request(40), request(41)])
        made.refresh()
        assert sorted(waiting(made, "anna")) == sorted(one.case for one in (request(40), request(41)))
        with pytest.raises(Refused, match="it is not among the 2 newest"):
            made.answer("anna", old[:1], NOW, label="card")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"label": float("nan")}, "label: nan: nothing that may stand there"),
        ({"label": float("inf")}, "label: inf: nothing that may stand there"),
        ({"label": 10**400}, "label: 1000"),
        ({"label": ["card"]}, "label: a list: nothing that may stand there"),
        ({"label": "x" * 2_001}, "label: 'xxx"),
        ({"label": "\ud800"}, r"label: '\\ud800'"),
        ({"skipped": ""}, "skipped: '': string should have at least 1 character"),
        ({"skipped": "x" * 201}, "skipped: 'xxx"),
        ({"label": "card", "skipped": "why"}, "it has both"),
        ({}, "it has none"),
    ],
)
def test_an_answer_that_nobody_could_read_is_refused_with_what_is_wrong(tmp_path: Path, said: dict[str, Any], told: str) -> None:
    """And whoever writes it to the topic all the same finds the same words among the dead letters."""
    with desk(tmp_path, requests(2)) as (made, bus, configured):
        with pytest.raises(Refused, match=told):
            made.answer("eve", [request(0).case], NOW, **said)
        assert answers(bus, configured) == []


@pytest.mark.parametrize("label", [True, 0, 2**53, -1.5, 1e308, float(2**60), "", "a\0b", "\u202e"])
def test_an_answer_is_read_as_it_was_given(tmp_path: Path, label: Any) -> None:
    with desk(tmp_path, requests(2)) as (made, bus, configured):
        made.answer("\u202eeve\0", [request(0).case], NOW, label=label)
        (found,) = answers(bus, configured)
        assert (found.label, type(found.label), found.reviewer) == (label, type(label), "\u202eeve\0")
