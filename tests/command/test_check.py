"""What `driftbus check` finds."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.bus import snapshots
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import BusError, Output
from driftbus.consumers.command.checks.budgets import enough_buckets, muted_fields, pane_length, rate_of_traffic, smallest_shift
from driftbus.consumers.command.checks.finding import Finding, answered
from driftbus.consumers.command.checks.state import remembered
from driftbus.consumers.reference.artifacts import ArtifactError
from driftbus.schemas.configuration import FalseAlarms, Model, PaneLength
from driftbus.schemas.stored.snapshot import FORM, PartitionState

from ..streaming import configuration, reference
from .conftest import BEGINNING, User, amounts, messages

TEN_SECONDS = PaneLength("time", 10_000)


def test_a_healthy_set_up_is_told_what_it_is(user: User) -> None:
    user.creates()
    user.publishes(messages(amounts(2_000, seed=3)))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    told = user.says("check")
    assert "fraud.scored: 2 partitions, 2,000 records, none read yet" in told
    assert "1,000 of the last 1,000 messages can be read" in told
    assert "amount                       number" in told
    assert "score (result.probability)   number" in told
    assert 'models.fraud.false_alarms: "1 per 1h" is 360 buckets of 10s' in told
    assert "shifts stay unseen below" in told
    user.says("run", "--until-end")
    assert "2,000 records, 0 to read" in user.says("check")


def test_what_is_missing_prevents_running(user: User) -> None:
    told = user.says("check", code=1)
    assert "topic fraud-watch.summaries does not exist: driftbus topics create" in told
    assert "there is no topic fraud.scored on this bus" in told
    assert "Error: 8 of these prevent running" in told


def test_a_topic_without_messages_cannot_be_tried(user: User) -> None:
    user.creates()
    told = user.says("check")
    assert "no message yet" in told
    assert "partition 0, 1 of fraud.scored is empty; with clock: record" in told


@pytest.mark.parametrize(
    ("diagnosis", "told_of"),
    [
        ("{thresholds: {shfit: 0.1}}", "models.fraud.diagnosis.thresholds.shfit: no threshold is called so"),
        ("{calibration: nowhere.json}", "models.fraud.diagnosis.calibration: nowhere.json: "),
        ("{calibration: 'sha256:0000'}", "models.fraud.diagnosis.calibration: sha256:0000: "),
        ("{calibration: train.csv}", "models.fraud.diagnosis.calibration: train.csv: "),
    ],
)
def test_what_a_diagnoser_would_not_start_with_prevents_running(user: User, diagnosis: str, told_of: str) -> None:
    user.creates()
    user.publishes(messages(amounts(10, seed=3)))
    user.configures("false_alarms: 1 per 1h", f"false_alarms: 1 per 1h\n    diagnosis: {diagnosis}")
    assert f"wrong {told_of}" in user.says("check", code=1)
    assert told_of in user.says("run", "--until-end", code=1)


def test_a_mapping_that_finds_no_model_prevents_running(user: User) -> None:
    user.creates()
    user.publishes(messages(amounts(10, seed=3)))
    user.configures("model: model.name", "model: modell")
    told = user.says("check", code=1)
    assert "0 of the last 10 messages can be read; see streams.predictions.mapping" in told
    assert "fraud.scored[0]@0: modell: " in told


def test_a_mapping_that_finds_no_features_is_told(user: User) -> None:
    user.creates()
    user.publishes(messages(amounts(10, seed=3)))
    user.configures("payload.features", "payload.featurs")
    told = user.says("check", code=1)
    assert "features (payload.featurs): nothing there in any message; see streams.predictions.mapping.features" in told


def test_invalid_fields_are_told_with_their_place(user: User) -> None:
    user.creates()
    bad = {"model": {"name": "fraud", "version": "1"}, "payload": {"features": {"amount": "12,50", "country": "NZ"}}}
    good = messages(amounts(10, seed=3))
    user.publishes([*good, Output("fraud.scored", 0, None, json.dumps(bad).encode(), (), BEGINNING + 1_000)])
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    assert 'invalid field fraud.scored[0]@5: payload.features.amount: "12,50" is not a number' in user.says("check")


def test_fields_that_no_message_has_are_told(user: User) -> None:
    user.creates()
    user.publishes(messages(amounts(10, seed=3)))
    train = Path("train.csv")
    train.write_text(train.read_text().replace("at,amount,", "at,annual_amount,"))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    assert "in the reference, but in none of 10 messages: annual_amount (messages have 'amount')" in user.says("check", code=1)


def test_settings_of_features_that_are_not_there_are_told(user: User) -> None:
    user.creates()
    user.publishes(messages(amounts(10, seed=3)))
    user.configures("features: {session: ignore}", "features: {session: ignore, amonut: {min_effect: 0.1}}")
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    assert "models.fraud.features.amonut: fraud/1 has no such feature" in user.says("check")


@pytest.mark.parametrize(("rows_per_s", "told"), [(1.0, False), (5.0, False), (120.0, True), (0.01, True), (None, False)])
def test_a_reference_of_another_rate_than_the_traffic_is_told(rows_per_s: float | None, told: bool) -> None:
    found = [text for _, text in rate_of_traffic(reference("m"), Model(), rows_per_s)]
    assert [f"set models.m.rate: {rows_per_s:g}" in text for text in found] == ([True] if told else [])


def test_the_least_effect_of_a_feature_is_its_own() -> None:
    own = Model.model_validate({"features": {"amount": {"min_effect": 0.5}}})
    told = [next(iter(smallest_shift(reference("m"), settings))).text for settings in (Model(), own)]
    assert told[0] != told[1]


def test_too_short_a_budget_prevents_running(user: User) -> None:
    user.creates()
    user.configures("1 per 1h", "1 per 10m")
    assert '"1 per 10m" is 60 buckets of 10s; it must be at least 100' in user.says("check", code=1)


def test_a_budget_in_rows_needs_a_rate() -> None:
    in_rows = Model(false_alarms=FalseAlarms(100_000, "rows"))
    assert not list(enough_buckets("m", in_rows, TEN_SECONDS, None)), "without a reference nothing can be said yet"
    timeless = reference("m").model_copy(update={"first": None, "last": None})
    ((level, text),) = smallest_shift(timeless, in_rows)
    assert level == "wrong"
    assert "set models.m.rate" in text


@pytest.mark.parametrize(("rows_per_s", "proposed"), [(20.0, None), (2.0, "1m"), (0.5, "5m"), (0.01, "6h"), (1e-6, "month"), (None, None)])
def test_a_pane_with_few_rows_should_be_longer(rows_per_s: float | None, proposed: str | None) -> None:
    told = [text for _, text in pane_length("s", TEN_SECONDS, rows_per_s)]
    assert [f"{proposed} would hold" in text for text in told] == ([] if proposed is None else [True])


def test_a_smaller_reference_sees_less() -> None:
    unseen = [next(iter(smallest_shift(reference("m", rows=rows), Model()))).text for rows in (1_000, 100_000)]
    shifts = [float(text.split("below ")[1].split()[0]) for text in unseen]
    assert shifts[0] > shifts[1]
    assert np.isfinite(shifts).all()


def refused(error: Exception) -> Iterator[Finding]:
    yield Finding("ok", "so far")
    raise error


@pytest.mark.parametrize(
    "error",
    [ArtifactError("artifacts: ./a has no sha256:ab"), BusError("group a-profiler: not authorized (GROUP_AUTHORIZATION_FAILED)")],
)
def test_a_refusal_is_a_finding(error: Exception) -> None:
    (_, (level, text)) = answered(refused(error))
    assert level == "wrong"
    assert text.startswith(str(error))


def test_a_bus_that_does_not_answer_is_not_asked_again() -> None:
    with pytest.raises(BusError):
        list(answered(refused(BusError("describing topic driftbus.drift: Timed out (_TIMED_OUT)"))))


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ({"age": "ignore"}, "m0/1: age: ignored, so not tested; counted until its reference is built anew"),
        ({"a*": "ignore"}, "m0/1: amount, age: ignored, so not tested; counted until its reference is built anew"),
        ({"a*": "ignore", "amount": {"ignore": False}}, "m0/1: age: ignored, so not tested; counted until its reference is built anew"),
        ({"age": {"min_effect": 0.1}}, None),
        ({"nothing": "ignore"}, None),
    ],
)
def test_what_is_muted_is_told(features: dict[str, object], told: str | None) -> None:
    found = [text for _, text in muted_fields(reference("m0"), Model.model_validate({"features": features}))]
    assert found == ([] if told is None else [told])


@pytest.mark.parametrize("how", ["amount: ignore", "'a*': ignore", "'*': ignore, country: {ignore: false}"])
def test_a_muted_field_is_listed_as_ignored_and_not_missed(user: User, how: str) -> None:
    user.creates()
    without = [one._replace(value=(one.value or b"").replace(b'"amount"', b'"other"')) for one in messages(amounts(10, seed=3))]
    user.publishes(without)
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.configures("features: {session: ignore}", f"features: {{{how}}}")
    told = user.says("check")
    assert "  amount                       ignored: models.fraud.features" in told
    assert "100.0% present  2 categories: NZ, PE" in told
    assert "in the reference, but in none of" not in told


def test_panes_by_rows_beside_panes_by_time_prevent_running(user: User) -> None:
    """They have no common clock; what a detector remembers is of the former."""
    user.configures("1 per 1h", "1 per 100000 rows")
    user.configures("application: fraud-watch", "application: fraud-watch\nsnapshot_every: 1ms")
    user.creates(1)
    user.publishes([one._replace(partition=0) for one in messages(amounts(300, seed=3))])
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.says("run", "--until-end")
    user.configures("pane: 10s", "pane: 500 rows")
    refusal = "streams.predictions.pane: was 10s, and cannot become 500 rows: take a new name of the application"
    assert refusal in user.says("check", code=1)
    user.publishes([one._replace(partition=0, timestamp=(one.timestamp or 0) + 30_000) for one in messages(amounts(10, seed=4))])
    assert refusal in user.says("run", "--until-end", code=1)


@pytest.mark.parametrize(
    ("before", "now", "refused"),
    [
        ("10s", "10s", False),
        ("10s", "1m", False),
        ("500 rows", "100 rows", False),
        ("10s", "500 rows", True),
        ("500 rows", "10s", True),
        ("500 rows", "month", True),
    ],
)
def test_what_a_detector_remembers_is_compared_once_for_all_partitions(before: str, now: str, refused: bool) -> None:
    chosen = configuration(stream={"pane": now}, models={"m0": {"false_alarms": "1 per 100000 rows"}}, topics={"partitions": 3})
    bus = EmbeddedBus(":memory:", "test", "one")
    assert not list(remembered(bus, chosen))
    bus.create(chosen.topics.snapshots, 3, settings={"cleanup.policy": "compact"})
    for partition in range(3):
        kept = PartitionState(
            form=FORM, position=1, states=(), aligners={}, pending=(), fold={"panes": {"predictions": before, "gone": "1h"}}
        )
        bus.publish(snapshots.written(chosen, "detector", partition, kept, {}).records)
    assert [level for level, _ in remembered(bus, chosen)] == (["wrong"] if refused else [])


def test_episodes_of_a_stream_that_was_taken_out_are_told(user: User) -> None:
    user.configures("application: fraud-watch", "application: fraud-watch\nsnapshot_every: 1ms")
    user.creates()
    user.publishes(messages(amounts(600, seed=3, shifted_from=300)))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.says("run", "--until-end")
    assert "are open" not in user.says("check")
    user.configures("  predictions:", "  others:")
    assert "streams.predictions: is no longer there, and 1 episodes of fraud are open" in user.says("check")
