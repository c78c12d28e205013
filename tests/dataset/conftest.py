"""The user's folder of this folder's tests."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement

from ..streaming import BEGINNING, reference
from .world import CONFIGURATION, ROWS, SECOND, labelled, written


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """A folder with a configuration, and a bus with predictions, of which every tenth has no label."""
    monkeypatch.chdir(tmp_path)
    Path("driftbus.yaml").write_text(CONFIGURATION, encoding="utf-8")
    chosen = load()
    with closing(open_bus(chosen)) as bus:
        bus.create("scored", 2)
        bus.create("labels", 1)
        create_topics(bus, chosen)
        name = ArtifactStore(chosen.artifacts).put(reference("m0").encoded())
        announce(bus, chosen, Announcement(model="m0", version="1", reference=name, since=FROM_START))
        bus.publish([Output("scored", n % 2, None, written(n), (), BEGINNING + n * SECOND) for n in range(ROWS)])
        bus.publish([Output("labels", 0, None, labelled(n), (), BEGINNING + (n + 60) * SECOND) for n in range(ROWS) if n % 10])
    return chosen
