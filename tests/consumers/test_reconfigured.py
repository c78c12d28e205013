"""A changed configuration: one drift keeps one episode, so whoever acts once per episode acts once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.cloud_events import microseconds
from driftbus.schemas.configuration import Configuration

from ..streaming import BEGINNING, Sent, configuration, everything, prepare, reference, send

DRIFT, CHANGE, END = 300, 500, 800  # seconds
#: A drift that takes long to be told, and until when it is not.
SLOW, MIDWAY = 0.2, 340
#: In the place of the stream that is taken out.
OTHERS = {"topics": ["other"], "pane": "1m", "clock": "record"}
#: What somebody may write; the drift is in amount and age, nothing is in colour and score.
CHANGES: dict[str, dict[str, Any]] = {  # keys of a model, or of its stream
    "a budget": {"false_alarms": "1 per 2h"},
    "a smaller budget": {"false_alarms": "1 per 20m"},
    "mute one of two": {"features": {"age": "ignore"}},
    "mute a quiet one": {"features": {"colour": "ignore"}},
    "min_effect of a quiet one": {"features": {"score": {"min_effect": 0.3}}},
    "min_effect of a drifted one": {"features": {"amount": {"min_effect": 0.1}}},
    "min_effect of all": {"min_effect": 0.05},
    "important": {"important": {"ks": 0.3}},
    "important of a drifted one": {"features": {"amount": {"important": {"psi": 5.0, "ks": 1.0, "wasserstein_sd": 9.0}}}},
    "direction": {"features": {"amount": {"direction": "up"}}},
    "a detector": {"features": {"amount": {"detectors": ["ks"]}}},
    "a detector elsewhere": {"features": {"score": {"detectors": ["ks", {"psi": {"rows": 500}}]}}},
    "a trailing reference": {"trailing": {"length": "20m", "every": "5m", "lag": "1m"}},
    "a rate": {"rate": 4.0},
    "a longer pane": {"pane": "30s"},
    "a shorter pane": {"pane": "5s"},
    "another pane": {"pane": "7s"},
    "patience": {"patience": "1m"},
}


def chosen(folder: Path, *changes: str, **others: Any) -> Configuration:
    """The configuration with these changes, by name."""
    written: dict[str, Any] = {}
    for name in changes:
        for key, value in CHANGES[name].items():
            written[key] = {**written.get(key, {}), **value} if isinstance(value, dict) else value
    written |= others
    stream = {key: written.pop(key) for key in ("pane", "patience") if key in written}
    return configuration(
        artifacts=str(folder), topics={"partitions": 1}, stream=stream, models={"m0": {"false_alarms": "1 per 1h", **written}}
    )


def traffic(
    start: int, stop: int, *, drift: Sequence[tuple[int, int]] = ((DRIFT, END),), per_second: int = 4, sd: float = 1.5
) -> list[Sent]:
    draw, sent = np.random.default_rng(start), list[Sent]()
    for second in range(start, stop):
        by = sd if any(begin <= second < end for begin, end in drift) else 0.0
        for row in range(per_second):
            features = {"amount": draw.normal(by, 1), "age": int(draw.integers(18, 60)) + 18 * int(by), "colour": ("red", "green")[row % 2]}
            value = msgspec.json.encode({"model": "m0", "version": "1", "features": features, "score": draw.random()})
            sent.append(Sent(row % 2, second * 1000 + row * 1000 // per_second, value))
    return sent


class World:
    def __init__(self, folder: Path) -> None:
        self.folder, self.bus, self.said = folder, EmbeddedBus(":memory:", "test", "a"), 0
        prepare(self.bus, chosen(folder), [reference("m0")], partitions=2)

    def run(self, settings: Configuration, sent: Sequence[Sent], *, closed: bool = True, roles: Sequence[str] = ()) -> list[dict[str, Any]]:
        """The events of a run to the end of this input."""
        send(self.bus, sent)
        pipeline = Pipeline(self.bus, settings, roles or ("profiler", "detector"))
        for _ in pipeline.run_until_end():
            pass
        if closed:
            pipeline.close()
        found = [event for partition in everything(self.bus, settings.topics.drift).values() for event in partition]
        ids = [dict(event.headers)["ce_id"] for event in found]
        assert len(ids) == len(set(ids))
        new, self.said = found[self.said :], len(found)
        return [event.content for event in new]

    def without_its_stream(self, **changes: Any) -> list[dict[str, Any]]:  # keys of a configuration
        """The drift events of a run with another stream in its place, which has traffic of its own, of a model without a reference."""
        if not self.bus.describe(["other"]):
            self.bus.create("other", 1)
        value = msgspec.json.encode({"model": "unknown", "version": "1", "features": {"amount": 1.0}})
        self.bus.publish([Output("other", 0, None, value, (), BEGINNING + second * 1000) for second in range(0, 120, 10)])
        written = {**chosen(self.folder).model_dump(mode="json"), "streams": {"others": OTHERS}, **changes}
        return [event for event in self.run(Configuration.model_validate(written), ()) if "episode" in event]


def open_names(event: dict[str, Any]) -> set[tuple[str, str]]:
    return {(signal["name"], signal["of"]) for signal in event["signals"] if signal["open"]}


def acted(events: Sequence[dict[str, Any]]) -> int:
    """How often an idempotent subscriber retrains."""
    return len({event["episode"] for event in events if event.get("status") == "opened"})


KILLED = ("a budget", "mute one of two", "min_effect of all", "a detector", "a trailing reference", "a longer pane")


@pytest.mark.parametrize(("change", "closed"), [*((name, True) for name in CHANGES), *((name, False) for name in KILLED)])
def test_one_drift_keeps_one_episode_over_a_change(tmp_path: Path, change: str, closed: bool) -> None:
    world = World(tmp_path)
    if not closed:
        world.run(chosen(tmp_path), traffic(0, 200))  # leaves a snapshot from before the drift
    before = world.run(chosen(tmp_path), traffic(0 if closed else 200, CHANGE), closed=closed)
    assert before[0]["status"] == "opened"
    assert open_names(before[-1]) == {("amount", "values"), ("age", "values")}
    settings = chosen(tmp_path, change)
    after = world.run(settings, traffic(CHANGE, END))
    if closed:
        after += world.run(settings, traffic(END, END + 700, drift=()))
        assert (after[-1]["status"], after[-1]["reason"]) == ("resolved", "recovered")
    assert acted(before + after) == 1
    assert {event["episode"] for event in after} <= {before[0]["episode"]}
    assert [event["sequence"] for event in before + after] == list(range(len(before + after)))
    assert [event["status"] for event in before + after].count("resolved") == closed
    if change == "mute one of two":
        assert open_names(after[0]) == {("amount", "values")}
        assert after[0]["status"] == "updated"


def test_one_drift_keeps_one_episode_over_all_changes(tmp_path: Path) -> None:
    world, made, at, events = World(tmp_path), list[str](), CHANGE, list[dict[str, Any]]()
    world.run(chosen(tmp_path), traffic(0, 200))
    until = CHANGE + 40 * len(CHANGES)
    events += world.run(chosen(tmp_path), traffic(200, CHANGE))
    for number, change in enumerate(CHANGES):
        if change == "a trailing reference":
            made = [name for name in made if "detector" not in name]  # they cannot be combined
        made.append(change)
        events += world.run(chosen(tmp_path, *made), traffic(at, at + 40, drift=[(DRIFT, until)]), closed=number % 2 == 0)
        at += 40
    drift = [event for event in events if "episode" in event]
    assert acted(drift) == 1
    assert {event["episode"] for event in drift} == {events[0]["episode"]}
    assert drift[-1]["status"] != "resolved"


@pytest.mark.parametrize("of", [["amount", "age"], ["*"], ["a*"]])
def test_with_its_last_signal_an_episode_ends_as_reconfigured(tmp_path: Path, of: list[str]) -> None:
    world = World(tmp_path)
    before = world.run(chosen(tmp_path), traffic(0, CHANGE))
    muted = chosen(tmp_path, features=dict.fromkeys(of, "ignore"))
    after = world.run(muted, traffic(CHANGE, END))
    assert [(event["status"], event["reason"], event["episode"]) for event in after] == [("resolved", "reconfigured", before[0]["episode"])]
    again = world.run(chosen(tmp_path), traffic(END, END + 200, drift=[(DRIFT, END + 200)]))
    assert again[0]["status"] == "opened"  # heard again, and it drifts still
    assert again[0]["episode"] != before[0]["episode"]


def test_a_muted_signal_raises_no_alarm_though_panes_count_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    events = world.run(chosen(tmp_path, "mute one of two"), traffic(0, END))
    assert acted(events) == 1
    assert {signal["name"] for event in events for signal in event["signals"]} == {"amount"}


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
def test_evidence_goes_on_where_a_change_does_not_concern_it(tmp_path: Path, closed: bool) -> None:
    """A slow drift is told as soon with a change on the way as without, whatever happens to another signal."""
    told = []
    for number, change in enumerate(((), ("min_effect of a quiet one",), ("mute a quiet one",))):
        world = World(tmp_path / str(number))
        world.run(chosen(world.folder, false_alarms="1 per 1d"), traffic(0, 250))
        assert world.run(chosen(world.folder, false_alarms="1 per 1d"), traffic(250, MIDWAY, sd=SLOW), closed=closed) == []
        settings = chosen(world.folder, *change, false_alarms="1 per 1d")
        told.append(world.run(settings, traffic(MIDWAY, 600, drift=[(DRIFT, 600)], sd=SLOW))[0]["bucket"])
    assert told[1] == told[0] >= told[2]  # which has more of the weight


@pytest.mark.parametrize(
    ("changes", "unresolved"),
    [
        ({}, False),
        ({"models": {}}, False),
        ({"models": {"m0": {"features": {"amount": "ignore"}}}}, False),
        ({"streams": {"others": {**OTHERS, "pane": "500 rows"}}, "models": {"m0": {"false_alarms": "1 per 100000 rows"}}}, False),
        ({"artifacts": "nowhere"}, True),
    ],
    ids=["as it was", "without its model", "muted", "rows", "without its reference"],
)
def test_of_a_stream_that_is_taken_out_what_is_open_is_resolved(tmp_path: Path, changes: dict[str, Any], unresolved: bool) -> None:
    world = World(tmp_path)
    shown = world.run(chosen(tmp_path), traffic(0, CHANGE))[-1]
    after = world.without_its_stream(**changes)
    expected = [("resolved", "reconfigured", shown["episode"], shown["sequence"] + 1)]
    told = [(one["status"], one["reason"], one["episode"], one["sequence"]) for one in after]
    assert told == ([] if unresolved else expected)
    assert all(microseconds(one["bucket"][1]) == (BEGINNING + CHANGE * 1000) * 1000 for one in after), "the last that was tested"
    assert world.without_its_stream(**changes) == []


@pytest.mark.parametrize("until", [CHANGE, CHANGE + 20, END + 100])
def test_what_a_killed_detector_said_of_a_stream_that_is_taken_out_is_not_guessed(tmp_path: Path, until: int) -> None:
    """Nobody knows without the stream's settings what became of it behind the snapshot; no id is ever said twice."""
    world = World(tmp_path)
    world.run(chosen(tmp_path), traffic(0, CHANGE - 10))  # leaves a snapshot, the drift is open
    world.run(chosen(tmp_path), traffic(CHANGE - 10, until), closed=False)
    assert world.without_its_stream() == []


@pytest.mark.parametrize(("theirs", "ours"), [("30s", "10s"), ("5s", "10s"), ("7s", "10s"), ("10s", "30s")])
def test_a_profiler_with_other_panes_is_told_once_and_loses_no_row(tmp_path: Path, theirs: str, ours: str) -> None:
    world = World(tmp_path)
    send(world.bus, traffic(0, END))
    world.run(chosen(tmp_path, pane=theirs), (), roles=("profiler",))
    events = world.run(chosen(tmp_path, pane=ours), (), roles=("detector",))
    notices = [event for event in events if event.get("about") == "panes"]
    assert len(notices) == 1
    assert f"panes of {theirs}" in notices[0]["text"]
    assert f"by {ours}" in notices[0]["text"]
    drift = [event for event in events if "episode" in event]
    assert acted(drift) == 1
    offsets = {place["partition"]: place["offsets"] for place in drift[-1]["panes"]}
    assert set(offsets) == {0, 1}


def test_panes_of_rows_cannot_become_panes_of_time(tmp_path: Path) -> None:
    settings = configuration(
        artifacts=str(tmp_path), topics={"partitions": 1}, stream={"pane": "40 rows"}, models={"m0": {"false_alarms": "1 per 1000 rows"}}
    )
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [reference("m0")], partitions=1)
    bus.publish([Output("scored", 0, None, one.value, (), BEGINNING + one.time) for one in traffic(0, 60)])
    pipeline = Pipeline(bus, settings)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    with pytest.raises(ValueError, match="take a new name of the application"):
        Pipeline(bus, chosen(tmp_path)).turn()
