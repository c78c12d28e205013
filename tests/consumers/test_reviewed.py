"""What people answer is tested: of a model without labels, more errors are told once, whoever dies meanwhile; rules of what counts."""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.bus.recording import load_recording, write_recording
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.reviews import Review, output
from driftbus.consumers.reviewer.estimates import Estimates
from driftbus.consumers.reviewer.facts import Said
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.progress import InputPartition, Progress
from driftbus.schemas.messages.review import TAKEN_BACK, ReviewAnswer, ReviewRequest, ReviewSlot

from ..battery.asked import request as request_of
from ..battery.interrupting import POINTS, Died, Interrupting, turns
from ..streaming import BEGINNING, Event, configuration, everything, prepare, reference

#: Slots, uniform answers in each; from the second on errors are commoner.
SLOTS, CHANGE, CASES, SLOT = 180, 110, 12, 600_000
ROLES = ("reviewer", "detector")


def chosen(folder: Path, **model: object) -> Configuration:
    models: dict[str, Any] = {"m0": {"review": {"slot": "10m"}, "false_alarms": "1 per 3d"} | model}
    return configuration(artifacts=str(folder), models=models, stream={"pane": "1m"}, topics={"partitions": 2}, snapshot_every="1ms")


def request(place: int, slot: int, **changes: object) -> ReviewRequest:
    return request_of("m0", place, slot, **changes)


def slot_of(end: int, **changes: object) -> ReviewSlot:
    said = {"application": "test", "model": "m0", "slot": end, "start": end - SLOT, "rows": 100, "cases": CASES}
    return ReviewSlot.model_validate(said | changes)


def history(worse: float, change: int = CHANGE) -> Iterator[Review]:
    """Slots with their requests; answers to a slot come in the next one."""
    draw, before = np.random.default_rng(5), list[ReviewRequest]()
    for number in range(SLOTS):
        end = BEGINNING // SLOT * SLOT + (number + 1) * SLOT
        asked = [request(number * CASES + one, end) for one in range(CASES)]
        yield from asked
        yield slot_of(end)
        rate = 0.1 if number < change else worse
        for one in before:
            yield ReviewAnswer.of(one, "ann", end, label="no" if draw.random() < rate else "yes")
        before = asked


def told(folder: Path, worse: float, deaths: int = 0, record: Path | None = None) -> list[Event]:
    """The events of this history, as they lie on the topic. ``record``: a file for the reviews, as the processes leave them."""
    settings, draw = chosen(folder), np.random.default_rng(deaths)
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, settings, [reference("m0")])
        bus.publish([output(settings, one) for one in history(worse)])
        for _ in range(deaths):
            dying = Interrupting(bus.as_instance("one"), role=str(draw.choice(ROLES)), dies_at=str(draw.choice(POINTS)), hits=2)
            with suppress(Died):
                for _ in turns(Pipeline(cast(Bus, dying), settings, ROLES), 20):
                    pass
        with closing(Pipeline(bus.as_instance("one"), settings, ROLES)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        if record is not None:
            write_recording(bus, [settings.topics.reviews], record)
        return drifts(bus, settings)


def drifts(bus: Bus, settings: Configuration) -> list[Event]:
    return [event for events in everything(bus, settings.topics.drift).values() for event in events]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recording") / "reviews.jsonl"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, recording: Path) -> list[Event]:
    return told(tmp_path_factory.mktemp("clean"), 0.35, record=recording)


def test_more_errors_are_told_once_and_that_people_say_so(clean: list[Event]) -> None:
    opened = [event.content for event in clean if event.content.get("status") == "opened"]
    assert len(opened) == 1
    [one] = opened
    assert (one["kind"], one["model"], one["signals"][0]["name"]) == ("performance", "m0", "(errors)")
    told_of = one["performance"]
    assert (told_of["by"], told_of["metric"], told_of["about"]) == ("reviews", "accuracy", None)
    assert told_of["was"] > 0.86 > told_of["high"] > told_of["now"] > told_of["low"]
    assert 0 < told_of["labelled"] < 40 * CASES
    assert one["complete"]


def test_nothing_is_told_while_nothing_changes(tmp_path: Path) -> None:
    assert [event for event in told(tmp_path, 0.1) if event.content.get("kind") == "performance"] == []


@pytest.mark.parametrize("deaths", [4, 9])
def test_whoever_dies_the_events_are_the_same(clean: list[Event], tmp_path: Path, deaths: int) -> None:
    assert told(tmp_path, 0.35, deaths) == clean


def test_a_replay_of_the_recording_tells_the_same(clean: list[Event], recording: Path, tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "again")) as bus:
        load_recording(bus, recording)
        prepare(bus, settings, [reference("m0")])
        for role in (*ROLES, "detector"):  # each by itself
            with closing(Pipeline(bus.as_instance("one"), settings, [role])) as pipeline:
                for _ in pipeline.run_until_end():
                    pass
        assert drifts(bus, settings) == clean


def folded(settings: Configuration, facts: Sequence[Review], restored_at: int = -1) -> list[Said]:
    """What the estimates say of these; at one place by a fold that was written down and restored."""
    fold, said = Estimates(settings), list[Said]()
    for offset, fact in enumerate(facts):
        if offset == restored_at:
            fold = Estimates.restored(settings, *fold.snapshot(offset))
        fold.situated(InputPartition(topic="reviews", topic_id="r", partition=0), append_time=False)
        said += fold.feed(offset, 0, fact)
    return said


def evidence(said: Sequence[Said]) -> list[tuple[str, int, int, float]]:
    """Case, bucket, slot and loss."""
    return [(one.fact_id, one.bucket, one.about, one.fact["loss"]) for one in said if isinstance(one, Evidence)]


FIRST, SECOND, THIRD = (BEGINNING // SLOT * SLOT + number * SLOT for number in (1, 2, 3))


def test_each_case_counts_once_in_the_slot_of_its_answer(tmp_path: Path) -> None:
    asked = [request(place, FIRST) for place in range(5)]
    weighted = request(9, FIRST, uniform=False, uniform_probability=None)
    facts: list[Review] = [
        *asked,
        weighted,
        slot_of(FIRST),
        ReviewAnswer.of(asked[0], "ann", 1, label="no"),
        ReviewAnswer.of(asked[0], "bob", 2, label="yes"),  # the second reviewer's is for agreement alone
        ReviewAnswer.of(asked[1], "ann", 3, label="no"),
        ReviewAnswer.of(asked[1], "ann", 4, label="yes"),  # corrected before it was told
        ReviewAnswer.of(asked[2], "ann", 5, label="no"),
        ReviewAnswer.of(asked[2], "ann", 6, skipped=TAKEN_BACK),
        ReviewAnswer.of(asked[3], "ann", 7, skipped="unclear"),
        ReviewAnswer.of(weighted, "ann", 8, label="no"),
        slot_of(SECOND),
        ReviewAnswer.of(asked[0], "ann", 9, label="yes"),  # corrected: no news
        ReviewAnswer.of(asked[2], "ann", 10, label="yes"),
        ReviewAnswer.of(asked[3], "bob", 11, label="no"),
        slot_of(THIRD),
    ]
    settings = chosen(tmp_path)
    said = folded(settings, facts)
    assert evidence(said) == [
        (asked[0].case, FIRST, FIRST, 1.0),
        (asked[1].case, FIRST, FIRST, 0.0),
        (asked[2].case, SECOND, FIRST, 0.0),
        (asked[3].case, SECOND, FIRST, 1.0),
    ]
    assert [one.through for one in said if isinstance(one, Progress)] == [FIRST - SLOT, FIRST, SECOND]
    for place in range(len(facts)):
        assert folded(settings, facts, place) == said


def test_evidence_is_no_better_known_than_its_slot(tmp_path: Path) -> None:
    asked = request(0, FIRST)
    facts: list[Review] = [
        asked,
        slot_of(FIRST, complete=False, clock_decided=True),
        ReviewAnswer.of(asked, "ann", 1, label="no"),
        slot_of(SECOND),
    ]
    [one] = [one for one in folded(chosen(tmp_path), facts) if isinstance(one, Evidence)]
    assert (one.fact["complete"], one.fact["clock_decided"]) == (False, True)


@pytest.mark.parametrize(("prediction", "label", "loss"), [(2.0, 5.5, 3.5), (-1.7e308, 1.7e308, float(np.finfo(np.float64).max))])
def test_of_numbers_the_loss_is_how_far_they_are_off(tmp_path: Path, prediction: float, label: float, loss: float) -> None:
    settings = configuration(
        artifacts=str(tmp_path),
        labels={"known": {"topics": ["known"], "outcome": "number"}},
        models={"m0": {"labels": "known", "review": {}}},
    )
    asked = request(0, FIRST, prediction=prediction)
    facts: list[Review] = [asked, slot_of(FIRST), ReviewAnswer.of(asked, "ann", 1, label=label), slot_of(SECOND)]
    assert evidence(folded(settings, facts)) == [(asked.case, FIRST, FIRST, loss)]
