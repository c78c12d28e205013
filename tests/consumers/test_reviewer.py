"""Reviews on the embedded bus: predictions in, cases out, answers in, estimates out."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Assignment, Batch, Bus, BusError, Session
from driftbus.consumers.bus.recording import load_recording, write_recording
from driftbus.consumers.console.reviewed import reviewed_of, table
from driftbus.consumers.console.screen import Terminal
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import TOPOLOGY
from driftbus.consumers.reference.reviews import Review, output, read
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.review import TAKEN_BACK, ReviewAnswer, ReviewRequest, ReviewSlot
from driftbus.schemas.messages.reviewed import Reviewed

from ..battery.worlds import named
from ..streaming import BEGINNING, configuration, everything, prepare, reference, rows, send

SECONDS = 900
SLOT = 60_000
REVIEW = {"budget": "600 per hour", "slot": "1m", "twice": 0.3}


def chosen(folder: Path, **changes: object) -> Configuration:
    models = {"m0": {"review": REVIEW | changes}, "m1": {}}
    return configuration(artifacts=str(folder), models=models)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[EmbeddedBus]:
    """Two models' traffic, in which there is a gap; people are asked about one of them."""
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen(tmp_path), [reference("m0"), reference("m1")])
    traffic = sorted(rows(SECONDS, ["m0", "m1"], 3, seed=3), key=lambda one: one.time)
    kept = [named(one, number) for number, one in enumerate(traffic) if not 300_000 <= one.time < 480_000]
    send(bus, [one._replace(partition=number % 4) for number, one in enumerate(kept)])
    yield bus
    bus.close()


def finish(bus: Bus, settings: Configuration) -> Pipeline:
    pipeline = Pipeline(bus, settings)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    return pipeline


def reviews(bus: Bus, settings: Configuration) -> list[Review]:
    found = (event for events in everything(bus, settings.topics.reviews).values() for event in events)
    return [said for event in found if (said := read("test", event.key, event.value, event.headers)) is not None]


def requests(bus: Bus, settings: Configuration) -> list[ReviewRequest]:
    return [one for one in reviews(bus, settings) if isinstance(one, ReviewRequest)]


def reviewed(bus: Bus, settings: Configuration) -> dict[str, Reviewed]:
    """The newest by key."""
    found = (event for events in everything(bus, settings.topics.performance).values() for event in events)
    told = [Reviewed.decoded(event.value) for event in found if dict(event.headers)["ce_type"] == b"io.driftbus.reviewed"]
    return {one.key: one for one in told}


def test_every_slot_has_its_cases_and_empty_ones_are_said_too(filled: EmbeddedBus, tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    finish(filled, settings)
    slots = [one for one in reviews(filled, settings) if isinstance(one, ReviewSlot)]
    assert [one.slot for one in slots] == list(range(slots[0].slot, slots[-1].slot + SLOT, SLOT))
    assert sum(one.rows == 0 for one in slots) in (2, 3)
    assert {one.cases for one in slots if one.rows} == {10}
    asked = requests(filled, settings)
    assert {one.model for one in asked} == {"m0"}
    assert len(asked) == len({one.case for one in asked}) == sum(one.cases for one in slots)
    assert sum(one.uniform for one in asked) == sum(one.uniform for one in slots)
    assert 0.25 < sum(one.uniform for one in asked) / len(asked) < 0.4
    assert {one.uniform_probability is None for one in asked if one.uniform} == {False}
    assert all(one.slot - SLOT < one.bucket <= one.slot for one in asked)
    assert all(set(one.shown) == {"amount", "age", "colour"} and one.prediction_id for one in asked)
    uncertain = sum(0.25 < (one.score or 0) < 0.75 for one in asked if not one.uniform) / sum(not one.uniform for one in asked)
    assert uncertain > 0.4  # of all rows a half are, of the weighted sample some .6, within .06


def test_they_estimate_how_many_rows_there_are(filled: EmbeddedBus, tmp_path: Path) -> None:
    """Each stands for one over its probability."""
    settings = chosen(tmp_path)
    finish(filled, settings)
    total = sum(1 / one.probability for one in requests(filled, settings))
    rows_ = sum(one.rows for one in reviews(filled, settings) if isinstance(one, ReviewSlot))
    assert abs(total / rows_ - 1) < 0.5  # a topic's id, and so the sample, is another one in every run


class _AtMost:
    """A bus whose sessions give few records at once."""

    def __init__(self, bus: Bus, most: int) -> None:
        self._bus, self._most = bus, most

    def session(self, role: str, topics: Sequence[str], assignment: Assignment) -> Session:
        return cast(Session, _Few(self._bus.session(role, topics, assignment), self._most))

    def __getattr__(self, name: str) -> object:
        return getattr(self._bus, name)


class _Few:
    def __init__(self, session: Session, most: int) -> None:
        self._session, self._most = session, most

    def consume(self, most: int, timeout_s: float) -> list[Batch]:
        return self._session.consume(min(most, self._most), timeout_s)

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)


@pytest.mark.parametrize("how", ["few at once", "three processes", "deaths"])
def test_who_is_asked_about_what_is_a_function_of_the_log(filled: EmbeddedBus, tmp_path: Path, how: str) -> None:
    settings = chosen(tmp_path)
    copy = EmbeddedBus(":memory:", "test", "a")
    topics = ["scored", settings.topics.models]
    write_recording(filled, topics, tmp_path / "log.jsonl")
    load_recording(copy, tmp_path / "log.jsonl")
    create_topics(copy, settings)
    finish(filled, settings)
    if how == "few at once":
        finish(cast(Bus, _AtMost(copy, 37)), settings)
    elif how == "three processes":
        pipelines = [Pipeline(one, settings) for one in (copy, copy.as_instance("b"), copy.as_instance("c"))]
        running = [pipeline.run_until_end() for pipeline in pipelines]
        while running:
            running = [turns for turns in running if next(turns, None) is not None]
        for pipeline in pipelines:
            pipeline.close()
        finish(copy, settings)
    else:
        for turns in range(1, 14):
            dying = Pipeline(cast(Bus, _AtMost(copy, 60)), settings.model_copy(update={"snapshot_every": 1 if turns % 2 else 180_000}))
            for number, _ in enumerate(dying.run_until_end()):
                if number >= turns % 5 + 1:
                    break
        finish(copy, settings)
    assert reviews(copy, settings) == reviews(filled, settings)
    assert reviewed(copy, settings) == reviewed(filled, settings)
    copy.close()


def test_answers_become_estimates(filled: EmbeddedBus, tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    finish(filled, settings)
    asked = requests(filled, settings)
    answers = [
        ReviewAnswer.of(one, "ada", BEGINNING, skipped="cannot tell") if number % 10 == 0
        else ReviewAnswer.of(one, "ada", BEGINNING, label=number % 4 > 0)
        for number, one in enumerate(asked) if number % 7
    ]  # fmt: skip
    seconds = [ReviewAnswer.of(one, "bob", BEGINNING, label=True) for one in asked if one.again]
    filled.publish([output(settings, one) for one in [*answers, *seconds]])
    finish(filled, settings)
    told = list(reviewed(filled, settings).values())
    assert sum(one.asked for one in told) == len(asked)
    assert all(sum(one.skipped.values()) + one.answered + one.unanswered == one.asked for one in told)
    assert sum(one.unanswered for one in told) < len(asked) / 7 + 1
    assert sum(one.skipped.get("cannot tell", 0) for one in told) > 0
    assert sum(one.pairs for one in told) > 0
    for one in told:
        assert one.all.cases == 0  # there are no predictions, and no labels that say what a score means


def test_what_is_right_is_told_beside_labels_with_its_interval(tmp_path: Path) -> None:
    """A score of a half or more says yes; four in five answers say the same."""
    labels = {"known": {"topics": ["known"], "wait": "1m", "early": "10s"}}
    settings = configuration(artifacts=str(tmp_path), labels=labels, models={"m0": {"labels": "known", "review": REVIEW}})
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [reference("m0")])
    bus.create("known", 1)
    traffic = sorted(rows(900, ["m0"], 3, seed=4), key=lambda one: one.time)
    send(bus, [named(one, number) for number, one in enumerate(traffic)])
    finish(bus, settings)
    asked = requests(bus, settings)
    answers = [
        ReviewAnswer.of(one, "ada", BEGINNING, label=((one.score or 0) >= 0.5) != (number % 5 == 0)) for number, one in enumerate(asked)
    ]
    again = [ReviewAnswer.of(one, "bob", BEGINNING, label=(one.score or 0) >= 0.5) for one in asked if one.again]
    wrong = [ReviewAnswer.of(one, "eve", BEGINNING, label=(one.score or 0) < 0.5) for one in asked]
    back = [ReviewAnswer.of(one, "eve", BEGINNING + 1, skipped=TAKEN_BACK) for one in asked]
    bus.publish([output(settings, one) for one in [*wrong, *back, *answers, *again]])
    finish(bus, settings)
    told = reviewed_of(bus, settings, "m0", None)
    assert sum(one.answered for one in told) == sum(one.asked for one in told) == len(asked)
    assert sum(one.right or 0 for one in told) == sum(number % 5 > 0 for number in range(len(asked)))
    assert sum(one.pairs for one in told) == len(again)
    for one in told:
        for of in (one.all, one.uniform):
            assert of.low is not None
            assert of.high is not None
            assert of.share is not None
            assert of.low < of.share < of.high
            assert abs(of.share - 0.8) < 0.3
        assert one.kappa is not None
        assert one.agreement is not None
        assert one.kappa < one.agreement < 1
    assert reviewed_of(bus, settings, "m0", "7") == []
    Terminal(shown := io.StringIO()).table(table(told))
    assert f"{told[0].all.share:.3f}" in shown.getvalue()
    bus.close()


def test_a_recording_of_reviews_is_folded_as_it_is(filled: EmbeddedBus, tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    finish(filled, settings)
    before = reviews(filled, settings)
    copy = EmbeddedBus(":memory:", "test", "a")
    write_recording(filled, ["scored", settings.topics.models, settings.topics.reviews], tmp_path / "log.jsonl")
    load_recording(copy, tmp_path / "log.jsonl")
    create_topics(copy, settings)
    totals = finish(copy, settings).totals
    assert reviews(copy, settings) == before
    assert totals["cases"] == totals["cases_differing"] == 0
    assert reviewed(copy, settings) == reviewed(filled, settings)
    other = chosen(tmp_path, budget="1200 per hour")
    again = EmbeddedBus(":memory:", "test", "a")
    load_recording(again, tmp_path / "log.jsonl")
    create_topics(again, other)
    assert finish(again, other).totals["cases_differing"] > 0
    assert reviews(again, other) == before
    copy.close()
    again.close()


def test_nobody_is_asked_where_nothing_is_configured(tmp_path: Path) -> None:
    settings = configuration(artifacts=str(tmp_path))
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [reference("m0")])
    send(bus, rows(120, ["m0"], 3))
    finish(bus, settings)
    assert not bus.describe([settings.topics.reviews])
    kinds = {dict(event.headers)["ce_type"] for events in everything(bus, settings.topics.summaries).values() for event in events}
    assert kinds == {b"io.driftbus.pane", b"io.driftbus.progress"}
    not_asked = [node.role for node in TOPOLOGY if not node.asked(settings)]
    folds, hands = ["joiner", "reviewer", "intake", "decider", "learner"], ["evaluator", "launcher", "registrar", "alerter", "server"]
    assert not_asked == ["embedder", *folds, *hands]
    bus.close()


def test_a_topic_of_reviews_that_is_made_again_is_folded_from_its_beginning_and_told_once(filled: EmbeddedBus, tmp_path: Path) -> None:
    """What it asks is estimated, whatever had been said on the old one."""
    settings = chosen(tmp_path)
    finish(filled, settings)
    asked = requests(filled, settings)
    topic = settings.topics.reviews
    filled.delete(topic)
    filled.create(topic, settings.topics.partitions)
    kept = [one for one in asked if one.slot == asked[-1].slot]
    said: list[Review] = [*kept, *(ReviewAnswer.of(one, "ada", BEGINNING, label=True) for one in kept)]
    filled.publish([output(settings, one) for one in said])
    for _ in range(2):
        finish(filled, settings)
        told = [event for events in everything(filled, settings.topics.drift).values() for event in events]
        again = [event.content for event in told if dict(event.headers)["ce_type"] == b"io.driftbus.notice.made_again"]
        assert [one["facts"]["topic"] for one in again] == [topic] * len(again)
        assert len({one["facts"]["partition"] for one in again}) == len(again) > 0
        newest = max(reviewed(filled, settings).values(), key=lambda one: one.about)
        assert (newest.asked, newest.answered) == (len(kept), len(kept))


def test_partitions_beyond_those_configured_are_refused(filled: EmbeddedBus, tmp_path: Path) -> None:
    """Nothing of ours is there, and no snapshot could be."""
    settings = chosen(tmp_path)
    filled.delete(settings.topics.reviews)
    filled.create(settings.topics.reviews, settings.topics.partitions + 1)
    with pytest.raises(BusError, match=rf"topic {settings.topics.reviews} has more than the {settings.topics.partitions} partitions"):
        finish(filled, settings)
