"""A configuration that is another one after a restart: what is open ends, whatever is looked at no more."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from driftbus.consumers.diagnoser.fold import Fold, ReadingOf
from driftbus.consumers.streams.lanes import Lane
from driftbus.detectors.agreement import Comparison, Layout
from driftbus.detectors.diagnosis.reading import Reading, Whose
from driftbus.detectors.outcomes.layout import layout as outcome_layout
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.episode import EPISODE
from driftbus.schemas.messages.pane import AGREEMENT, ARRIVALS, OOD, PREDICTIONS, REVIEWED, Pane
from driftbus.schemas.stored.outcomes import GroupedFeature, OutcomeBasis

from .facts import KNOWN, LABELS, PLAN, SETTINGS, Record, Traffic, end, interleaved, note, progress, reading_of, said, settings, writers
from .lives import BOTH, LOG, pairs
from .test_versions import _of_version

LANES = Lane("predictions", PREDICTIONS), Lane("predictions", OOD), Lane(LABELS, ARRIVALS), Lane("m0", REVIEWED)


def _of(model: dict[str, Any]) -> Configuration:
    return settings(models={"m0": model}, labels=SETTINGS["labels"] if "labels" in model else {})


def _grain(traffic: Traffic, number: int) -> Iterator[Record]:
    """Rows, and that every kind of evidence that there may be is complete."""
    yield Record("profiler", traffic.pane(number))
    yield Record("profiler", progress(PREDICTIONS, "predictions", "scored", number), number)
    yield Record("joiner", progress(ARRIVALS, LABELS, "p.joins", number, topic_id="j"), number)
    for of, topic in (("model", "p.models"), ("feedback", "p.feedback")):
        yield Record("clerk", progress(of, "predictions", topic, number, topic_id=of[0]), number)
    for lane in LANES:
        yield Record("detector", progress(EPISODE, lane.stream, lane.source.topic, number), number)


def _again(chosen: Fold, after: Configuration, log: list[Record]) -> Fold:
    """As a process finds it that comes with another configuration."""
    state, parts = chosen.snapshot(len(log))
    waiting = {place: log[place].fact for place in state.pending}
    return Fold.restored(after, reading_of, state, parts, waiting)  # type: ignore[arg-type]  # none of them is progress


@pytest.mark.parametrize(
    ("before", "after", "opened", "resolved"),
    [
        pytest.param({"labels": LABELS}, {}, Lane(LABELS, ARRIVALS), Lane("predictions", ARRIVALS), id="labels"),
        pytest.param({"ood": {}}, {}, LANES[1], LANES[1], id="comparison with the training data"),
        pytest.param({"review": {"slot": "1m"}}, {}, LANES[3], LANES[3], id="people's answers"),
    ],
)
def test_an_episode_of_what_is_looked_at_no_more_ends(before: dict[str, Any], after: dict[str, Any], opened: Lane, resolved: Lane) -> None:
    traffic, log = Traffic(), list[Record]()
    for number in range(1, 9):
        noted = [Record("detector", note(2, 2).model_copy(update={"topic": opened.source.topic}))] if number == 2 else []
        log += [*noted, *_grain(traffic, number)]
    chosen = Fold(_of(before), reading_of)
    said(chosen, log)
    [model] = chosen.models()
    assert model.known.open("1")
    chosen = _again(chosen, _of(after), log)
    chosen.resumed()
    over = note(2, 9, status="resolved").model_copy(update={"topic": resolved.source.topic})
    for offset, record in enumerate([Record("detector", over), *_grain(traffic, 9)], len(log)):
        chosen.feed(offset, offset, record.fact)
    [model] = chosen.models()
    assert not model.known.open("1")


def _faulty(rows: int, *, replaced: bool = False) -> tuple[Fold, list[Record]]:
    """A fault that goes on in a version, or at a reference, of which there are so many rows: less than a window's."""
    traffic = Traffic(1, null=lambda number: 0.4 if number >= 32 else 0.0)
    log = list(interleaved(writers(traffic, 40), 1))
    for number in (41, 42):
        own = traffic.pane(number, rows)
        if replaced:
            panes = [own.model_copy(update={"reference": "sha256:" + "1" * 64, "since": 1})]
        else:
            gone = traffic.pane(number).model_copy(update={"reference": None, "since": 1})
            panes = [*([gone] if number == 42 else []), _of_version(own, "2")]
        log += (Record("profiler", pane) for pane in panes)
        log += list(_grain(traffic, number))[1:]
    chosen = Fold(settings(), reading_of)
    assert said(chosen, log)[-1].status == "confirmed"
    return chosen, log


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("rows", [1, 50, 200])
def test_what_went_on_in_a_version_without_a_window_ends_when_nobody_looks_any_more(rows: int, *, replaced: bool) -> None:
    chosen, log = _faulty(rows, replaced=replaced)
    chosen = _again(chosen, settings(models={"m0": {"labels": LABELS, "diagnosis": "off"}, "m1": {}}), log)
    assert chosen.changed
    [event] = [one.event for one in chosen.resumed()]
    assert (event.status, event.reason, event.run) == ("resolved", "reconfigured", end(42))
    assert event.decoded(event.encoded()) == event
    assert not chosen.models()


AMOUNT, AGE = GroupedFeature(name="amount"), GroupedFeature(name="age")
ONE_WAY = OutcomeBasis(task="binary", features=(AMOUNT, AGE), grouping="a")


def _revision(basis: OutcomeBasis, number: int) -> Record:
    """Of 200 predictions."""
    pane, plan = Traffic().revision(number, number), outcome_layout(basis)
    vector = np.zeros(plan.size, dtype=np.int64)
    for name, value in {"labelled": 200, "rows": 200, "predicted": 200}.items():
        vector[plan.sections[name].start] = value
    return Record("joiner", pane.model_copy(update={"counts": vector}))


def _by(basis: OutcomeBasis) -> ReadingOf:
    return lambda model, name: (KNOWN, Reading(KNOWN, outcome_layout(basis), lambda _: Whose()))


@pytest.mark.parametrize(
    ("basis", "labelled"),
    [
        pytest.param(ONE_WAY, [200] * 3, id="the same"),
        pytest.param(OutcomeBasis(task="binary", features=(AGE, AMOUNT), grouping="b"), [0, 0, 200], id="features in another order"),
        pytest.param(OutcomeBasis(task="binary", features=(AMOUNT, AGE), grouping="c"), [0, 0, 200], id="in other groups"),
        pytest.param(OutcomeBasis(task="binary", features=(AMOUNT,), grouping="d"), [0, 0, 200], id="one of them"),
        pytest.param(OutcomeBasis(task="number", features=(AMOUNT, AGE), grouping="a"), [0, 0, 200], id="of numbers"),
    ],
)
def test_outcomes_that_are_counted_in_two_ways_are_not_added(basis: OutcomeBasis, labelled: list[int]) -> None:
    traffic = Traffic()
    log = [one for number in (1, 2) for one in (_revision(ONE_WAY, number), *_grain(traffic, number))]
    chosen = Fold(settings(), _by(ONE_WAY))
    said(chosen, log)
    state, parts = chosen.snapshot(len(log))
    chosen = Fold.restored(settings(), _by(basis), state, parts, {})
    for offset, record in enumerate([_revision(basis, 3), *_grain(traffic, 3)], len(log)):
        chosen.feed(offset, offset, record.fact)
    [model] = chosen.models()
    [watched] = model.versions.values()
    found = [watched.seen(one).outcomes for one in watched.windows.all()]
    assert [0 if one is None else one.labelled for one in found] == labelled


def _compared(*names: str) -> Reading:
    return Reading(KNOWN, PLAN, lambda _: Whose(), Comparison(KNOWN.fields, names))


def _pairs(*names: str) -> Pane:
    """200 of each feature, of the first grain."""
    comparison = Comparison(KNOWN.fields, names)
    layout = Layout(comparison.features)
    vector = np.zeros(layout.size, dtype=np.int64)
    for place in layout.places:
        vector[place.start] = 200
    counts = {"counts": vector[: layout.counts], "sums": vector[layout.counts :], "commonest": np.zeros(0, dtype=np.int64)}
    return pairs(1, 1, 0).model_copy(update=counts | {"grouping": comparison.name})


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (["amount", "age"], ["amount", "age"], 200),
        (["amount", "age"], ["age", "amount"], 0),
        (["amount", "age"], ["amount"], 0),
        (["amount", "colour"], ["amount", "age", "colour"], 0),
    ],
)
def test_pairs_that_are_counted_in_two_ways_are_not_added(before: list[str], after: list[str], kept: int) -> None:
    """Pairs of the first grain come before a restart, and behind it."""
    log = [Record(LOG, _pairs(*before)), Record(LOG, progress(AGREEMENT, LOG, "p.joins", 2, topic_id="j"), 2)]
    log += [one for number in (1, 2) for one in _grain(Traffic(), number)]
    chosen = Fold(BOTH, lambda model, name: (KNOWN, _compared(*before)))
    said(chosen, log)
    state, parts = chosen.snapshot(len(log))
    again = Fold.restored(BOTH, lambda model, name: (KNOWN, _compared(*after)), state, parts, {})
    late = Record(LOG, _pairs(*after).model_copy(update={"first": end(3), "last": end(3), "bucket": end(3)}))
    more = [late, Record(LOG, progress(AGREEMENT, LOG, "p.joins", 3, topic_id="j"), 3), *_grain(Traffic(), 3)]
    for offset, record in enumerate(more, len(log)):
        again.feed(offset, offset, record.fact)
    [model] = again.models()
    [watched] = model.versions.values()
    found = [own for one in watched.windows.all() if (own := watched.seen(one).agreeing)]
    assert {name: sum(own[name].pairs for own in found) for name in after} == dict.fromkeys(after, kept + 200)
