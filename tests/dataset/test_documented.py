"""The training job that the page shows, as it stands there: started by a launcher, with data of the bus, it registers a version."""

import os
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.console.deployments import read
from driftbus.consumers.dataset.verify import verify
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.identity import content_hash

from ..launcher.worlds import launching, say, turned_until
from ..streaming import BEGINNING
from .asked import request, sources
from .world import CONFIGURATION, ROWS, SECOND, labelled, written

PAGE = (Path(__file__).parents[2] / "docs/datasets.md").read_text(encoding="utf-8")
[PROGRAM] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
#: A fifth of what has labels is more than the rows of which a reference knows values.
MORE = 3_000


def test_the_job_that_the_page_shows_makes_a_version(settings: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("fit.py").write_text(PROGRAM, encoding="utf-8")
    launcher = f'launchers:\n  trainer: {{command: {{run: ["{sys.executable}", "{tmp_path}/fit.py"]}}}}\n'
    of_job = CONFIGURATION.replace("{when: person}", "{when: person, on: trainer}").replace("clock: record}", "clock: record, act: true}")
    of_job += launcher
    Path("driftbus.yaml").write_text(of_job, encoding="utf-8")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / ".package"))
    monkeypatch.setenv("DRIFTBUS_CONFIG", str(tmp_path / "driftbus.yaml"))
    chosen, more = load(), range(ROWS, MORE)
    with closing(open_bus(chosen)) as bus:
        bus.publish([Output("scored", n % 2, None, written(n), (), BEGINNING + n * SECOND) for n in more])
        bus.publish([Output("labels", 0, None, labelled(n), (), BEGINNING + (n + 60) * SECOND) for n in more if n % 10])
        until = BEGINNING + (MORE + 3_600) * SECOND
        wanted = request("m0", until, sources=sources(bus, chosen, "m0"))
        wanted = wanted.model_copy(update={"application": "test", "on": "trainer"})
        with closing(launching(bus, chosen)) as one:
            say(bus, chosen, wanted)
            turned_until(one, bus, chosen, [(wanted.job, "succeeded")])
        [event] = [known.event for known in read(bus, chosen).known]
    [folder] = Path("spool").rglob("data")
    manifest = verify(folder)
    assert (event.kind, event.model, event.job, event.parent) == ("registered", "m0", wanted.job, "1")
    assert event.data == manifest.name
    assert event.artifact is not None
    assert event.artifact.sha256 == content_hash((folder.parent / "model.json").read_bytes()).removeprefix("sha256:")
    assert event.metrics is not None
    assert 0 < event.metrics["log_loss"] < 1
    assert event.reference is not None
    made = ArtifactStore(chosen.artifacts).reference(event.reference)
    assert {field.name: field.role for field in made.fields} == {
        "amount": "feature", "age": "feature", "colour": "feature", "score": "score",
    }  # fmt: skip
    assert made.rows == manifest.rows.written
