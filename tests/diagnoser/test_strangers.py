"""Names that nobody monitors, and times that have not come: neither stays, nor ends what is open."""

from collections.abc import Iterator

import pytest

from driftbus.consumers.diagnoser.fold import Fold
from driftbus.consumers.streams.cut import LATEST
from driftbus.schemas.messages.coincidence import Coincidence
from driftbus.schemas.messages.progress import Progress

from ..feedback.facts import broken, evidence, told, word
from .facts import Record, Traffic, end, fold, interleaved, reading_of, said, settings, writers

DAY = 24 * 60  #: grains
RELEASE = Coincidence.of({"type": "release", "ref": "web 7"})


def _strangers(what: str, number: int) -> Iterator[Record]:
    """Of as many models as there are."""
    for place in range(9):
        name = f"nobody {number} {place}"
        pane = Traffic().pane(number, 5).model_copy(update={"model": name, "reference": None, "since": None})
        of, stated = ("feedback", word("0" * 32, "reject")) if what == "words" else ("model", RELEASE)
        fact = evidence(of, stated, number, place).model_copy(update={"model": name, "fact_id": name})
        yield Record("clerk", pane if what == "rows" else fact)


def _with(what: str, grains: int) -> Fold:
    """All is well with the one model that there is."""
    facts = writers(Traffic(), grains)
    facts["clerk"] = [one for record in facts["clerk"] for one in (*_strangers(what, record.through), record)]
    chosen = fold()
    said(chosen, interleaved(facts, 1))
    return chosen


def _rest(chosen: Fold, number: int) -> None:
    """A grain much later, in which another one is named, too."""
    chosen.feed(10**6 - 1, 10**6 - 1, next(_strangers("releases", number)).fact)
    traffic, facts = Traffic(), writers(Traffic(), 1)
    for offset, record in enumerate(one for records in facts.values() for one in records):
        fact = record.fact
        fact = fact.model_copy(update={"through": end(number)}) if isinstance(fact, Progress) else traffic.pane(number)
        chosen.feed(10**6 + offset, 10**6 + offset, fact)


@pytest.mark.parametrize("what", ["rows", "words"])
def test_of_names_that_nobody_monitors_nothing_stays(what: str) -> None:
    chosen = _with(what, 8)
    assert [one.name for one in chosen.models()] == ["m0"]
    assert {key.split('"')[3] for key in chosen.snapshot(0)[0].states} == {"m0"}


def test_what_was_done_to_a_model_that_never_came_is_forgotten_after_three_months() -> None:
    """Before, it may come: a release is told before the first row."""
    chosen = _with("releases", 8)
    assert len(chosen.models()) > 50
    for day in (45, 89):
        _rest(chosen, day * DAY)
        assert len(chosen.models()) > 50
    state, parts = chosen.snapshot(0)
    chosen = Fold.restored(settings(), reading_of, state, parts, {})
    _rest(chosen, 91 * DAY)
    assert {one.name for one in chosen.models()} == {"m0", *(f"nobody {day * DAY} 0" for day in (45, 89, 91))}


@pytest.mark.parametrize("time", [end(91 * DAY), 4_102_444_800_000, LATEST])
def test_what_is_said_of_a_far_time_ends_no_version(time: int) -> None:
    """Where records have the times of their writers, a fact is of the time that it states; and in the end everything is taken."""
    facts = told(broken())
    untouched = said(fold(), interleaved(facts, 1))
    far = evidence("model", RELEASE, 5).model_copy(update={"bucket": time, "about": time})
    facts["clerk"].insert(0, Record("clerk", far))
    ends = [
        Record(name, records[-1].fact.model_copy(update={"ended": True}))
        for name, of_writer in facts.items()
        for records in _by_source(of_writer)
    ]
    found = said(fold(), [*interleaved(facts, 1), *ends])
    assert found == untouched
    assert found[-1].status == "confirmed"


def _by_source(records: list[Record]) -> list[list[Record]]:
    by: dict[str, list[Record]] = {}
    for one in records:
        if isinstance(one.fact, Progress):
            by.setdefault(one.fact.source.topic, []).append(one)
    return list(by.values())
