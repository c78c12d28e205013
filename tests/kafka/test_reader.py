"""The reader of docs/launchers.md, which has nothing of ours: it acts on what the decider asks for, and its word is heard."""

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference import ledger
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionRequest
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.retrain import RetrainRequest

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[2]
_LONG_S = 120


def test_a_reader_with_nothing_but_a_client_and_the_schema(kafka: str, tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/launchers.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "reader.py").write_text(script.replace('["python"', f'["{sys.executable}"'))
    (tmp_path / "fit.py").write_text("import json, sys; request = json.load(sys.stdin); open(request['job'], 'x')")
    shutil.copy(ROOT / "schemas/published/retrain-request.json", tmp_path)
    settings = Configuration.model_validate(
        {
            "application": f"reads-{uuid.uuid4().hex[:8]}",
            "kafka": {"bootstrap.servers": kafka},
            "artifacts": str(tmp_path / "artifacts"),
            "topics": {"partitions": 2},
            "streams": {"predictions": {"topics": ["scored"]}},
            "models": {name: {"retrain": {"p": {"when": "person"}}} for name in "ab"},
        }
    )
    environment = {**os.environ, "APPLICATION": settings.application, "BROKERS": kafka}
    with closing(KafkaBus(settings.kafka, settings.application, "one")) as bus:
        create_topics(bus, settings)
        for model in "ab":
            ledger.tell(bus, settings, ActionRequest(model=model, policy="p", request="1", by="ann"))
        reader = subprocess.Popen([sys.executable, "reader.py"], cwd=tmp_path, env=environment)
        with closing(Pipeline(bus, settings, ["decider"])) as pipeline:
            ends, until = dict[str, JobStatus](), time.monotonic() + _LONG_S
            while len(ends) < 2 and time.monotonic() < until:
                pipeline.turn()
                assert reader.poll() is None
                ends = {one.job: one for one in told(bus, settings) if isinstance(one, JobStatus) and one.final}
        reader.kill()
        reader.wait()
        assert [(one.state, one.by) for one in ends.values()] == [("succeeded", "our trainer")] * 2
        assert {one.job for one in told(bus, settings) if isinstance(one, RetrainRequest)} == {
            file.name for file in tmp_path.iterdir() if re.fullmatch("[0-9a-f]{32}", file.name)
        }


def told(bus: KafkaBus, settings: Configuration) -> list[RetrainRequest | JobStatus]:
    """All that was asked for, and became of it."""
    found = []
    for number in range(settings.topics.partitions):
        place = TopicPartition(settings.topics.retrain, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
                if one := ledger.read_retrain(settings.application, key, value, headers):
                    found.append(one)
    return found
