"""A user's folder: a configuration, training data, and a topic with messages in the user's own form."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.main import main
from driftbus.consumers.process.settings import load

CONFIGURATION = """\
application: fraud-watch
bus: embedded
embedded: bus.sqlite
streams:
  predictions:
    topics: [fraud.scored]
    pane: 10s
    clock: record
    mapping: {model: model.name, version: model.version, features: payload.features, score: result.probability}
models:
  fraud:
    reference: {file: train.csv, time: at, score: score}
    false_alarms: 1 per 1h
    features: {session: ignore}
"""
#: How the configuration of a table of one stream begins; what follows is of the stream.
ONE_STREAM = """\
application: fraud-watch
bus: embedded
embedded: bus.sqlite
topics: {partitions: 1}
streams:
  predictions:
    topics: [fraud.scored]
"""
BEGINNING = 1_700_000_000_000
SECONDS = 600


def amounts(rows: int, seed: int, shifted_from: int | None = None) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A normal feature, two standard deviations up from a row on."""
    return np.random.default_rng(seed).normal(size=rows) + 2.0 * (np.arange(rows) >= (rows if shifted_from is None else shifted_from))


def table(path: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    """Ten rows a second, with a country that follows from the row's number."""
    rows = (f"{BEGINNING + i * 100},{value:.4f},{('NZ', 'PE')[i % 2]},{i % 10 / 10}" for i, value in enumerate(values))
    path.write_text("\n".join(["at,amount,country,score", *rows]) + "\n")


def messages(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], version: str = "1") -> list[Output]:
    """The same rows as the user's messages, over two partitions."""
    return [
        Output(
            "fraud.scored",
            i % 2,
            None,
            json.dumps(
                {
                    "model": {"name": "fraud", "version": version},
                    "payload": {"features": {"amount": round(value, 4), "country": ("NZ", "PE")[i % 2], "session": f"s{i}"}},
                    "result": {"probability": i % 10 / 10},
                }
            ).encode(),
            (),
            BEGINNING + i * 100,
        )
        for i, value in enumerate(values.tolist())
    ]


class User:
    """Somebody in a folder with a configuration and training data."""

    def says(self, *words: str, code: int = 0) -> str:
        """What a command answers, on both channels."""
        told = CliRunner().invoke(main, list(words))
        assert told.exit_code == code, told.output + repr(told.exception)
        return told.output

    def takes(self, folder: Path) -> "User":
        """Go on where another has stopped, whose folder this is."""
        shutil.copytree(folder, Path(), dirs_exist_ok=True)
        return self

    def configures(self, old: str, new: str) -> None:
        """Change a text in the configuration."""
        text = Path("driftbus.yaml").read_text()
        assert old in text
        Path("driftbus.yaml").write_text(text.replace(old, new))

    def creates(self, partitions: int = 2) -> None:
        """Make the input topic and driftbus's own."""
        with closing(open_bus(load())) as bus:
            bus.create("fraud.scored", partitions, settings={"retention.ms": "-1"})
        self.says("topics", "create")

    def publishes(self, outputs: list[Output]) -> None:
        """Write to the input topic."""
        with closing(open_bus(load())) as bus:
            bus.publish(outputs)


def prepared(folder: Path, story: Callable[[User], None]) -> Path:
    """A folder in which a story has been played once, for the tests that begin there."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        story(_somebody())
    finally:
        os.chdir(before)
    return folder


def _somebody() -> User:
    Path("driftbus.yaml").write_text(CONFIGURATION)
    table(Path("train.csv"), amounts(5_000, seed=1))
    return User()


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTBUS_CONFIG", raising=False)
    return _somebody()
