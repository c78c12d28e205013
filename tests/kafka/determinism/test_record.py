"""``clock: record`` on a real Kafka: what is published does not depend on the number of processes, on speed, or on who dies when."""

import subprocess
import sys
from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from driftbus.schemas.cloud_events import iso
from driftbus.schemas.messages.pane import OOD, Pane

from ...streaming import BEGINNING, Event
from . import kinds, world
from .conftest import EACH_POINT, KILLS, RECORDING, SWITCHED, Runs
from .crashing import POINTS
from .outcome import Outcome

pytestmark = pytest.mark.kafka

#: Of the input's hour: so long must a run take at least, that crashes meet work.
PACED_S = 60
#: A change is told within so many seconds of record time.
SOON_S = 120


def test_one_process_sees_what_was_injected(runs: Runs) -> None:
    events = runs.one.result().outcome.events
    resolved = {e.content["episode"] for e in _drifts(events) if e.content["status"] == "resolved"}
    opened = {e.content["episode"] for e in _drifts(events) if e.content["status"] == "opened"}
    assert len(resolved & opened) >= 3
    for model, *_ in world.DRIFTS[:-1]:
        named = [signal["name"] for e in _drifts({model: events[model]}) for signal in e.content["signals"]]
        assert "amount" in named, model
    replaced, _ = world.RENEWED
    assert [e.content["reason"] for e in _drifts({replaced: events[replaced]}) if e.content["status"] == "resolved"] == ["replaced"]
    assert "driftbus reference build unknown" in events["unknown"][0].content["text"]


def test_one_process_sees_what_segments_and_moving_references_show(runs: Runs) -> None:
    in_one, in_all = _told(runs, kinds.SEGMENTED, "opened")
    assert [in_one["scope"], in_all["scope"]] == ["local", "global"]
    assert [_behind(in_one, kinds.ONE_SEGMENT), _behind(in_all, kinds.ALL_SEGMENTS)] == [True, True]
    assert [signal["only_in"] or [signal["segment"]] for signal in in_one["signals"]] == [["green"]]
    within, over = _told(runs, kinds.SEASONAL, "opened")  # and none when the hour ends
    assert [_behind(within, kinds.WITHIN_HOUR), _behind(over, kinds.OVER_HOURS)] == [True, True]
    slid, *others = sorted(_told(runs, kinds.TRAILING, "opened"), key=lambda event: event["detector"] != "trailing")
    assert (slid["detector"], _names(slid)) == ("trailing", {"slow"})
    assert any("quick" in _names(event) for event in others if _behind(event, kinds.JUMP))
    assert _told(runs, kinds.SEGMENTED, "resolved")
    assert _told(runs, kinds.SEASONAL, "resolved")


def test_one_process_hears_every_detector_by_name(runs: Runs) -> None:
    resolved = _told(runs, kinds.NAMED, "resolved")
    alarms = [{signal["name"]: {alarm["detector"] for alarm in signal["alarms"]} for signal in event["signals"]} for event in resolved]
    amount = {"esr", "ks", "adwin", "page_hinkley"}
    assert alarms == [{"amount": amount}, {"amount": amount, "age": {"esr", "kswin"}}]


def test_one_process_sees_every_type_of_field_and_what_they_show_together(runs: Runs) -> None:
    events = [event for status in ("opened", "updated") for event in _told(runs, kinds.MIXED, status)]
    signals = {(signal["name"], signal["of"].rstrip("12345678")) for event in events for signal in event["signals"]}
    assert signals >= {("review", "words"), ("review", "characters"), ("review", "new words"), ("seen", "values")}
    assert signals >= {("vector", "component "), ("vector", "distance")}
    assert signals >= {("width × height", "pair"), ("(joint distance)", "joint distance")}
    assert (
        {event["kind"] for event in events}
        == {event["kind"] for event in _told(runs, kinds.MIXED, "resolved")}
        == {"pairs", "text", "input"}
    )


def test_one_process_sees_what_is_unlike_the_training_data(runs: Runs) -> None:
    left = runs.one.result().outcome
    opened = [event for event in _told(runs, kinds.ASKED, "opened") if event["kind"] == "ood"]
    assert opened
    assert all(_behind(event, kinds.NEW_TOPIC) for event in opened)
    signals = {signal["name"] for event in _told(runs, kinds.ASKED, "resolved") for signal in event["signals"]}
    assert signals >= {"question (unlike the training data)", "(unlike the training data)"}
    panes = [pane for _, value in left.panes if (pane := Pane.decoded(value)).of == OOD]
    assert {pane.model for pane in panes} == {kinds.ASKED}
    assert {sample.content["of"] for sample in left.samples} == {"question", "row"}


def test_one_process_asks_people_about_some_of_every_slot(runs: Runs) -> None:
    left = runs.one.result().outcome
    assert left.candidates
    asked = [event.content for event in left.reviews[kinds.ASKED]]
    cases = Counter(one["slot"] for one in asked if "case" in one)
    slots = [one["slot"] for one in asked if "case" not in one]
    assert slots == sorted(set(slots))
    assert len(slots) >= world.CHUNKS * world.CHUNK_S // kinds.SLOT_S
    assert set(cases.values()) == {kinds.CASES}
    assert len(cases) == world.CHUNKS * world.CHUNK_S // kinds.SLOT_S


def test_one_process_sees_the_traffic_change(runs: Runs) -> None:
    events = [event.content for event in runs.one.result().outcome.events[world.QUIET]]
    told = [event for event in events if event.get("detector") == "silence"]
    assert [event["status"] for event in told] == ["opened", "resolved", "opened"]
    starts = [BEGINNING + silence.start * 1000 for silence in world.SILENT]
    assert [event["onset"] for event in told] == [iso(starts[0]), iso(starts[0]), iso(starts[1])]
    due = 3 * world.LONGEST_GAP_S * 1000
    assert [told[0]["bucket"][1], told[2]["bucket"][1]] == [iso(start + due) for start in starts]
    assert "duplicates" in {event.get("kind") for event in events}
    assert [event["facts"]["field"] for event in events if event.get("about") == "unexpected"] == ["discount"]


def test_one_process_tells_causes(runs: Runs) -> None:
    events = runs.one.result().outcome.causes
    told = {(model, event.content["cause"]) for model, own in events.items() for event in own}
    assert told, "a change of hours is suspected at least"


def test_every_good_row_is_counted_once(runs: Runs) -> None:
    left = runs.one.result().outcome
    gaps = [after.offset - before.offset for before, after in pairwise(left.input) if before.partition == after.partition]
    assert max(gaps) > 10  # what was aborted, and its control record
    panes = [pane for _, value in left.panes if (pane := Pane.decoded(value)).of != OOD]
    assert sum(pane.rows for pane in panes) == runs.world.good
    assert sum(pane.late for pane in panes) > 1_000
    whole = [letter for letter in left.letters if dict(letter.headers)["driftbus-scope"] == b"record"]
    assert sum(b"max_jump" in dict(letter.headers)["driftbus-reason"] for letter in whole) == runs.world.ahead
    tombstones = sum(one.value is None for one in left.input)  # no rows, and no letters; the end records among them
    assert len(left.input) - tombstones == runs.world.good + len(whole)
    assert len({pane.reference for pane in panes if pane.model in world.RENEWED}) == 2 * len(world.RENEWED)


def test_folding_the_summaries_again_gives_the_events(runs: Runs) -> None:
    """Those of the calm run, and of the one in which most died; the events of all are compared below."""
    for run in (runs.one, runs.killed):
        left = run.result().outcome
        _same_events(left.again, left.events)
        _same_events(left.causes_again, left.causes)


def test_deaths_at_every_point_of_the_commit(runs: Runs) -> None:
    run = runs.switched.result()
    assert run.seconds >= PACED_S
    assert run.hits == Counter(POINTS * EACH_POINT * SWITCHED)
    assert run.outcome.snapshots > 0
    _same(run.outcome, runs.one.result().outcome)


def test_random_kills(runs: Runs) -> None:
    run = runs.killed.result()
    assert run.seconds >= PACED_S
    assert run.kills == KILLS
    _same(run.outcome, runs.one.result().outcome)
    _same_events(run.outcome.causes, runs.one.result().outcome.causes)


def test_replay_of_the_recording(runs: Runs, tmp_path: Path) -> None:
    run = runs.one.result()
    config, events, causes = tmp_path / "driftbus.yaml", tmp_path / "events.jsonl", tmp_path / "causes.jsonl"
    config.write_text(yaml.safe_dump(world.settings("nowhere:1", str(run.folder.parent / "artifacts"))))
    command = [str(Path(sys.executable).parent / "driftbus"), "replay", str(run.folder / RECORDING)]
    command += ["--config", str(config), "--events", str(events), "--causes", str(causes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert not done.returncode, done.stderr
    for file, published in (events, run.outcome.events), (causes, run.outcome.causes):
        replayed: dict[str, list[bytes]] = {}
        for line in file.read_bytes().splitlines():
            replayed.setdefault(msgspec.json.decode(line)["model"], []).append(line)
        assert replayed == {model: [event.value for event in found] for model, found in published.items()}


def _told(runs: Runs, model: str, status: str) -> list[dict[str, Any]]:  # JSON
    events = (event.content for event in runs.one.result().outcome.events[model])
    return [event for event in events if event.get("status") == status]


def _names(event: dict[str, Any]) -> set[str]:  # JSON
    return {signal["name"] for signal in event["signals"]}


def _behind(event: dict[str, Any], change: range) -> bool:  # JSON
    """Whether an event followed soon upon a change."""
    soon = range(change.start, change.start + SOON_S)
    return datetime.fromisoformat(event["bucket"][1]).timestamp() - BEGINNING / 1000 in soon


def _drifts(events: dict[str, list[Event]]) -> list[Event]:
    return [event for found in events.values() for event in found if "status" in event.content]


def _same(left: Outcome, expected: Outcome) -> None:
    """Of the same input, the same panes, candidates, samples and dead letters, and the same events and reviews in order, byte for byte."""
    assert left.topic_id == expected.topic_id
    _same_items(left.input, expected.input, "input")
    _same_items(left.panes, expected.panes, "panes")
    _same_items(left.candidates, expected.candidates, "candidates")
    _same_items(left.samples, expected.samples, "samples")
    _same_items(left.letters, expected.letters, "dead letters")
    _same_events(left.events, expected.events)
    _same_events(left.reviews, expected.reviews)


def _same_events(left: dict[str, list[Event]], expected: dict[str, list[Event]]) -> None:
    assert left.keys() == expected.keys()
    for model, events in expected.items():
        _same_items(left[model], events, f"events of {model}")


def _same_items(left: Sequence[Hashable], expected: Sequence[Hashable], what: str) -> None:
    """Equal sequences; of unequal ones only the first few differences, for they are long."""
    if left != expected:
        more, fewer = Counter(left) - Counter(expected), Counter(expected) - Counter(left)
        pytest.fail(f"{what}: {len(left)} for {len(expected)}; too many: {list(more)[:3]}; missing: {list(fewer)[:3]}")
