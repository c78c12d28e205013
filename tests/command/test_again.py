"""Every replay of the same file gives the same records on all topics of our own, which have the same ids, whatever was not recorded."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.interface import Bus, TopicDescription
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.pipeline.own_topics import own_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import load as load_settings
from driftbus.consumers.replay.offline import load

from ..streaming import Event, everything
from .conftest import User
from .test_labelled import recorded, somebody  # noqa: F401  # a fixture

REVIEWED = """\
    labels: chargebacks
    review: {budget: 60 per hour, slot: 10m}
    golden: {call: {topics: {request: asked, reply: told}}}
"""


def left(bus: Bus, topics: list[str]) -> list[tuple[TopicDescription, dict[int, list[Event]]]]:
    described = bus.describe(topics)
    assert described.keys() == {*topics}
    return [(described[topic], everything(bus, topic)) for topic in topics]


@pytest.mark.parametrize("file", ["history.csv", "week.jsonl"])
def test_two_replays_write_the_same(somebody: User, file: str, tmp_path: Path) -> None:  # noqa: F811  # the fixture
    recorded("week.jsonl")
    somebody.configures("    labels: chargebacks\n", REVIEWED)
    found = []
    for again in ("one", "two"):
        (folder := tmp_path / again).mkdir()
        labels = ("labels.csv",) if file.endswith("csv") else ()
        offline, _ = load(load_settings(), Path(file), None, "-", folder, labels)
        with closing(open_bus(offline)) as bus:
            with closing(Pipeline(bus, offline)) as pipeline:
                for _ in pipeline.run_until_end():
                    pass
            told = [topic.name for topic in own_topics(offline) if topic.name != offline.topics.snapshots]  # these hold times of writing
            found.append(left(bus, told))
    assert found[0] == found[1]
    names = {topic.name.rpartition(".")[2] for topic, _ in found[0]}
    assert names >= {"reviews", "golden", "feedback", "joins", "models"}, "none of which was recorded"
    assert any(events for topic, events in found[0] if topic.name.endswith(".reviews"))
