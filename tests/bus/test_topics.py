"""The topics of our own, on each bus."""

from typing import Any

from driftbus.consumers.pipeline.own_topics import check_topics, create_topics, own_topics
from driftbus.schemas.configuration import Configuration

from .worlds import World


def _configuration(world: World, clock: str = "live", **topics: Any) -> Configuration:  # whatever the YAML holds
    streams = {"s": {"topics": ["in"], "clock": clock}}
    return Configuration.model_validate({"application": "a", "streams": streams, "topics": {"prefix": world.application, **topics}})


def test_what_is_missing_is_made_and_then_nothing_is_wrong(world: World) -> None:
    bus, configuration = world.bus(), _configuration(world, clock="record")
    names = [topic.name for topic in own_topics(configuration)]
    assert [problem.split()[1] for problem in check_topics(bus, configuration)] == names
    assert create_topics(bus, configuration) == names
    assert create_topics(bus, configuration) == []
    assert check_topics(bus, configuration) == []
    described = bus.describe(names)
    assert {name: d.partitions for name, d in described.items()} == {
        f"{world.application}.{topic}": n
        for topic, n in [
            ("summaries", 8),
            ("snapshots", 8),
            ("drift", 8),
            ("root-causes", 8),
            ("models", 1),
            ("feedback", 1),
            ("dead-letter", 1),
        ]
    }
    assert described[configuration.topics.summaries].settings["message.timestamp.type"] == "LogAppendTime"
    assert described[configuration.topics.summaries].settings["retention.ms"] == "-1"


def test_what_results_would_suffer_from_is_named(world: World) -> None:
    bus, configuration = world.bus(), _configuration(world, partitions=4)
    bus.create(configuration.topics.summaries, 8, settings={"message.timestamp.type": "CreateTime", "retention.ms": "60000"})
    bus.create(configuration.topics.models, 1, settings={"cleanup.policy": "delete"})
    create_topics(bus, configuration)
    wrong = "\n".join(check_topics(bus, configuration))
    assert "summaries has 8 partitions, it must have 4" in wrong
    assert "summaries: message.timestamp.type is CreateTime, it must be LogAppendTime" in wrong
    assert "models: cleanup.policy is delete, it must be compact" in wrong
    assert "retention" not in wrong
    by_record = "\n".join(check_topics(bus, _configuration(world, clock="record", partitions=4)))
    assert "summaries: retention.ms is 60000, it must be -1" in by_record
