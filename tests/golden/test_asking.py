"""The detector asks for golden evaluations: by schedule, for major episodes; and compares where it was recorded what was asked for."""

from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.bus.recording import write_recording
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.pipeline.own_topics import own_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.reference.golden_records import ask, request_of
from driftbus.consumers.replay.offline import load
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.golden import GoldenRequest

from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..consumers.test_blocks import LABELS, PREDICTIONS
from ..consumers.test_blocks import settings as labelled
from ..consumers.test_concept import ROWS as LABELLED_ROWS
from ..consumers.test_concept import log
from ..streaming import BEGINNING, configuration, everything, prepare, reference, rows, send

MINUTE = 60_000
EVERY = 5 * MINUTE
SECONDS = 1_700
GOLDEN = {"call": {"callable": {"function": "tests.golden.functions:of_version"}}, "every": "5m"}


def settings(folder: Path, **golden: Any) -> Configuration:
    models = {"m0": {"false_alarms": "1 per 1h", "golden": GOLDEN | golden}, "m1": {"golden": GOLDEN}, "m2": {}}
    return configuration(
        models=models, artifacts=str(folder / "artifacts"), snapshot_every="1ms", topics={"partitions": 2}, stream={"pane": "50s"}
    )


def world(chosen: Configuration) -> EmbeddedBus:
    """Twenty-eight minutes of three models; the inputs of one are others between the tenth and the twentieth."""
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [reference("m0"), reference("m2")])
    send(bus, rows(SECONDS, ("m0", "m1", "m2"), 1, seed=1, shifted=("m0", 600, 1_200)))
    return bus


def run(bus: Bus, chosen: Configuration) -> dict[str, int]:
    with closing(Pipeline(bus, chosen)) as pipeline:
        for _ in pipeline.run_until_end():
            pass
        return dict(pipeline.totals)


def requests(bus: Bus, chosen: Configuration) -> list[GoldenRequest]:
    """With each as often as it was written."""
    found = [event for events in everything(bus, chosen.topics.golden).values() for event in events]
    return sorted((GoldenRequest.model_validate_json(event.value) for event in found), key=lambda one: (one.model, one.cause, one.asked))


def events(bus: Bus, chosen: Configuration) -> list[dict[str, Any]]:
    return [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]


def test_each_slot_and_each_major_episode_is_asked_for_once(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    with closing(world(chosen)) as bus:
        totals = run(bus, chosen)
        found = requests(bus, chosen)
        major = {one["episode"] for one in events(bus, chosen) if one.get("severity") == "major" and one["status"] != "resolved"}
    slots = {model: [one.asked for one in found if (one.model, one.cause) == (model, "slot")] for model in ("m0", "m1", "m2")}
    first = (BEGINNING + 50_000) // EVERY * EVERY
    expected = list(range(first, BEGINNING + SECONDS * 1_000, EVERY))
    assert slots == {"m0": expected, "m1": expected, "m2": []}, "m1 has no reference, and m2 no golden set"
    assert major
    assert {one.named for one in found if one.cause == "episode"} == major
    assert totals["asked"] == len(found) == len({one.request for one in found})
    assert {(one.version, one.golden, one.realised, one.estimated, one.tolerance) for one in found} == {("1", None, None, None, 50_000)}


def test_what_becomes_major_by_a_changed_configuration_is_asked_for_once(tmp_path: Path) -> None:
    """The second of two runs begins with other bounds of what is important, while an episode is open."""
    names = {"psi": 50.0, "ks": 1.0, "wasserstein_sd": 50.0, "unseen": 1.0}
    loose, strict = ({name: most * part for name, most in names.items()} for part in (1.0, 0.01))
    written = settings(tmp_path).model_dump(mode="json")

    def weighed(important: dict[str, float]) -> Configuration:
        return Configuration.model_validate({**written, "models": {"m0": {**written["models"]["m0"], "important": important}, "m2": {}}})

    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, weighed(loose), [reference("m0")])
        sent = rows(1_200, ("m0",), 1, seed=1, shifted=("m0", 600, 1_200))
        for chosen, some in ((weighed(loose), sent[:900]), (weighed(strict), sent[900:1_000]), (weighed(strict), sent[1_000:])):
            before = {one.named for one in requests(bus, chosen) if one.cause == "episode"}
            send(bus, some)
            run(bus, chosen)
        asked = [one.named for one in requests(bus, chosen) if one.cause == "episode"]
        told = [one for one in events(bus, chosen) if one.get("kind") == "input"]
    first = next(one["episode"] for one in told)
    assert next(one["severity"] for one in told if one["episode"] == first) == "minor"
    assert any(one["severity"] == "major" for one in told if one["episode"] == first)
    assert asked == [first]
    assert before == {first}


def test_of_slots_that_are_passed_at_once_the_newest_is_asked_for_and_the_others_are_counted(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        prepare(bus, chosen, [reference("m0")])
        gap = 13 * 60
        send(bus, [one for one in rows(1_500, ("m0",), 1) if not 300_000 <= one.time < (300 + gap) * 1_000])
        run(bus, chosen)
        found = [one for one in requests(bus, chosen) if one.cause == "slot"]
    assert [one.passed_over for one in found] == [0, 0, 2, 0]
    assert found[2].asked - found[1].asked == 3 * EVERY


def test_a_model_that_nobody_asks_any_more_is_not_tested_for_ever(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        prepare(bus, chosen, [reference("m0"), reference("m2")])
        send(bus, [*rows(300, ("m0",), 1), *rows(4_000, ("m2",), 1)])
        run(bus, chosen)
        found = [one.asked for one in requests(bus, chosen) if (one.model, one.cause) == ("m0", "slot")]
    assert found[-1] <= BEGINNING + 300_000 + 3 * EVERY
    assert len(found) >= 3


@pytest.mark.parametrize("seed", range(2))
def test_whoever_dies_the_same_is_asked_for_and_once(tmp_path: Path, seed: int) -> None:
    chosen, draw = settings(tmp_path), np.random.default_rng(seed)
    with closing(world(chosen)) as bus:
        run(bus, chosen)
        clean = requests(bus, chosen)
    with closing(world(chosen)) as bus:
        for _ in range(5):
            dying = Interrupting(bus.as_instance("one"), role=str(draw.choice(["profiler", "detector"])), dies_at=str(draw.choice(POINTS)))
            with suppress(Died):
                for _ in turns(Pipeline(cast(Bus, dying), chosen), int(draw.integers(4, 30))):
                    pass
        run(bus.as_instance("one"), chosen)
        assert requests(bus, chosen) == clean


def test_a_model_with_labels_is_asked_for_when_these_are_complete_and_with_what_they_say(tmp_path: Path) -> None:
    """The estimate begins with the baseline; what is realised is what the intervals of the slot add up to."""
    hour = {"call": GOLDEN["call"], "every": "1h"}
    chosen = labelled({"wait": "10m", "about": "1h"}, stream={"pane": "1m"}, topics={"partitions": 2}, artifacts=str(tmp_path / "a"))
    models = {"m0": {"labels": "outcomes", "golden": hour}}
    chosen = Configuration.model_validate({**chosen.model_dump(), "models": models})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [reference("m0")])
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        bus.publish(log(0.35))
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            bus.publish(end_records("test", topic, partitions, BEGINNING + (LABELLED_ROWS + 3_600) * 1_000))
        run(bus, chosen)
        slots = [one for one in requests(bus, chosen) if one.cause == "slot"]
        told = {one.about: one for one in performance_of(bus, chosen) if one.model == "m0"}
    assert next(one.asked for one in slots if one.realised) in told
    for one in slots:
        if one.realised is not None and one.asked in told:  # an interval is a slot here, so little is still to come
            assert one.realised["accuracy"] == pytest.approx(told[one.asked].realised["accuracy"], abs=0.01)
    assert any(one.estimated for one in slots)


def test_where_a_recording_says_what_was_asked_for_it_is_only_compared(tmp_path: Path) -> None:
    """Of a recording without the topic all is written anew; of one that lacks a request it is told that there would be one more."""
    chosen = settings(tmp_path)
    with closing(world(chosen)) as bus:
        run(bus, chosen)
        asked = requests(bus, chosen)
        inputs = ["scored", chosen.topics.models]
        write_recording(bus, [*inputs, chosen.topics.golden], tmp_path / "whole.jsonl")
        write_recording(bus, inputs, tmp_path / "without.jsonl")
        lines = (tmp_path / "whole.jsonl").read_text().splitlines()
        (tmp_path / "fewer.jsonl").write_text("\n".join(line for line in lines if asked[0].request not in line) + "\n")
    fewer, without, afresh = (tmp_path / name for name in ("b", "c", "d"))
    assert _replayed(chosen, tmp_path / "fewer.jsonl", fewer) == (0, 1, asked[1:])
    assert _replayed(chosen, tmp_path / "without.jsonl", without) == (len(asked), 0, asked)
    assert _replayed(chosen, tmp_path / "whole.jsonl", afresh, afresh=True) == (len(asked), 0, asked)


def _replayed(chosen: Configuration, file: Path, folder: Path, *, afresh: bool = False) -> tuple[int, int, list[GoldenRequest]]:
    folder.mkdir()
    offline, _ = load(chosen, file, None, "-", folder, afresh=afresh)
    with closing(EmbeddedBus(offline.embedded, offline.application, "one")) as bus:
        totals = run(bus, offline)
        return totals["asked"], totals["would_have_asked"], requests(bus, offline)


def test_live_what_a_person_asked_for_keeps_nobody_from_asking(tmp_path: Path) -> None:
    """Nor by record time: only what a detector wrote says that there is a recording."""
    chosen = settings(tmp_path)
    with closing(world(chosen)) as bus:
        ask(bus, chosen, [request_of(chosen, "m0", "1", None, "person", "now", BEGINNING)])
        assert run(bus, chosen)["would_have_asked"] == 0
        assert {one.cause for one in requests(bus, chosen)} == {"person", "slot", "episode"}


def test_without_a_golden_set_there_is_no_topic(tmp_path: Path) -> None:
    chosen = configuration(artifacts=str(tmp_path / "artifacts"))
    assert chosen.topics.golden not in {topic.name for topic in own_topics(chosen)}
    assert set(ROLES) >= {"detector"}
