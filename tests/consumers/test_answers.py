"""What labels say of cases that reviewers answered: set beside the answers, and in no sum."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.console.reviewed import reviewed_of
from driftbus.consumers.joiner.answered import Answered
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.reviews import output
from driftbus.consumers.reviewer.estimates import Estimates
from driftbus.consumers.reviewer.facts import Fact
from driftbus.detectors.joining.rows import NONE, told
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import Block, Whose
from driftbus.schemas.messages.review import TAKEN_BACK, ReviewAnswer, ReviewLabel, ReviewRequest
from driftbus.schemas.messages.reviewed import Reviewed, ReviewedMean
from driftbus.schemas.outcome import id_hash, number_code

from ..battery.worlds import named
from ..streaming import BEGINNING, Sent, configuration, everything, prepare, reference, rows, send
from .test_reviewer import REVIEW, finish, requests, reviews

SECONDS = 420
_ZERO = np.zeros(1, dtype=np.int64)


def chosen(folder: Path, **changes: object) -> Configuration:
    labels = {"known": {"topics": ["known"], "wait": "10m", "early": "10s", "about": "1m"} | changes}
    return configuration(artifacts=str(folder), labels=labels, models={"m0": {"labels": "known", "review": REVIEW}})


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[EmbeddedBus]:
    """Traffic of one model; every third prediction has a label, which is that its number is even."""
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen(tmp_path), [reference("m0")])
    bus.create("known", 1)
    traffic = sorted(rows(SECONDS, ["m0"], 3, seed=4), key=lambda one: one.time)
    send(bus, [named(one, number) for number, one in enumerate(traffic)])
    send(bus, [labelled(number, one.time + 2_000, number % 2 == 0) for number, one in enumerate(traffic) if number % 3 == 0], "known")
    yield bus
    bus.close()


def labelled(number: int, time: int, label: bool | None) -> Sent:
    return Sent(0, time, msgspec.json.encode({"id": f"row {number}", "label": label}))


def number_of(id_: str | None) -> int:
    return int((id_ or "").removeprefix("row "))


def told_of(bus: EmbeddedBus, settings: Configuration) -> list[Reviewed]:
    return reviewed_of(bus, settings, "m0", None)


def answer(bus: EmbeddedBus, settings: Configuration, skipped: str | None = None) -> None:
    """Every case: that its number is divisible by four, or why there is no label."""
    answers = [
        ReviewAnswer.of(one, "ada", BEGINNING, label=number_of(one.prediction_id) % 4 == 0)
        if skipped is None
        else ReviewAnswer.of(one, "ada", BEGINNING + 1, skipped=skipped)
        for one in requests(bus, settings)
    ]
    bus.publish([output(settings, one) for one in answers])


def test_answers_are_compared_with_labels_and_counted_in_no_sum(filled: EmbeddedBus, tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    finish(filled, settings)
    before, asked = performance_of(filled, settings), requests(filled, settings)
    answer(filled, settings)
    finish(filled, settings)
    both = [number for one in asked if (number := number_of(one.prediction_id)) % 3 == 0]
    assert len(both) > 8
    told = told_of(filled, settings)
    assert sum(one.labelled for one in told) == len(both)
    alike = sum(round((one.as_labelled or 0) * one.labelled) for one in told)
    assert alike == sum((number % 2 == 0) == (number % 4 == 0) for number in both) < len(both)
    assert performance_of(filled, settings) == before
    answer(filled, settings, TAKEN_BACK)
    finish(filled, settings)
    assert [(one.answered, one.labelled, one.as_labelled) for one in told_of(filled, settings)] == [(0, 0, None)] * len(told)


def test_personal_ids_are_hashed_on_both_sides(filled: EmbeddedBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers still meet their labels, and no record but those of the input holds an id."""
    monkeypatch.setenv("IDS", "a key that nobody knows")
    settings = chosen(tmp_path, key="IDS")
    finish(filled, settings)
    asked = requests(filled, settings)
    hashes = {id_hash(f"row {number}", b"a key that nobody knows"): number for number in range(3 * SECONDS)}
    numbers = [hashes[one.prediction_hash or ""] for one in asked]
    assert all(one.prediction_id is None for one in asked)
    filled.publish([output(settings, ReviewAnswer.of(one, "ada", BEGINNING, label=True)) for one in asked])
    finish(filled, settings)
    assert sum(one.labelled for one in told_of(filled, settings)) == sum(number % 3 == 0 for number in numbers) > 8
    for topic in (settings.topics.summaries, settings.topics.reviews, settings.topics.joins, settings.topics.snapshots):
        assert not [event for events in everything(filled, topic).values() for event in events if b"row " in event.value]


def test_personal_ids_of_a_model_without_labels_are_hashed_too(
    filled: EmbeddedBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDS", "a key that nobody knows")
    personal = {"id": True, "key": "IDS"}
    settings = configuration(artifacts=str(tmp_path), models={"m0": {"review": REVIEW, "personal": personal}})
    finish(filled, settings)
    asked = requests(filled, settings)
    assert asked
    assert all(one.prediction_id is None and one.prediction_hash for one in asked)


def test_a_label_that_changes_changes_that(filled: EmbeddedBus, tmp_path: Path) -> None:
    """In whatever order labels and answers come, and whoever dies meanwhile."""
    settings = chosen(tmp_path)
    finish(filled, settings)
    answer(filled, settings)
    numbers = sorted(number_of(one.prediction_id) for one in requests(filled, settings))
    last = SECONDS * 1_000
    changes: list[tuple[int, bool | None]] = [(number, None if number % 5 == 0 else number % 4 == 0) for number in numbers[::2]]
    send(filled, [labelled(number, last, label) for number, label in changes], "known")
    for turns in range(1, 5):
        dying = Pipeline(filled, settings.model_copy(update={"snapshot_every": 1 if turns % 2 else 180_000}))
        for number, _ in enumerate(dying.run_until_end()):
            if number >= turns % 4 + 1:
                break
    finish(filled, settings)
    known: dict[int, bool | None] = {number: number % 2 == 0 for number in numbers if number % 3 == 0}
    known |= dict(changes)
    expected = {number: label for number, label in known.items() if label is not None}
    told = told_of(filled, settings)
    assert sum(one.labelled for one in told) == len(expected)
    alike = sum(label == (number % 4 == 0) for number, label in expected.items())
    assert sum(round((one.as_labelled or 0) * one.labelled) for one in told) == alike
    said = [one for one in reviews(filled, settings) if isinstance(one, ReviewLabel)]
    assert len({one.id for one in said}) == len(said)


def test_labels_without_reviews_and_reviews_without_labels_have_no_such_reader(tmp_path: Path) -> None:
    for models in ({"m0": {"labels": "known"}}, {"m0": {"review": REVIEW}, "m1": {"labels": "known"}}):
        settings = configuration(artifacts=str(tmp_path), labels={"known": {"topics": ["known"]}}, models=models)
        bus = EmbeddedBus(":memory:", "test", "a")
        prepare(bus, settings, [reference("m0")])
        bus.create("known", 1)
        pipeline = Pipeline(bus, settings, ["profiler"])
        assert len(pipeline.consumers) == 2
        pipeline.close()
        bus.close()


def test_what_is_told_of_a_case_is_told_once_and_forgotten_with_its_prediction() -> None:
    answered, versions = Answered(), {7: ("m0", "1"), 8: ("m1", "1")}
    case = "f" * 31 + "0"
    halves = np.array([[3, 5]], dtype=np.uint64)
    block = Block(
        join="known", stream="s", side="reviews", topic="t", topic_id="i", partition=0, first=4, last=4, bucket=60_000, start=60_000,
        whose=(Whose("m0", "1"),), ids=halves.tobytes(), of=_ZERO, waters=_ZERO, offsets=_ZERO,
        values=np.array([-1]), revisions=np.array([-16]),
    )  # fmt: skip
    assert answered.note(Block.decoded(block.encoded())) == answered.note(block) == (3, 5)
    found = np.zeros(2, dtype=told(0))
    found["hi"], found["lo"], found["version"], found["label"] = 3, 5, [7, 8], 1
    for _ in range(2):
        answered.look(found, versions.__getitem__, 9)
    assert answered.told() == [ReviewLabel.of("m0", "1", case, 1, known=9)]
    for label in (0, NONE):
        found["label"] = label
        answered.keep(found, versions.__getitem__)
    assert answered.told() == []
    answered.tell_kept(10)
    answered.tell_kept(11)
    assert [one.code for one in answered.told()] == [None]
    answered.look(found[:0], versions.__getitem__, 12)
    answered.forget(60_000)
    assert len(answered) == 1
    answered.forget(60_001)
    answered.look(found, versions.__getitem__, 12)
    assert len(answered) == 0
    assert answered.told() == []


def test_of_numbers_the_error_is_estimated_and_a_snapshot_keeps_labels(tmp_path: Path) -> None:
    settings = chosen(tmp_path, outcome="number")
    fold, said = Estimates(settings), list[Reviewed]()

    def told_by(fold: Estimates, fact: Fact) -> list[Reviewed]:
        return [one for one in fold.feed(0, 0, fact) if isinstance(one, Reviewed)]

    asked = [
        ReviewRequest(
            case=f"{number:032x}", model="m0", version="1", slot=60_000, asked=60_000, bucket=60_000, topic="t", topic_id="i", partition=0,
            offset=number, prediction_id=f"row {number}", score=float(number), weight=1.0, probability=0.1, uniform=number < 3,
            uniform_probability=0.01 if number < 3 else None,
        )
        for number in range(10)
    ]  # fmt: skip
    answers = [ReviewAnswer.of(one, "ada", 0, label=(one.score or 0.0) + 2.0) for one in asked]
    facts: list[Fact] = [*asked, *answers]
    for fact in facts:
        said += told_by(fold, fact)
    told = said[-1]
    assert (told.all.cases, told.right, told.answered) == (0, None, 10)
    assert told.mae is not None
    assert told.mae_uniform is not None
    assert (told.mae.cases, told.mae.mean, told.mae_uniform.cases) == (10, 2.0, 3)
    assert said[0].mae == ReviewedMean(cases=1, mean=2.0)
    label = ReviewLabel.of("m0", "1", asked[0].case, number_code(2.0), known=0)
    [told] = told_by(fold, label)
    assert (told.labelled, told.as_labelled) == (1, None)
    again = Estimates.restored(settings, *fold.snapshot(31))
    assert told_by(again, label) == []
    [told] = told_by(again, ReviewLabel.of("m0", "1", asked[0].case, None, known=1))
    assert told.labelled == 0
    assert Reviewed.decoded(told.encoded()) == told
    assert told_by(again, ReviewLabel.of("m1", "1", asked[0].case, 1, known=1)) == []
    assert told_by(again, ReviewLabel.of("m0", "1", "f" * 32, 1, known=1)) == []
