"""What was live on Kafka, with jobs, golden sets and alerts, is replayed: nothing is opened, nothing started, and jobs are the same."""

import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline, wall_ms
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.golden_records import ask
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.root_cause import Onset, RetrainGate

from ..actions.test_command import allowed
from ..alerter.alertmanagers import Alertmanager, alertmanager
from ..golden.worlds import FUNCTION, asking, evaluations, stored
from ..launcher.receivers import Receiver, receiving
from ..streaming import everything
from ..waiting import until
from .guarded import ENDED

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[2]
ROLES = ("intake", "decider", "evaluator", "launcher", "alerter")


def settings_of(address: str, folder: Path, receiver: Receiver, server: Alertmanager) -> Configuration:
    application = f"acts-{uuid.uuid4().hex[:8]}"
    run = [sys.executable, "-I", "-S", "-c", f"open({str(folder / 'ran')!r}, 'a').write('x')"]
    cause: dict[str, Any] = {"when": "cause", "cooldown": 0, "per_day": 9}
    written = {
        "application": application,
        "kafka": {"bootstrap.servers": address},
        "artifacts": str(folder / "artifacts"),
        "topics": {"partitions": 2},
        "streams": {"predictions": {"topics": [f"{application}.scored"], "pane": "10s"}},
        "models": {
            "fraud": {"retrain": {"drifted": {**cause, "on": "command"}}, "golden": {"call": FUNCTION}},
            "eta": {"retrain": {"drifted": {**cause, "on": "webhook"}}},
        },
        "launchers": {
            "command": {"command": {"run": run, "spool": str(folder / "spool")}},
            "webhook": {"webhook": {"url": f"{receiver.address}/hooks"}},
        },
        "alerts": {"oncall": {"alertmanager": {"url": server.address}}},
    }
    (folder / "driftbus.yaml").write_text(yaml.safe_dump(written))
    return load(folder / "driftbus.yaml")


def says(folder: Path, *words: str, guarded: bool = True) -> subprocess.CompletedProcess[str]:
    """What a process of its own answers."""
    called = ["-m", "tests.kafka.guarded"] if guarded else ["-c", "from driftbus.consumers.command.main import main; main()"]
    command = [sys.executable, *called, *words, "--config", str(folder / "driftbus.yaml")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def of_jobs(bus: Bus, settings: Configuration) -> list[str]:
    """The topic of retrains, as it is written, partition by partition."""
    told = everything(bus, settings.topics.retrain)
    return [event.value.decode() for number in sorted(told) for event in told[number]]


def lives(bus: KafkaBus, settings: Configuration, server: Alertmanager) -> None:
    """A job by a command, one by a webhook, a fault that forbids, a golden evaluation, and alerts of them."""
    bus.create(settings.streams["predictions"].topics[0], 2)
    create_topics(bus, settings)
    golden = stored(settings, model="fraud")
    with closing(Pipeline(bus, settings, ROLES)) as pipeline:
        lying = {partition_of(model, settings.topics.partitions) for model in settings.models}
        until(lambda: (pipeline.turn(), lying <= everything(bus, settings.topics.actions).keys())[1], 120)
        now = wall_ms()
        one = allowed().model_copy(update={"application": settings.application, "onset": Onset(window=(now - 1, now), shape="abrupt")})
        gate = RetrainGate(decision="forbid", because="it comes in another unit", blocked_by=("3" * 32,))
        for number, model in enumerate(("fraud", "eta", "eta")):
            forbids = {"retrain_gate": gate, "cause": "feature_recalibration"} if number == 2 else {}
            said = one.model_copy(update={"model": model, "incident": str(number + 1) * 32, "run": wall_ms(), **forbids})
            place = partition_of(model, settings.topics.partitions)
            bus.publish([addressed(settings, settings.topics.root_causes, said, place)])
            alerts, ends = number + 1, min(number + 1, 2)
            until(lambda: (pipeline.turn(), len(server.active()) == alerts)[1], 120)  # noqa: B023  # called at once
            until(lambda: (pipeline.turn(), "".join(of_jobs(bus, settings)).count('"state":"succeeded"') == ends)[1], 120)  # noqa: B023  # as above
        ask(bus, settings, [asking(settings, golden, "asked", model="fraud")])
        until(lambda: (pipeline.turn(), len(evaluations(bus, settings, "fraud")) == 1)[1], 120)
        until(lambda: (pipeline.turn(), "".join(of_jobs(bus, settings)).count('"succeeded"') >= 2)[1], 120)


def test_a_replay_opens_no_socket_starts_no_process_and_asks_for_the_same_jobs(kafka: str, tmp_path: Path) -> None:
    with receiving("204") as receiver, alertmanager() as server:
        settings = settings_of(kafka, tmp_path, receiver, server)
        ran = tmp_path / "ran"
        with closing(KafkaBus(settings.kafka, settings.application, "one")) as bus:
            lives(bus, settings, server)
            live = of_jobs(bus, settings)
        recorded = says(tmp_path, "record", str(tmp_path / "all.jsonl"), guarded=False)
        assert recorded.returncode == 0, recorded.stderr
        acted = len(receiver.calls), len(server.posts), ran.read_text()
        replayed = says(tmp_path, "replay", str(tmp_path / "all.jsonl"), "--jobs", str(tmp_path / "jobs.jsonl"))
        assert replayed.returncode == 0, replayed.stderr
        assert "sockets []" in replayed.stderr
        assert (tmp_path / "jobs.jsonl").read_text().splitlines() == live
        assert "not those of the recording" not in replayed.stdout + replayed.stderr
        assert (len(receiver.calls), len(server.posts), ran.read_text()) == acted == (1, acted[1], "x")


def test_whatever_acts_would_be_seen(kafka: str, tmp_path: Path) -> None:
    """The guard itself: a socket of ours, and a client of Kafka's."""
    with receiving("204") as receiver, alertmanager() as server:
        settings_of(kafka, tmp_path, receiver, server)
        for words, what in ((["alerts", "test", "oncall"], "socket."), (["topics", "list"], "a client of Kafka")):
            seen = says(tmp_path, *words)
            assert seen.returncode == ENDED
            assert f"forbidden: {what}" in seen.stderr
        assert server.posts == []
