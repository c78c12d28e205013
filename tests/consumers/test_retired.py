"""Nobody waits for a model that will not come: retired, moved to another stream, or no longer looked for."""

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.detector.fold import Fold
from driftbus.consumers.detector.silence import MOST_RETIRED, Completeness, Silences
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.folding import Folding
from driftbus.consumers.reference.announce import Announcements, announce
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement

from ..streaming import BEGINNING, by_model, configuration, everything, prepare, reference, rows, send

#: m0 is heard until then; its reference has no gap, so ten empty buckets are a silence.
LAST = 100
#: One is enough for all of this: only its rows per bucket matter.
REFERENCE = reference("m0", rows=1_000)


def at(second: int) -> int:
    return BEGINNING + second * 1000


def announcements(said: dict[str, int | None], models: str = "m0") -> list[Announcement]:
    """Of versions of m0: a second from which on each is retired; None: it is not."""
    return [Announcement(model=models, version=version, reference=None, since=at(since)) for version, since in said.items() if since]


def told(bus: EmbeddedBus, model: str = "m0") -> list[tuple[str, str | None, int]]:
    """Of the silences of a model: status, reason, and the end of the bucket as seconds."""
    found = by_model(everything(bus, "driftbus.drift")).get(model, [])
    silences = [event.content for event in found if event.content.get("detector") == "silence"]
    ends = {f"{number}": number for number in range(0, 2_000, 10)}
    return [(one["status"], one["reason"], ends[str(seconds(one["bucket"][1]))]) for one in silences]


def seconds(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp()) - BEGINNING // 1000


def world(folder: Path, said: dict[str, int | None], **changes: Any) -> tuple[Configuration, EmbeddedBus]:
    """m0 until `LAST`, m1 all the while; what is announced before any of it is read."""
    chosen = configuration(artifacts=str(folder / "artifacts"), models={"m0": {}, "m1": {}}, **changes)
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [REFERENCE.model_copy(update={"model": m, "version": v}) for m, v in (("m1", "1"), *(("m0", v) for v in said))])
    for announcement in announcements(said):
        announce(bus, chosen, announcement)
    send(bus, sorted([*rows(LAST, ["m0"], 1, seed=1), *rows(500, ["m1"], 1, seed=2)[::5]], key=lambda one: one.time))
    return chosen, bus


def finish(bus: EmbeddedBus, chosen: Configuration) -> None:
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"1": 50}, []),  # rows go on for a while
        ({"1": LAST}, []),  # it ends with its last row
        ({"1": 110}, []),  # no row comes any more that could tell
        ({"1": 200}, []),  # at the very bucket at which it would be silent
        ({"1": 300}, [("opened", None, 200), ("resolved", "retired", 300)]),
        ({"1": None}, [("opened", None, 200)]),
        ({"1": 110, "2": None}, [("opened", None, 200)]),  # a version is left
        ({"1": 110, "2": 120}, []),
        ({"1": 110, "2": 400, "3": 250}, [("opened", None, 200), ("resolved", "retired", 400)]),
    ],
)
def test_a_retired_model_is_not_waited_for(
    tmp_path: Path, said: dict[str, int | None], expected: list[tuple[str, str | None, int]]
) -> None:
    chosen, bus = world(tmp_path, said)
    finish(bus, chosen)
    assert told(bus) == expected
    assert not told(bus, "m1")


def test_a_version_announced_after_all_were_retired_is_waited_for(tmp_path: Path) -> None:
    chosen, bus = world(tmp_path, {"1": 50})
    announce(bus, chosen, Announcement(model="m0", version="1", reference=REFERENCE.name, since=at(70)))
    finish(bus, chosen)
    assert told(bus) == [("opened", None, 200)]


@pytest.mark.parametrize("seed", range(2))
def test_deaths_change_nothing_about_retirement(tmp_path: Path, seed: int) -> None:
    chosen, bus = world(tmp_path, {"1": 300}, snapshot_every="1ms" if seed % 2 else "3m")
    draw = random.Random(seed)
    for _ in range(6):
        pipeline = Pipeline(bus, chosen)
        for turns, _ in enumerate(pipeline.run_until_end()):
            if turns >= draw.randrange(1, 4):
                break  # it dies here
    finish(bus, chosen)
    assert told(bus) == [("opened", None, 200), ("resolved", "retired", 300)]


@pytest.mark.parametrize("how", ["moved", "stream gone", "never", "reworded"])
def test_a_silence_that_is_no_longer_looked_for_is_resolved(tmp_path: Path, how: str) -> None:
    chosen, bus = world(tmp_path, {"1": None})
    finish(bus, chosen)
    assert told(bus) == [("opened", None, 200)]
    plain = chosen.model_dump(mode="json")
    bus.create("others", 1)
    plain["streams"] |= {"others": {"topics": ["others"], "clock": "record"}}
    match how:
        case "moved":
            plain["models"]["m0"]["stream"] = "others"
        case "stream gone":
            del plain["streams"]["predictions"]
        case "never":
            plain["models"]["m0"]["silence"] = "never"
        case "reworded":
            plain["models"]["m1"]["false_alarms"] = "1 per 9h"
    changed = Configuration.model_validate(plain)
    for _ in range(2):
        detector = Pipeline(bus, changed, roles=("detector",))
        while detector.turn():
            pass
        detector.close()
    again = [] if how == "reworded" else [("resolved", "reconfigured", 200)]
    assert told(bus) == [("opened", None, 200), *again]


def test_of_a_model_that_moved_nothing_is_kept() -> None:
    streams = {name: {"topics": [name], "clock": "record"} for name in ("a", "b")}
    here, there = (
        Configuration.model_validate({"application": "t", "streams": streams, "models": {"m": {"stream": name}}}) for name in ("a", "b")
    )
    silences = Silences(here)
    silences.follow("a", "m", "1", "sha256:x", 60_000, at(0), FROM_START)
    moved = Silences.restored(there, msgspec.msgpack.decode(msgspec.msgpack.encode(silences.plain())), [])
    assert not moved.traffic
    assert not moved.passed("a", Completeness(at(3_600), complete=True, clock_decided=False))
    assert not moved.reconfigured()


def test_a_late_row_brings_no_retired_model_back() -> None:
    silences = Silences(configuration())
    silences.follow("predictions", "m0", "1", "sha256:x", 60_000, at(100), FROM_START)
    silences.retire("predictions", {"m0": at(110)})
    assert not silences.passed("predictions", Completeness(at(110), complete=True, clock_decided=False))
    silences.follow("predictions", "m0", "1", "sha256:x", 60_000, at(120), FROM_START)  # the bucket's row of second 105 came late
    assert not silences.passed("predictions", Completeness(at(3_600), complete=True, clock_decided=False))
    assert not silences.traffic


def test_what_is_remembered_of_retired_models_is_bounded() -> None:
    silences, bus, many = Silences(configuration()), EmbeddedBus(":memory:", "test", "one"), MOST_RETIRED + 10
    bus.create("driftbus.models", 1, settings={"cleanup.policy": "compact"})
    known = Announcements(bus, configuration())
    for number in range(many):
        silences.follow("predictions", f"m{number}", "1", "sha256:x", 60_000, at(0), FROM_START)
        announce(bus, configuration(), Announcement(model=f"m{number}", version="1", reference=None, since=at(number)))
        if number in (5, many - 1):
            known.refresh()
            silences.retire("predictions", known.retired())
    silences.passed("predictions", Completeness(at(many), complete=True, clock_decided=False))
    silences.retire("predictions", known.retired())
    assert len(silences.retired) == len(known.retired()) == MOST_RETIRED
    assert not silences.traffic.keys() - {("predictions", f"m{number}") for number in range(6, 10)}


@pytest.mark.parametrize(("days", "left"), [(89, 2), (91, 1)])
def test_a_version_that_was_left_behind_is_forgotten(tmp_path: Path, days: int, left: int) -> None:
    """Its state ends, and what was open of it; a bucket of another model says how late it is."""
    chosen = configuration(artifacts=str(tmp_path / "artifacts"), models={"m0": {"silence": "never"}, "m1": {}}, topics={"partitions": 1})
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [reference("m0"), reference("m1")])
    send(bus, rows(300, ["m0"], shifted=("m0", 100, 300)))
    later = [one._replace(time=one.time + days * 86_400_000) for one in rows(30, ["m1"])]
    send(bus, later)
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    (folding,) = [consumer for consumer in pipeline.consumers if isinstance(consumer, Folding) and consumer.role == "detector"]
    (fold,) = folding.folds().values()
    assert isinstance(fold, Fold)
    assert (len(fold.states), len(fold.suites), len(fold.current), len(fold.since)) == (left,) * 4
    drifts = [event.content for event in by_model(everything(bus, chosen.topics.drift))["m0"] if "detector" in event.content]
    assert [(one["status"], one["reason"]) for one in drifts] == [("opened", None), ("resolved", "retired")][: 3 - left]
    pipeline.close()
