"""What people say by command, and what is read of it."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.console.incidents import answered, said
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference import feedback as saying
from driftbus.detectors.diagnosis.calibration import ENOUGH
from driftbus.schemas.messages.coincidence import Coincidence
from driftbus.schemas.messages.feedback import Feedback
from driftbus.schemas.messages.root_cause import Impact, Mitigation, Onset, RetrainGate, RootCauseEvent, Scope, WindowCounts

from ..command.conftest import User, user  # noqa: F401  # a fixture
from ..streaming import everything

DAY = "2023-11-15"
FIRST = "1111111111111111" + "0" * 16


def cause(incident: str, revision: int, confidence: float = 0.7, **fields: Any) -> RootCauseEvent:
    """As the diagnoser says it."""
    return RootCauseEvent(
        **{
            "application": "fraud-watch", "incident": incident, "revision": revision, "status": "suspected", "model": "fraud",
            "version": "1", "stream": "predictions", "reference": "r", "complete": True, "clock_decided": False,
            "configuration": "c", "engine": "1",
            "cause": "data_drift", "subtype": "", "scope": Scope(features=("amount",)), "onset": Onset(window=(0, 1), shape="abrupt"),
            "run": 1_700_000_000_000 + revision, "confidence": confidence, "windows": WindowCounts(baseline=24, since_onset=1, rows=500),
            "impact": Impact(harm="unknown"), "mitigation": Mitigation(action="fine_tune"),
            "retrain_gate": RetrainGate(decision="hold", because="b"), "text": "t",
        }
        | fields
    )  # fmt: skip


def publishes(*events: RootCauseEvent) -> None:
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        topics = configuration.topics
        bus.publish([addressed(configuration, topics.root_causes, one, partition_of(one.model, topics.partitions)) for one in events])


@pytest.fixture
def watching(user: User) -> User:  # noqa: F811  # the fixture
    user.creates()
    publishes(cause(FIRST, 1), cause(FIRST, 2, status="confirmed"), cause("1111111122222222" + "0" * 16, 1, cause="model_broken"))
    return user


def test_an_incident_is_named_by_its_beginning_and_the_last_word_on_it_is_listed(watching: User) -> None:
    assert "nothing has been said" in watching.says("feedback", "list")
    told = watching.says("feedback", "11111111111", "confirm", "--by", "ann")
    assert told.endswith(" (data_drift of fraud/1): confirmed\n")
    watching.says("feedback", "reject", FIRST, "--cause", "feature_drift", "--note", "a\x1b[31m | b", "--at", "2023-11-15T00:00:00Z")
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        [((model, incident), one)] = said(bus, configuration).items()
    assert model == "fraud"
    assert (incident, one.word.answer, one.word.cause, one.time) == (FIRST, "reject", "feature_drift", 1_700_006_400_000)
    listed = watching.says("feedback", "list")
    assert "reject" in listed
    assert "\x1b" not in listed


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("11111111", "confirm"), "2 incidents begin so"),
        (("ffff", "confirm"), "there is no such incident on fraud-watch.root-causes"),
        ((FIRST, "perhaps"), "No such command 'perhaps'"),
        ((FIRST, "confirm", "--cause", "model_broken"), "if it is model_broken instead: reject --cause model_broken"),
        ((FIRST, "confirm", "--note", "x" * 2_001), "note: a note of 2,001 characters; at most 2,000 are read"),
        ((FIRST, "confirm", "--by", "\0"), "by: a name with U+0000 in it"),
        ((FIRST, "confirm", "--at", "soon"), "--at soon"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_write(watching: User, words: tuple[str, ...], reason: str) -> None:
    told = watching.says("feedback", *words, code=2 if "begin" not in reason and "no such" not in reason else 1)
    assert reason in " ".join(told.split())
    assert "nothing has been said" in watching.says("feedback", "list")


@pytest.mark.parametrize(
    ("words", "right"),
    [
        pytest.param([("confirm", "fraud"), ("reject", "other")], True, id="on an incident of another model"),
        pytest.param([("reject", "other")], None, id="on that alone"),
        pytest.param([("confirm", "fraud"), ("reject", "fraud"), ("confirm", "fraud")], False, id="again, without a time"),
        pytest.param([("confirm", "fraud"), ("reject", "fraud")], False, id="the contrary"),
    ],
)
def test_a_word_counts_for_a_calibration_as_for_the_diagnoser(watching: User, words: list[tuple[str, str]], right: bool | None) -> None:
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        for answer, model in words:
            saying.tell(bus, configuration, Feedback.of({"model": model, "incident": FIRST, "answer": answer, "by": "ann"}))
        found = answered(bus, configuration)
    assert [one.right for one in found] == ([] if right is None else [right])


def test_a_calibration_is_made_of_what_was_told_when_people_spoke_and_named_by_its_hash(watching: User) -> None:
    told = watching.says("feedback", "calibrate", code=1)
    assert f"of no cause there are {ENOUGH} answers" in " ".join(told.split())
    ids = [f"{number:032x}" for number in range(ENOUGH)]
    publishes(*(cause(one, revision, 0.5 + number / 100 + revision / 10) for number, one in enumerate(ids) for revision in (1, 2)))
    for number, one in enumerate(ids):
        watching.says("feedback", one, "confirm" if number % 3 else "reject", "--at", "2023-11-14T22:13:20.001Z")
    told = watching.says("feedback", "calibrate")
    assert f"data_drift: {ENOUGH} answers, 20 confirmed" in told
    name = told.split()[-1]
    [stored] = Path(load().artifacts, "calibrations").iterdir()
    assert stored.name == f"{name.replace(':', '-')}.json"
    assert '"scores":[0.6,0.61,' in stored.read_text(), "of the first revision, not of the one that came later"
    assert watching.says("feedback", "calibrate") == told
    watching.configures("    false_alarms: 1 per 1h", f"    false_alarms: 1 per 1h\n    diagnosis: {{calibration: '{name}'}}")
    watching.says("status")


def test_what_was_released_is_told_under_a_key_that_follows_from_it(watching: User) -> None:
    told = watching.says("coincident", "feature_version", "amounts 4.2", "--source", "shop", "--features", "amount, country", "--at", DAY)
    assert told == "amounts 4.2: feature version of shop\n"
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        [record] = [one for one in everything(bus, configuration.topics.models)[0] if (one.key or b"").startswith(b"coincident/")]
    found = Coincidence.decoded(record.value)
    assert (found.source, found.features, found.model, found.time) == ("shop", ("amount", "country"), None, 1_700_006_400_000)
    assert record.key == b"coincident/feature_version/amounts%204.2/fraud-watch"
    assert "add --at TIME" in " ".join(watching.says("coincident", "release", "web 7", code=2).split())
