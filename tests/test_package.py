"""What users install: built from the source distribution, in an empty environment, without what development needs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, at: Path = ROOT) -> str:
    """The output of a command that must succeed, with nothing of this environment in its way."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV", "DRIFTBUS_CONFIG"}}
    done = subprocess.run([str(word) for word in command], cwd=at, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv") or next(map(str, ROOT.glob(".venv-tools/*/bin/uv")), None)
    if not found:
        pytest.fail("needs uv to build and install: run it with make test", pytrace=False)
    return found


def test_the_scoreboards_environment_has_all_that_we_depend_on() -> None:
    """It is installed without looking at what anybody asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[^\w.-]", one)[0] for one in project["dependencies"]}
    lines = (ROOT / "tests/benchmarks/scoreboard/requirements.txt").read_text().splitlines()
    assert wanted - {line.partition("==")[0] for line in lines} == set()


@pytest.fixture(scope="module")
def installed(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that holds the wheel, and what it depends on, as locked."""
    folder = tmp_path_factory.mktemp("package")
    run(uv, "build", "--quiet", "--out-dir", folder)
    (wheel,) = folder.glob("*.whl")
    locked = run(uv, "export", "--locked", "--no-dev", "--all-extras", "--no-emit-project", "--no-hashes", "--quiet")
    (folder / "locked.txt").write_text(locked)
    run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    commands = folder / "venv/bin"
    run(uv, "pip", "install", "--quiet", "--python", commands / "python", "--constraint", folder / "locked.txt", f"{wheel}[plot]")
    return commands


def test_the_command_answers(installed: Path, tmp_path: Path) -> None:
    assert "Commands:" in run(installed / "driftbus", "--help", at=tmp_path)
    for verb in ("demo", "check", "topics", "reference", "run", "watch", "review", "replay", "schemas"):
        assert run(installed / "driftbus", verb, "--help", at=tmp_path).startswith("Usage: ")


def test_types_and_data_come_along(installed: Path, tmp_path: Path) -> None:
    script = "import driftbus.schemas as s; from pathlib import Path; print(*sorted(p.name for p in Path(s.__path__[0]).iterdir()))"
    found = run(installed / "python", "-c", script, at=tmp_path).split()
    assert {"py.typed", "published"} <= set(found)
    script = (
        "from importlib.resources import files as f; print(*(p.name for p in f('driftbus.consumers.desk').joinpath('assets').iterdir()))"
    )
    assert set(run(installed / "python", "-c", script, at=tmp_path).split()) == {"page.html", "page.css", "page.js", "icon.svg"}


def test_a_file_is_replayed_and_drawn(installed: Path, tmp_path: Path) -> None:
    rows = [f"{i * 1000},{(i * 37 % 100) / 100 + (i >= 3_000)},{i % 2}" for i in range(6_000)]
    (tmp_path / "train.csv").write_text("\n".join(["at,amount,label", *rows[:3_000]]))
    (tmp_path / "history.csv").write_text("\n".join(["at,amount,label", *rows]))
    (tmp_path / "driftbus.yaml").write_text(
        "application: fraud-watch\n"
        "streams: {predictions: {topics: [fraud.scored]}}\n"
        "models: {fraud: {reference: {file: train.csv, time: at, prediction: label}, false_alarms: 1 per 1h}}\n"
    )
    told = run(installed / "driftbus", "replay", "history.csv", "--plot", "drift.png", at=tmp_path)
    assert "fraud/-  major     amount: " in told
    assert (tmp_path / "drift.png").stat().st_size > 1_000
