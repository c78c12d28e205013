"""What `driftbus record` writes is what `driftbus replay` reads: the same events as live, byte for byte."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.command.main import main
from driftbus.consumers.pipeline.runner import Pipeline

from ..streaming import by_model, configuration, everything, prepare, reference, rows, send


def test_a_recording_replays_to_the_same_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = configuration(artifacts=str(tmp_path / "artifacts"), embedded=str(tmp_path / "bus.sqlite"))
    Path("driftbus.yaml").write_text(yaml.safe_dump(settings.model_dump(mode="json", exclude_none=True)))
    bus = EmbeddedBus(settings.embedded, settings.application, "a")
    prepare(bus, settings, [reference("m0"), reference("m1")])
    send(bus, rows(1000, ("m0", "m1"), 3, seed=1, shifted=("m0", 300, 500)))
    pipeline = Pipeline(bus, settings)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    live = [event.value.decode() for events in by_model(everything(bus, settings.topics.drift)).values() for event in events]
    bus.close()
    for command in (["record", "week.jsonl"], ["replay", "week.jsonl", "--events", "events.jsonl"]):
        done = CliRunner().invoke(main, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert Path("events.jsonl").read_text().splitlines() == live
    assert len(live) == 2
