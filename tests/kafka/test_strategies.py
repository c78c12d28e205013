"""Programs that have nothing of ours: of the three ways to retrain, each as its page has it, and one that acts on whatever is said."""

import json
from pathlib import Path

import pytest

from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.messages.drift import ToldPerformance
from driftbus.schemas.messages.root_cause import Onset, RetrainGate

from ..actions.test_command import allowed
from ..test_schemas import EVENT
from ..waiting import until
from .strategies import ROOT, blocks, running

pytestmark = pytest.mark.kafka
MINUTE = 60_000


def test_by_time(kafka: str, tmp_path: Path) -> None:
    """Two instants, and a program that is killed behind the first."""
    (written,), (script,) = blocks("strategies/time.md", "yaml"), blocks("strategies/time.md", "python")
    now = wall_ms() // MINUTE
    # the log's clock does not leap with ours, which may be ahead of it by some minutes, not by a night
    soon = written.replace("cooldown: 1h", "cooldown: 0").replace("0 3 * * *", f"{(now + 5) % 60},{(now + 10) % 60} * * * *")
    assert soon.count("* * * *") == 1
    with running(kafka, tmp_path, soon) as one:
        one.begins()
        program = one.starts(script)
        one.ahead = 6 * MINUTE
        one.turns_until("requested", "started", "succeeded")
        program.kill()
        program.wait()
        one.programs.clear()
        one.starts(script)
        one.ahead = 11 * MINUTE
        one.turns_until(*["requested", "started", "succeeded"] * 2)
        first, second = one.requests()
        assert [request.trigger.kind for request in (first, second)] == ["schedule"] * 2
        assert {request.job for request in (first, second)} <= {file.name for file in tmp_path.iterdir()}
        assert first.data.include[0].since is not None


def test_by_event_and_a_fault_that_is_found_meanwhile_ends_it(kafka: str, tmp_path: Path) -> None:
    (written,), (script,) = blocks("strategies/event.md", "yaml"), blocks("strategies/event.md", "python")
    with running(kafka, tmp_path, written, fit="import time; time.sleep(600)") as one:
        one.begins()
        one.starts(script)
        now = wall_ms()
        drifted = allowed().model_copy(update={"run": now, "onset": Onset(window=(now - 1, now), shape="abrupt")})
        one.says(drifted)
        one.turns_until("requested", "started")
        [request] = one.requests()
        assert (request.trigger.kind, request.trigger.cause, request.trigger.features) == ("cause", "data_drift", ("amount",))
        gate = RetrainGate(decision="forbid", because="amount comes in another unit", blocked_by=("2" * 32,))
        fault = {"incident": "2" * 32, "cause": "feature_recalibration", "retrain_gate": gate, "run": wall_ms()}
        one.says(drifted.model_copy(update=fault))
        states = one.turns_until("requested", "started", "cancelling", "cancelled")
        assert [(state.state, state.by) for state in states][-1] == ("cancelled", "by event")


def test_by_performance(kafka: str, tmp_path: Path) -> None:
    """Killed when it has learnt, and before anybody knows: it learns from a job once."""
    (written,), (script,) = blocks("strategies/performance.md", "yaml"), blocks("strategies/performance.md", "python")
    with running(kafka, tmp_path, written) as one:
        one.begins()
        dies = script.replace("learn_on(request)\n            ", "learn_on(request)\n                os._exit(1)\n            ")
        assert dies != script
        worse = EVENT.model_copy(
            update={
                "kind": "performance",
                "bucket": (iso(wall_ms() - 10_000), iso(wall_ms())),
                "onset": iso(wall_ms() - 60_000),
                "performance": ToldPerformance(metric="accuracy", was=0.9, now=0.8),
            }
        )
        one.says(worse)
        one.turns_until("requested")
        program = one.starts(dies)
        program.wait(60)
        one.programs.clear()
        one.starts(script)
        one.turns_until("requested", "started", "succeeded")
        [request] = one.requests()
        assert request.action == "online_update"
        assert json.loads((tmp_path / "model.json").read_text()) == {"updates": 1, "jobs": [request.job]}


def test_a_subscriber_with_nothing_but_a_client_and_the_schemas(kafka: str, tmp_path: Path) -> None:
    """It is killed, and begins again: it acts on each thing once, and its word is heard."""
    with running(kafka, tmp_path, "models: {eta: {retrain: {drifted: {when: cause}}}}") as one:
        one.begins()
        script = (ROOT / "tests/kafka/subscriber.py").read_text()
        program = one.starts(script)
        now = wall_ms()
        for severity in ("minor", "major"):
            one.says(EVENT.model_copy(update={"episode": severity, "severity": severity}))
        until(lambda: (tmp_path / "acted").exists(), 60)
        program.kill()
        program.wait()
        one.programs.clear()
        one.says(allowed().model_copy(update={"run": now, "onset": Onset(window=(now - 1, now), shape="abrupt")}))
        one.starts(script)
        [*_, last] = one.turns_until("requested", "succeeded")
        assert last.by == "somebody"
        [request] = one.requests()
        acted = [json.loads(line) for line in (tmp_path / "acted").read_text().splitlines()]
        assert sorted(line["did"] for line in acted) == ["page: eta drifts", f"run: {request.job}", "tell: data_drift"]
        assert not any(line["ours"] for line in acted)
