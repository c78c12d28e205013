"""A model event from somebody who has nothing but a Kafka client: the program that the page shows, as it stands there."""

import os
import re
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.console.deployments import deployments, read
from driftbus.consumers.pipeline.own_topics import check_topics, create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.evidence import Evidence

from ..streaming import everything

pytestmark = pytest.mark.kafka
PAGE = (Path(__file__).parents[2] / "docs/models.md").read_text(encoding="utf-8")
[PROGRAM] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def evidence(bus: Bus, settings: Configuration) -> list[Evidence]:
    found = [event for events in everything(bus, settings.topics.summaries).values() for event in events]
    return [Evidence.decoded(event.value) for event in found if ("ce_type", Evidence.TYPE.encode()) in event.headers]


def test_the_program_that_the_page_shows_tells_a_deployment(kafka: str, tmp_path: Path) -> None:
    """Run by three jobs, by one of them twice, while the clerk runs."""
    name = f"watch{time.time_ns()}"
    settings = Configuration.model_validate(
        {
            "application": name,
            "bus": "kafka",
            "kafka": {"bootstrap.servers": kafka},
            "artifacts": str(tmp_path),
            "topics": {"partitions": 2},
            "streams": {"predictions": {"topics": [f"{name}.in"]}},
        }
    )
    with closing(KafkaBus(settings.kafka, name, "one")) as bus:
        create_topics(bus, settings)
        assert check_topics(bus, settings) == []
        with closing(Pipeline(bus, settings, ["clerk"])) as pipeline:
            for job in ("build-1", "build-2", "build-2", "build-3"):
                environment = os.environ | {"JOB": job, "BOOTSTRAP": kafka}
                subprocess.run([sys.executable, "-c", PROGRAM.replace("fraud-watch", name)], env=environment, check=True, timeout=60)
                pipeline.turn()
            for _ in pipeline.run_until_end():
                pass
            assert pipeline.totals["facts"] == 3
        found = evidence(bus, settings)
        assert [one.fact["job"] for one in found] == ["build-1", "build-2", "build-3"]
        place, written = TopicPartition(settings.topics.models, 0), dict[int, int]()
        for batch in bus.read(place, *bus.watermarks(place)):
            written |= dict(zip(batch.offsets.tolist(), batch.timestamps.tolist(), strict=True))
        assert all(one.bucket - 10_000 <= written[one.offset] < one.bucket for one in found)
        [serving] = deployments(read(bus, settings).known)
        assert (serving.model, serving.version, serving.parent, serving.serves) == ("fraud", "3.3.0", "3.2.1", True)
