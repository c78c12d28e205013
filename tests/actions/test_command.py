"""What people say of jobs by command, through the bus."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.main import main
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import load
from driftbus.schemas.messages.job import MOST_WHY, JobStatus
from driftbus.schemas.messages.root_cause import Impact, Mitigation, Onset, RetrainGate, RootCauseEvent, Scope, WindowCounts

from ..command.conftest import CONFIGURATION, User, user  # noqa: F401  # a fixture
from ..streaming import everything

INCIDENT = "1" * 32
RETRAIN = """\
    retrain:
      drifted: {when: cause, approval: true, cooldown: 0, on: trainer}
      asked: {when: person, cooldown: 0, on: trainer}
launchers:
  trainer: {command: {run: [python, fit.py]}}
"""


def allowed() -> RootCauseEvent:
    """A confirmed cause of which the gate allows it."""
    return RootCauseEvent(
        application="fraud-watch", incident=INCIDENT, revision=1, status="confirmed", model="fraud", version="7", stream="predictions",
        reference="r", complete=True, clock_decided=False, configuration="c", engine="1", cause="data_drift", subtype="",
        scope=Scope(features=("amount",)), onset=Onset(window=(0, 1), shape="abrupt"), run=1_700_000_000_000, confidence=0.95,
        windows=WindowCounts(baseline=24, since_onset=1, rows=500, labelled=1_200), impact=Impact(harm="harmful"),
        mitigation=Mitigation(action="retrain"), retrain_gate=RetrainGate(decision="allow", because="b", actions=("fine_tune",)), text="t",
    )  # fmt: skip


def refused(user: User, *words: str) -> str:  # noqa: F811  # the fixture
    """What a command answers that it does not do."""
    told = CliRunner().invoke(main, list(words))
    assert told.exit_code in (1, 2), told.output
    return told.output


def publishes(*outputs: Output) -> None:
    with closing(open_bus(load())) as bus:
        bus.publish(list(outputs))


def decides() -> None:
    """The intake and the decider, to the end of what there is."""
    configuration = load()
    with closing(open_bus(configuration)) as bus, closing(Pipeline(bus, configuration, ("intake", "decider"))) as pipeline:
        for _ in pipeline.run_until_end():
            pass


@pytest.fixture
def asking(user: User) -> User:  # noqa: F811  # the fixture
    Path("driftbus.yaml").write_text(CONFIGURATION + RETRAIN)
    user.creates()
    configuration = load()
    topics = configuration.topics
    assert "no job has been asked for" in user.says("jobs", "list")
    publishes(addressed(configuration, topics.root_causes, allowed(), partition_of("fraud", topics.partitions)))
    decides()
    return user


def states(user: User) -> list[str]:  # noqa: F811  # the fixture
    return [json.loads(line)["state"] for line in user.says("jobs", "list", "--json").splitlines()]


def job(user: User) -> str:  # noqa: F811  # the fixture
    return str(json.loads(user.says("jobs", "list", "--json").splitlines()[-1])["job"])


def test_a_job_is_approved_runs_and_reports(asking: User) -> None:
    assert states(asking) == ["awaiting_approval"]
    name = job(asking)
    assert "awaiting approval" in asking.says("jobs", "list", "fraud", "--open")
    assert "was not launched" in refused(asking, "jobs", "show", name, "--json")
    asking.says("jobs", "approve", name[:8], "--by", "ann", "--note", "go")
    decides()
    request = json.loads(asking.says("jobs", "show", name, "--json"))
    assert (request["action"], request["approved_by"], request["trigger"]["id"]) == ("fine_tune", "ann", INCIDENT)
    assert "awaits no approval: it is requested" in refused(asking, "jobs", "approve", name, "--by", "ann")
    asking.says("jobs", "report", name, "started", "--by", "trainer")
    asking.says("jobs", "report", name, "succeeded", "--detail", "exit 0")
    decides()
    assert states(asking) == ["succeeded"]
    shown = asking.says("jobs", "show", name)
    assert "approve by ann: go" in shown
    assert "succeeded: exit 0" in shown
    assert "is succeeded: its report would change nothing" in refused(asking, "jobs", "report", name, "failed")


def test_what_is_rejected_is_not_asked_for_again_and_a_person_may_ask_for_another(asking: User) -> None:
    asking.says("jobs", "reject", job(asking), "--by", "ann")
    asking.says("jobs", "request", "fraud", "asked", "--by", "bob", "--id", "r1")
    asking.says("jobs", "request", "fraud", "asked", "--by", "bob", "--id", "r1")
    decides()
    assert states(asking) == ["rejected", "requested"]
    asking.says("jobs", "cancel", job(asking), "--by", "bob")
    decides()
    assert states(asking) == ["rejected", "cancelling"]
    assert "drifted" in refused(asking, "jobs", "request", "fraud", "nothing", "--by", "bob")


LONG = "x" * 300


@pytest.mark.parametrize(
    ("words", "option", "value"),
    [
        (("approve", "{job}", "--by", ""), "--by", "''"),
        (("reject", "{job}", "--by", "a\0b"), "--by", "x00b"),
        (("cancel", "{job}", "--by", LONG * 2), "--by", "600 characters"),
        (("approve", "{job}", "--by", "ann", "--note", LONG * 7), "--note", "2,100 characters"),
        (("cancel", "{job}", "--by", "ann", "--note", "\udcff"), "--note", "udcff"),
        (("report", "{job}", "failed", "--by", ""), "--by", "''"),
        (("request", "fraud", "asked", "--by", ""), "--by", "''"),
        (("request", "fraud", "asked", "--by", "bob", "--id", LONG), "--id", "300 characters"),
        (("request", "fraud", "asked", "--by", "bob", "--id", ""), "--id", "''"),
        (("request", "fraud", "asked", "--by", "bob", "--note", LONG * 7), "--note", "2,100 characters"),
        (("adopt", "trainer", "--by", "ann", "--spool", ""), "--spool", "''"),
        (("adopt", "trainer", "--by", "ann", "--spool", LONG), "--spool", "300 characters"),
        (("adopt", "trainer", "--by", "", "--spool", "s"), "--by", "''"),
    ],
)
def test_what_no_fact_may_hold_is_refused_by_option_and_value(asking: User, words: tuple[str, ...], option: str, value: str) -> None:
    before = facts()
    told = refused(asking, "jobs", *(word.format(job=job(asking)) for word in words))
    assert f"Invalid value for '{option}': " in told
    assert value in told
    assert "x" * 100 not in told
    assert facts() == before


def failed() -> JobStatus:
    """The status of the one that did."""
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        told = everything(bus, configuration.topics.retrain)
    (found,) = [one.value for events in told.values() for one in events if dict(one.headers)["ce_type"] == b"io.driftbus.job.failed"]
    return JobStatus.decoded(found)


def facts() -> int:
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        return sum(map(len, everything(bus, configuration.topics.actions).values()))


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        (LONG * 2, LONG),
        ("x" * 499 + "é" * 2, "x" * 400),
        ("\udcff half", "\\udcff half"),
        ("Traceback:\n  x\0", "Traceback"),
        ("", "as it was"),
    ],
)
def test_whatever_a_program_says_of_its_end_is_reported(asking: User, detail: str, told: str) -> None:
    asking.says("jobs", "approve", job(asking), "--by", "ann")
    decides()
    name = job(asking)
    asking.says("jobs", "report", name, "failed", "--detail", detail)
    decides()
    assert states(asking)[0] == "failed"
    end = failed()
    assert end.job == name
    assert end.cause.startswith(told)
    assert len(end.cause) <= MOST_WHY


def test_a_report_that_changes_nothing_says_what_holds(asking: User) -> None:
    before = facts()
    for state in ("succeeded", "started", "lost", "cancelled"):
        assert "awaits approval, so nothing of it runs: its report would change nothing" in refused(
            asking, "jobs", "report", job(asking), state
        )
    assert facts() == before
    asking.says("jobs", "approve", job(asking), "--by", "ann")
    decides()
    assert "stays" not in asking.says("jobs", "report", job(asking), "started")
    decides()
    assert "started; it stays started" in asking.says("jobs", "report", job(asking), "started")
    asking.says("jobs", "cancel", job(asking), "--by", "ann")
    decides()
    assert "started; it stays cancelling" in asking.says("jobs", "report", job(asking), "started")
    decides()
    assert states(asking) == ["cancelling"]


def test_another_folder_is_adopted_and_what_ran_in_the_former_one_is_lost(asking: User) -> None:
    asking.says("jobs", "reject", job(asking), "--by", "ann")
    asking.says("jobs", "request", "fraud", "asked", "--by", "bob")
    decides()
    assert "open jobs that are lost: 1" in asking.says("jobs", "adopt", "trainer", "--spool", "s2", "--by", "ann")
    decides()
    assert states(asking) == ["rejected", "lost", "requested"], "the second attempt"
    assert "trainer" in refused(asking, "jobs", "adopt", "other", "--spool", "s2", "--by", "ann")


def test_a_job_that_is_none_is_named(asking: User) -> None:
    assert "there is no such job on fraud-watch.retrain" in refused(asking, "jobs", "show", "ffff")


def test_any_client_may_write_a_fact_and_what_it_gets_wrong_is_a_dead_letter(asking: User) -> None:
    name = job(asking)
    right = {"kind": "approve", "model": "fraud", "job": name, "by": "carl"}
    topic, partition = "fraud-watch.actions", partition_of("fraud", load().topics.partitions)
    wrong = [right | {"kind": "aprove"}, right | {"job": "x"}, [], {"kind": "tick", "model": "-"}]
    publishes(*(Output(topic, partition, b"fraud", json.dumps(value).encode(), ()) for value in (*wrong, right)))
    decides()
    assert states(asking) == ["requested"]
    with closing(open_bus(load())) as bus:
        letters = everything(bus, "fraud-watch.dead-letter")
    assert sum(map(len, letters.values())) == len(wrong)


def test_a_policy_that_could_never_start_is_named_by_its_whole_path(user: User) -> None:  # noqa: F811  # the fixture
    for written, reason in (
        ("{when: cause, on: nobody}", "models.fraud.retrain.drifted.on: 'nobody' is not among launchers: trainer"),
        ("{when: labels, new_labels: 5}", "models.fraud.retrain.drifted.when: labels needs labels"),
        ("{when: labels}", "models.fraud.retrain.drifted: new_labels: when: labels needs it"),
        ("{when: cause, cron: '0 3 * * 0'}", "models.fraud.retrain.drifted: cron: is of when: schedule, not of cause"),
        (
            "{when: person, data: {window: 99999999d}}",
            "drifted.data.window: '99999999d': input should be less than or equal to",
        ),
        ("{when: person, data: {window: 0}}", "drifted.data.window: 0: input should be greater than or equal to 1"),
        ("{when: schedule, cron: 'noon'}", 'models.fraud.retrain.drifted.cron: "noon" is not a cron line'),
    ):
        Path("driftbus.yaml").write_text(
            CONFIGURATION + RETRAIN.replace("{when: cause, approval: true, cooldown: 0, on: trainer}", written)
        )
        assert reason in refused(user, "check"), written
