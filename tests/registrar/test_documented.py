"""docs/promotion.md: its configuration loads, and its commands do what it says, in their order."""

import re
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.main import main
from driftbus.consumers.console.reading import records_on
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference import ledger
from driftbus.schemas.messages.promotion import STEPS

PAGE = (Path(__file__).parents[2] / "docs/promotion.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_step_is_told() -> None:
    assert re.findall(r"^\| `(\w+)` \| ", PAGE.partition("what the registrar does")[2].partition("**Each")[0], re.MULTILINE) == list(STEPS)


def test_the_commands_by_hand_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TOKEN", "t0ken")
    [text] = blocks("yaml")
    Path("driftbus.yaml").write_text(yaml.safe_dump({**yaml.safe_load(text), "bus": "embedded", "embedded": "bus.sqlite"}))
    Path("model.bin").write_bytes(b"weights")
    settings = load()
    with closing(open_bus(settings)) as bus:
        create_topics(bus, settings)
    said = ""
    for line in blocks("sh")[1].splitlines():
        words = re.findall(r'"[^"]*"|[^\s"]+', line.partition("#")[0])[1:]
        told = CliRunner().invoke(main, [word.strip('"') for word in words])
        assert told.exit_code == 0, told.output
        said += told.output
    for part in ("eta/3.3.0: registered by build-81", "made by    ann, job build-81", "metrics    rmse 4.1", "refuse, asked for by ann"):
        assert part in said
    with closing(open_bus(settings)) as bus:
        facts = [ledger.read(settings.application, one.key, one.value, one.headers) for one in records_on(bus, settings.topics.actions)]
    assert [fact.kind for fact in facts if fact is not None] == ["promote", "roll_back", "refuse"]
