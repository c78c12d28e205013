"""Versions and references that end while something is open, and evidence that is of another kind after a restart."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from driftbus.consumers.diagnoser import remembered
from driftbus.consumers.diagnoser.fold import Fold
from driftbus.consumers.diagnoser.model import Model
from driftbus.consumers.diagnoser.watched import Watched
from driftbus.detectors.diagnosis.finding import Finding
from driftbus.detectors.diagnosis.incidents import MOST_OPEN, MOST_VERSIONS, Home, Incident, Incidents, Onset
from driftbus.schemas.messages.pane import Pane

from ..feedback.facts import evidence, word
from .facts import GRAIN, KNOWN, SETTINGS, Record, Traffic, end, fold, interleaved, progress, reading_of, said, settings, writers
from .test_incidents import LOST, NOVEL, placed, run


def _sound(grains: int) -> tuple[Fold, Model, Watched]:
    """Some grains in which all is well, and a baseline stands."""
    chosen = fold()
    for offset, record in enumerate(interleaved(writers(Traffic(), grains), 1)):
        chosen.feed(offset, offset, record.fact)
    [model] = chosen.models()
    [watched] = model.versions.values()
    watched.windows.stands = True
    return chosen, model, watched


def _open(model: Model, home: Home, finding: Finding, name: str) -> Incident:
    incident = Incident(name, finding, Onset(2, end(2), end(3)), 3, end(3), "confirmed", missed={home: 0}, versions=[home.version])
    model.incidents.open.append(incident)
    return incident


@pytest.mark.parametrize("ends", ["replace", "retire"])
def test_what_ends_with_a_version_does_not_allow_to_train_while_its_pipeline_is_at_fault(ends: str) -> None:
    chosen, model, watched = _sound(5)
    home = watched.home
    lost, _ = _open(model, home, LOST, "lost"), _open(model, home, replace(NOVEL, confidence=0.99), "novel")
    next_ = Home("1", "r2") if ends == "replace" else Home("2", home.reference)
    model.versions[next_] = chosen.watched(model.name, next_, end(5))
    told = model.replace(watched, model.versions[next_], end(6)) if ends == "replace" else model.retire(watched, end(6))
    [event] = [one.event for one in told]
    assert (event.incident, event.status, event.reason) == ("novel", "resolved", "replaced" if ends == "replace" else "retired")
    assert (event.retrain_gate.decision, event.retrain_gate.blocked_by) == ("forbid", ("lost",))
    assert list(lost.missed) == [next_], "it is its source's: it goes on"
    assert lost.status == "confirmed"


def test_the_last_version_takes_its_faults_with_it() -> None:
    _, model, watched = _sound(5)
    _open(model, watched.home, LOST, "lost")
    [event] = [one.event for one in model.retire(watched, end(6))]
    assert (event.status, event.reason) == ("resolved", "retired")


def test_where_more_may_be_amiss_than_is_remembered_nothing_is_allowed() -> None:
    _, model, watched = _sound(5)
    drift = replace(LOST, cause="data_drift", subtype="covariate_shift", confidence=0.99)
    for number in range(MOST_OPEN):
        _open(model, watched.home, replace(drift, features=(f"f{number}",)), f"{number}")
    assert model._gate(watched, []).decision == "hold"


def _of_version(pane: Pane, version: str) -> Pane:
    return pane.model_copy(update={"version": version, "first": pane.first + 5_000, "last": pane.last + 5_000})


def test_two_versions_with_one_fault_do_not_take_turns_in_telling_it() -> None:
    """One has labels, by which its harm is known; of the other one nothing is."""
    traffic, grains = Traffic(null=lambda number: 0.4 if number > 10 else 0.0, right=lambda number: 0.5 if number > 10 else 0.8), 30
    facts = writers(traffic, grains)
    facts["profiler"] = [
        one
        for record in facts["profiler"]
        for one in ([record, Record("profiler", _of_version(record.fact, "2"))] if isinstance(record.fact, Pane) else [record])
    ]
    lost = [one for one in said(fold(), interleaved(facts, 3)) if one.cause == "feature_unavailability"]
    assert {one.version for one in lost} == {"1", "2"}
    assert len({one.incident for one in lost}) == 1
    assert len(lost) <= 8


def _served(by: Mapping[str, Traffic], grains: int) -> dict[str, list[Record]]:
    """Version 1, and others beside it, each with its own rows of the same time."""
    facts = writers(by["1"], grains)
    served = list[Record]()
    for record in facts["profiler"]:
        served.append(record)
        if isinstance(record.fact, Pane):
            number = (record.fact.about - end(0)) // GRAIN
            served += (Record("profiler", _of_version(by[name].pane(number), name)) for name in sorted(by.keys() - {"1"}))
    facts["profiler"] = served
    return facts


@pytest.mark.parametrize("versions", ["12", "123", "1234"])
def test_a_blip_that_several_versions_see_at_the_same_time_is_no_less_a_blip(versions: str) -> None:
    blips = {name: Traffic(int(name), null=lambda number: 0.4 if number == 32 else 0.0) for name in versions}
    told = said(fold(), interleaved(_served(blips, 40), 1))
    assert {one.cause for one in told} == {"feature_unavailability"}
    assert [one.status for one in told] == ["suspected"] * (len(told) - 1) + ["withdrawn"]
    assert {one.version for one in told if one.status == "suspected"} == set(versions), "each has told it"


@pytest.mark.parametrize("versions", ["12", "123", "1234"])
def test_what_several_versions_find_again_is_confirmed_by_the_next_window(versions: str) -> None:
    lasting = {name: Traffic(int(name), null=lambda number: 0.4 if number >= 32 else 0.0) for name in versions}
    told = said(fold(), interleaved(_served(lasting, 40), 1))
    assert len({one.incident for one in told}) == 1
    assert next(one.run for one in told if one.status == "confirmed") == end(33)


def test_a_suspicion_goes_on_in_the_version_that_finds_it_again() -> None:
    """Version 1 is well again with the next window; of 2, which is looked at behind it, the rows go on as they are."""
    mixed = {"1": Traffic(1, null=lambda number: 0.4 if number == 32 else 0.0), "2": Traffic(2, null=lambda n: 0.4 if n >= 32 else 0.0)}
    told = said(fold(), interleaved(_served(mixed, 40), 1))
    assert len({one.incident for one in told}) == 1
    assert told[-1].status == "confirmed"
    assert told[-1].version == "2"


@pytest.mark.parametrize(("versions", "well_again"), [("12", "1"), ("12", "2"), ("123", "13")])
def test_a_fault_forbids_as_long_as_some_version_has_it(versions: str, well_again: str) -> None:
    """Whoever starts jobs goes by the last word on an incident, whichever version it is of."""
    ends = {name: 38 if name in well_again else 99 for name in versions}
    faulty = {
        name: Traffic(int(name), null=lambda number, last=last: 0.4 if 32 <= number < last else 0.0)  # type: ignore[misc]  # of one
        for name, last in ends.items()
    }
    told = said(fold(), interleaved(_served(faulty, 50), 1))
    assert len({one.incident for one in told}) == 1
    assert told[-1].status == "confirmed"
    assert {one.retrain_gate.decision for one in told} == {"forbid"}
    over = {name: Traffic(int(name), null=lambda number: 0.4 if 32 <= number < 38 else 0.0) for name in versions}
    told = said(fold(), interleaved(_served(over, 50), 1))
    assert (told[-1].status, told[-1].retrain_gate.decision) == ("resolved", "allow")
    assert {one.retrain_gate.decision for one in told[:-1]} == {"forbid"}


@pytest.mark.parametrize("versions", ["12", "123", "1234"])
def test_what_a_person_rejects_is_told_again_by_none_of_the_versions_that_found_it(versions: str) -> None:
    lasting = {name: Traffic(int(name), null=lambda number: 0.4 if number >= 32 else 0.0) for name in versions}
    first, *_ = said(fold(), interleaved(_served(lasting, 40), 1))
    facts = _served(lasting, 56)
    at = next(place for place, one in enumerate(facts["clerk"]) if one.through == 36)
    facts["clerk"].insert(at, Record("clerk", evidence("feedback", word(first.incident, "reject"), 36)))
    told = said(fold(), interleaved(facts, 1))
    assert {one.incident for one in told} == {first.incident}
    assert (told[-1].status, told[-1].reason, told[-1].run) == ("withdrawn", "rejected", end(36))


def test_versions_that_come_and_go_while_a_fault_is_open_are_not_named_without_end() -> None:
    incidents = Incidents("app", "m")
    for number in range(3 * MOST_VERSIONS):
        home = Home(str(number), "r")
        incidents.follow(run(1, home=home), [placed(LOST)])
        incidents.follow(run(2, home=home), [placed(LOST)])
        incidents.adopt(home, Home(str(number + 1), "r"), 10 * number, "retired")
    [one] = incidents.open
    assert one.versions == [str(number) for number in range(2 * MOST_VERSIONS, 3 * MOST_VERSIONS)]


def _rows(chosen: Fold) -> int:
    return sum(one.sums.rows for model in chosen.models() for watched in model.versions.values() for one in watched.windows.all())


def test_what_waits_is_not_lost_when_a_model_gets_another_kind_of_evidence() -> None:
    """The joiner is behind: all predictions wait for it. Then the model gets a golden set; another model has no labels at all."""
    both = {"m0": SETTINGS["models"]["m0"], "m1": {}}
    tested = {**both["m0"], "golden": {"call": {"callable": {"function": "package.module:name"}}}}
    before, after = settings(models=both), settings(models=both | {"m0": tested})
    facts = [one for name, records in writers(Traffic(), 6).items() if name not in ("joiner", "outcomes") for one in records]
    chosen = Fold(before, reading_of)
    for offset, record in enumerate(facts):
        chosen.feed(offset, offset, record.fact)
    assert _rows(chosen) == 0
    state, parts = chosen.snapshot(len(facts))
    waiting = {offset: facts[offset].fact for offset in state.pending}
    again = Fold.restored(after, reading_of, state, parts, waiting)  # type: ignore[arg-type]  # no progress waits
    again.resumed()
    late = [one for name, records in writers(Traffic(), 6).items() if name in ("joiner", "outcomes") for one in records]
    late += [Record("clerk", progress("golden", "predictions", "p.golden", number, topic_id="g")) for number in range(1, 7)]
    for offset, record in enumerate(late, len(facts)):
        again.feed(offset, offset, record.fact)
    assert _rows(again) == 6 * 600


def test_an_incident_that_is_told_of_two_versions_is_restored_as_it_was() -> None:
    chosen, model, watched = _sound(5)
    incident = _open(model, watched.home, LOST, "lost")
    incident.said = {watched.home: "a", Home("2", KNOWN.name): "b"}
    incident.firm = {watched.home: 1, Home("2", KNOWN.name): 2}
    state, parts = chosen.snapshot(0)
    again = Fold.restored(settings(), reading_of, state, parts, {})
    [model] = again.models()
    assert model.incidents.open[0] == incident


def test_of_a_former_release_an_incident_was_as_sure_in_every_version() -> None:
    _, model, watched = _sound(5)
    incident = _open(model, watched.home, LOST, "lost")
    incident.firm = {watched.home: 1}
    [(key, content)] = [part for part in remembered.parts(model) if part[0].startswith('["model"')]
    versions, known, [[plain], ended], _ = msgspec.msgpack.decode(content)
    del plain["firm"]
    [again] = remembered.models({key: msgspec.msgpack.encode([[], known, [[plain], ended]])}, lambda _: model, lambda *_: watched)
    assert len(versions) == 1
    assert again.incidents.open == [incident]


def test_a_version_that_ended_long_ago_is_forgotten_by_whoever_was_there_and_by_whoever_came_again() -> None:
    """Rows of a version, a hundred days late: the next bucket takes them, and nothing more comes of it."""
    traffic, grains = Traffic(), 6
    facts = writers(traffic, grains)
    old = _of_version(traffic.pane(grains), "2").model_copy(update={"about": end(grains) - 100 * 86_400_000})
    facts["profiler"].insert(-1, Record("profiler", old))
    records = list(interleaved(facts, 1))
    there = fold()
    said(there, records)
    for restarted in range(0, len(records), 5):
        first = fold()
        said(first, records[:restarted])
        state, parts = first.snapshot(restarted)
        again = Fold.restored(settings(), reading_of, state, parts, {offset: records[offset].fact for offset in state.pending})  # type: ignore[misc]  # no progress waits
        for offset, record in enumerate(records[restarted:], restarted):
            again.feed(offset, offset, record.fact)
        assert again.snapshot(0) == there.snapshot(0), restarted
    assert [home.version for model in there.models() for home in model.versions] == ["1"]
