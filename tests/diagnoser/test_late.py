"""Labels that come late, kinds of evidence that come no more, and none at all: named, never a crash, and nothing confirmed for it."""

from collections.abc import Sequence

import pytest

from driftbus.consumers.diagnoser.fold import Fold
from driftbus.schemas.messages.pane import AGREEMENT, PREDICTIONS
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.messages.root_cause import RootCauseEvent

from .facts import GRAIN, LABELS, SETTINGS, Record, Traffic, end, fold, interleaved, note, progress, reading_of, said, settings, writers
from .lives import BOTH, LOG

LONG = {"labels": {LABELS: {**SETTINGS["labels"][LABELS], "wait": "6h"}}}


def confirmed(events: Sequence[RootCauseEvent]) -> set[str]:
    return {one.cause for one in events if one.status == "confirmed"}


@pytest.mark.parametrize("late", [2, 30, 300])
def test_outcomes_go_to_the_windows_that_they_are_about(late: int) -> None:
    """However late: what is known of a time changes nothing of another, and quiet traffic stays quiet."""
    grains = 60 + late
    chosen = fold(settings(**LONG))
    events = said(chosen, interleaved(writers(Traffic(), grains, delays=(late,)), 1))
    assert not confirmed(events)
    [model] = chosen.models()
    [watched] = model.versions.values()
    for window in watched.windows.all():
        length = window.last - window.first + 1
        known = watched.seen(window).outcomes
        if window.end <= end(grains - late) and window.start >= end(0):
            assert known is not None
            assert known.labelled == 200 * length
    assert watched.windows.expired == 0


def test_outcomes_about_what_is_kept_no_more_are_counted() -> None:
    chosen = fold()  # which waits an hour
    said(chosen, interleaved(writers(Traffic(), 220, delays=(150,)), 1))
    [model] = chosen.models()
    [watched] = model.versions.values()
    assert watched.windows.expired > 0


@pytest.mark.parametrize(
    ("silent", "named"),
    [
        ({"joiner", "outcomes"}, {"arrivals"}),
        ({"detector"}, {"episode"}),
        ({"clerk"}, {"model", "feedback", "golden"}),
        ({LOG}, {"agreement"}),
    ],
    ids=["outcomes", "episodes", "clerk", "agreement"],
)
def test_a_kind_that_comes_no_more_is_waited_for_until_patience_is_over_and_then_named(silent: set[str], named: set[str]) -> None:
    chosen, records = _live(silent)
    first = [one.event for offset, record in enumerate(records) for one in chosen.feed(offset, 1_000 * offset, record.fact)]
    assert not first, "it is waited for"
    again = Record("profiler", progress(PREDICTIONS, "predictions", "scored", 20), 20)
    others = [one for one in records if isinstance(one.fact, Progress) and one.through == 20]
    hours = [record for _ in range(90) for record in (again, *others)]  # all others still say that they are there
    later = [one.event for place, record in enumerate(hours) for one in chosen.feed(10**6, 10**6 + 15_000 * place, record.fact)]
    assert confirmed(later) == {"feature_unavailability"}
    assert {(one.stream, one.state) for event in later for one in event.missing_evidence} >= {(one, "late") for one in named}
    assert not any(event.complete for event in later if event.run == end(20))


def _live(silent: set[str]) -> tuple[Fold, list[Record]]:
    """A fold with a live clock, of all kinds; and a fault's records, but for what those say who fall silent behind the third grain."""
    call = {"call": {"http": {"url": "http://localhost"}}}
    model = {**BOTH.models["m0"].model_dump(exclude_unset=True), "golden": call}
    live = settings(
        stream={"mapping": {"entity": "trip"}, "pane": "1m", "clock": "live", "patience": "1h"},
        features={LOG: {"topics": ["offline"], "wait": "1h", "early": "1m"}},
        models={"m0": model},
    )
    broken = Traffic(null=lambda number: 0.33 if number >= 8 else 0.0)
    found = writers(broken, 20)
    found["clerk"] += (Record("clerk", progress("golden", "predictions", "p.golden", number), number) for number in range(1, 21))
    found["clerk"].sort(key=lambda one: one.through)
    found[LOG] = [Record(LOG, progress(AGREEMENT, LOG, "p.joins", number, topic_id="j"), number) for number in range(1, 21)]
    records = [one for one in interleaved(found, 1) if not (one.writer in silent and one.through > 3)]
    return Fold(live, reading_of), records


@pytest.mark.parametrize("missing", ["labels", "predictions"])
def test_without_a_kind_nothing_is_confirmed_that_is_not_so(missing: str) -> None:
    chosen = fold(settings(labels={}, models={"m0": {}}) if missing == "labels" else settings())
    records = [one for one in interleaved(writers(Traffic(), 40), 3) if missing == "labels" or isinstance(one.fact, Progress)]
    assert not confirmed(said(chosen, records))


def test_one_window_and_none() -> None:
    for grains in (0, 1, 2):
        assert not said(fold(), interleaved(writers(Traffic(), grains), 1))


def test_a_fault_of_one_window_is_withdrawn() -> None:
    blip = Traffic(null=lambda number: 0.4 if number == 28 else 0.0)
    events = said(fold(), interleaved(writers(blip, 36), 1))
    assert not confirmed(events)


def test_what_ends_is_resolved_and_what_comes_again_is_another() -> None:
    twice = Traffic(null=lambda number: 0.4 if 28 <= number < 34 or number >= 44 else 0.0)
    events = said(fold(), interleaved(writers(twice, 52), 1))
    told = [(one.incident, one.status) for one in events if one.cause == "feature_unavailability"]
    first, second = dict.fromkeys(incident for incident, _ in told)
    assert [status for incident, status in told if incident == first][-1] == "resolved"
    assert [status for incident, status in told if incident == second][-1] == "confirmed"


#: The grain from which on amount is null in a third of the rows, and more predictions are wrong.
BROKEN = 30


@pytest.mark.parametrize("late", [2, 30])
def test_labels_since_an_onset_are_those_of_windows_that_hold_nothing_of_before(late: int) -> None:
    """However late they come; and what it costs is known as soon as there are enough, though nothing else is kept of those windows."""
    broken = Traffic(null=lambda number: 0.33 if number >= BROKEN else 0.0, right=lambda number: 0.4 if number >= BROKEN else 0.8)
    events = said(fold(settings(**LONG)), interleaved(writers(broken, 80, delays=(late,)), 1))
    told = [one for one in events if one.cause == "feature_unavailability"]
    for one in told:
        labelled = max((one.run - late * GRAIN - one.onset.window[1]) // GRAIN, 0)
        assert one.windows.labelled == 200 * labelled
        assert one.impact.harm == ("harmful" if labelled else "unknown")
    assert told[-1].impact.harm == "harmful"
    assert told[-1].impact.loss == pytest.approx((0.2, 0.6), abs=0.1)


def test_what_was_amiss_with_one_feature_holds_up_the_baseline_of_no_other() -> None:
    """Of a few nulls nobody knows whether production always had them, until there is a baseline: that of age stands by itself."""
    facts = writers(Traffic(null_age=lambda number: 0.05 * (number >= 27)), 36, noted=4)
    over = next(place for place, one in enumerate(facts["detector"]) if one.through == 20)
    facts["detector"].insert(over, Record("detector", note(4, 20, status="resolved")))
    told = [one for one in said(fold(), interleaved(facts, 1)) if one.status == "confirmed"]
    assert {one.scope.features for one in told} == {("age",)}
    assert told[0].windows.baseline == 0, "what spans features has none yet"
