"""A Kafka with ACLs, on which an application has the rights of ``docs/acls.md`` and no others."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from driftbus.consumers.bus.interface import BusError, Output, Position, TopicExists, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.own_topics import create_topics, topics_of_old
from driftbus.schemas.configuration import Configuration

from ..needs import leave_out, without_java
from ..waiting import until
from .cluster import cluster

#: Topics that may be seen, and neither read nor written; and what nobody may do.
CLOSED = ["closed", "closed.too", "f" * 249]
FORBIDDEN = [
    *((ResourceType.GROUP, f"{name}-reader") for name in ("fraud", "churn", "eta")),
    *((ResourceType.TOPIC, f"{name}.{of}") for name in ("driftbus", "secret") for of in ("summaries", "models")),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if missing := without_java():
        leave_out(f"there is no {' and no '.join(missing)} to start a broker with ACLs")
    authorizer = {"authorizer_class_name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer"}
    broker = cluster(tmp_path_factory.mktemp("rights") / "cluster", **authorizer, allow_everyone_if_no_acl_found="true")
    try:
        found: str = broker.start()
        forbidden = [
            AclBinding(kind, name, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", AclOperation.ALL, AclPermissionType.DENY)
            for kind, name in FORBIDDEN
        ]
        seen = [
            AclBinding(ResourceType.TOPIC, name, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", what, AclPermissionType.ALLOW)
            for name in CLOSED
            for what in (AclOperation.CREATE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
        ]
        admin = AdminClient({"bootstrap.servers": found})
        for done in admin.create_acls([*forbidden, *seen]).values():
            done.result(30)
        yield found
    finally:
        broker.stop()


@pytest.mark.parametrize("application", ["fraud", "churn", "eta"])
def test_reading_needs_no_right_to_a_group(address: str, application: str) -> None:
    """It joins none, and no page says that there is one."""
    with closing(KafkaBus({"bootstrap.servers": address}, application, "one")) as bus:
        bus.create(f"{application}.in", 1)
        for first in (0, 100):
            bus.publish([Output(f"{application}.in", 0, None, str(first + number).encode()) for number in range(100)])
        source = TopicPartition(f"{application}.in", 0)
        read = [value for batch in bus.read(source, *bus.watermarks(source)) for value in batch.values]
    assert read == [str(number).encode() for number in range(200)]


class Reading:
    """A member that reads all from the beginning."""

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """It has nothing to forget."""


@pytest.mark.parametrize("closed", CLOSED)
def test_a_topic_that_may_not_be_read_is_named(address: str, closed: str) -> None:
    with closing(KafkaBus({"bootstrap.servers": address}, "fraud", "one")) as bus:
        for topic in ("open", closed):
            with suppress(TopicExists):
                bus.create(topic, 1)
        session = bus.session(f"reader-of-{CLOSED.index(closed)}", ["open", closed], Reading())
        with pytest.raises(BusError, match=f"topic {closed}: .*TOPIC_AUTHORIZATION_FAILED.*Read"):
            until(lambda: session.consume(10, 0.5) is None)


@pytest.mark.parametrize("closed", CLOSED)
def test_nor_is_one_that_may_not_be_written_passed_over_in_silence(address: str, closed: str) -> None:
    with closing(KafkaBus({"bootstrap.servers": address}, "fraud", "two")) as bus:
        for topic in ("open", closed):
            with suppress(TopicExists):
                bus.create(topic, 1)
        with pytest.raises(BusError, match=f"writing to {', '.join(sorted(['open', closed]))}: .*TOPIC_AUTHORIZATION_FAILED.*Write"):
            bus.publish([Output(topic, 0, None, b"1") for topic in ("open", closed)])


def test_who_may_not_see_the_topics_of_the_old_default_never_had_them(address: str) -> None:
    settings = Configuration.model_validate({"application": "fraud", "streams": {"s": {"topics": ["t"]}}})
    with closing(KafkaBus({"bootstrap.servers": address}, "fraud", "one")) as bus:
        create_topics(bus, settings)
        assert topics_of_old(bus, settings) is None
        with pytest.raises(BusError, match=r"secret\.models.*TOPIC_AUTHORIZATION_FAILED"):
            bus.describe(["secret.models"])
