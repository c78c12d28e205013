"""Questions to the cluster: topics, offsets, groups. Asked again while the cluster is busy with itself."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient, ConfigResource, MemberDescription, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # exported

from . import kafka_errors, kafka_settings
from .interface import BusError, Position, TopicDescription, TopicExists, TopicPartition
from .kafka_settings import Settings

_log = logging.getLogger(__name__)

_REQUEST_S = 5
#: Seconds that the first broker to answer may take.
_REACH_S = 15
#: Seconds until a cluster that is busy (a leader or coordinator moves) must have an answer.
PATIENCE_S = 60
_AGAIN_S = 0.05

Span = tuple[int, int]


class Cluster:
    """An admin client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._admin = self._client()

    def _client(self) -> AdminClient:
        try:
            return AdminClient(kafka_settings.admin(self._settings), logger=_log, error_cb=kafka_errors.report)
        except KafkaException as exception:
            kafka_errors.refuse(kafka_errors.error_of(exception), "kafka:")

    def reach(self) -> None:
        """Have some broker answer, or say that none does."""
        try:
            self._admin.list_topics(timeout=_REACH_S)
        except KafkaException as exception:
            error = kafka_errors.error_of(exception)
            servers = self._settings.get("bootstrap.servers", "")
            msg = (
                f"kafka: no broker answered at bootstrap.servers {servers} within {_REACH_S} s ({error.name()}): "
                "is the address right, the broker up, and does it expect security.protocol or sasl settings?"
            )
            raise BusError(msg) from None

    def _ask(
        self, request: Callable[..., Any], *arguments: object, what: str, expected: Sequence[int] = (), **options: object
    ) -> dict[Any, Any]:
        """The answers, by what was asked for (the client does not type them); none for one of the expected errors."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            admin = self._admin
            try:
                futures = request(admin, *arguments, request_timeout=_REQUEST_S, **options)
                return {key: future.result() for key, future in futures.items()}
            except KafkaException as exception:
                error = kafka_errors.error_of(exception)
                if error.code() in expected:
                    return {}
                if not kafka_errors.transient(error) or time.monotonic() > deadline:
                    kafka_errors.refuse(error, what)
            self._forget()

    def _forget(self) -> None:
        """Ask the next time as somebody new: a client goes on asking leaders and coordinators that are not there any more."""
        time.sleep(_AGAIN_S)
        self._admin = self._client()

    def describe(self, topics: Sequence[str]) -> dict[str, TopicDescription]:
        """Those that exist; without the ACL DescribeConfigs on a topic, its settings are empty."""
        found = {}
        for name in topics:
            unknown = (KafkaError.UNKNOWN_TOPIC_OR_PART,)
            asked = TopicCollection([name])
            for topic in self._ask(AdminClient.describe_topics, asked, what=f"describing topic {name}", expected=unknown).values():
                found[name] = TopicDescription(name, str(topic.topic_id), len(topic.partitions), self._settings_of(name))
        return found

    def _settings_of(self, name: str) -> dict[str, str]:
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        missing = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART)  # the second: deleted just now
        answers = self._ask(AdminClient.describe_configs, [resource], what=f"describing the settings of topic {name}", expected=missing)
        return {key: entry.value for entries in answers.values() for key, entry in entries.items() if entry.value is not None}

    def create(self, topic: str, partitions: int, replication: int, settings: Mapping[str, str]) -> None:
        """Make a topic, and wait until it is known."""
        if self.describe([topic]):
            msg = f"topic {topic} exists already"
            raise TopicExists(msg)
        new = NewTopic(topic, num_partitions=partitions, replication_factor=replication, config=dict(settings))
        there = (KafkaError.TOPIC_ALREADY_EXISTS,)
        self._ask(AdminClient.create_topics, [new], what=f"creating topic {topic}", expected=there)
        self._await(topic, there=True)

    def delete(self, topic: str) -> None:
        """Remove a topic, and wait until it is gone."""
        self._ask(AdminClient.delete_topics, [topic], what=f"deleting topic {topic}")
        self._await(topic, there=False)

    def _await(self, topic: str, *, there: bool) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while bool(self.describe([topic])) != there:
            if time.monotonic() > deadline:
                msg = f"topic {topic} was {'created' if there else 'deleted'}, but the brokers do not say so after {PATIENCE_S} s"
                raise BusError(msg)
            time.sleep(_AGAIN_S)

    def spans(self, sources: Sequence[TopicPartition], *, committed: bool) -> dict[TopicPartition, Span]:
        """First offset and end of each: the end in front of the first open transaction, or of all records."""
        lows = self._offsets(sources, OffsetSpec.earliest(), committed=committed)  # type: ignore[no-untyped-call]
        highs = self._offsets(sources, OffsetSpec.latest(), committed=committed)  # type: ignore[no-untyped-call]
        return {source: (low, high) for source, low, high in zip(sources, lows, highs, strict=True)}

    def _offsets(self, sources: Sequence[TopicPartition], spec: OffsetSpec, *, committed: bool) -> list[int]:
        if not sources:
            return []
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        wanted = {KafkaPartition(*source): spec for source in sources}
        what = f"offsets of {', '.join(map(str, sources))}"
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answers = self._ask(AdminClient.list_offsets, wanted, what=what, isolation_level=level).values()
            offsets = [answer.offset for answer in answers]
            if min(offsets) >= 0:
                return offsets
            if time.monotonic() > deadline:
                msg = f"{what}: no leader has answered in {PATIENCE_S} s; are all brokers up?"
                raise BusError(msg)
            self._forget()  # the leader it asked is gone, and the answer no error

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Position]:
        """What a group has committed; waits for transactions that are about to say."""
        if not partitions:
            return {}
        reader = Consumer(kafka_settings.consumer(self._settings, group), logger=_log, error_cb=kafka_errors.report)
        try:
            return committed(reader, group, partitions)
        finally:
            reader.close()

    def member(self, group: str, instance: str) -> MemberDescription | None:
        """The member of a group that has this static name."""
        unknown = (KafkaError.GROUP_ID_NOT_FOUND,)
        answers = self._ask(AdminClient.describe_consumer_groups, [group], what=f"describing group {group}", expected=unknown)
        return next((m for described in answers.values() for m in described.members if m.group_instance_id == instance), None)


def committed(reader: Consumer, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Position]:
    """What the reader's group has committed; waits for transactions that are about to say.

    Asked through a consumer, which need not have joined: the admin client's own request crashes the process when the group's
    coordinator is not ready (confluent-kafka 2.16.1).
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            found = reader.committed([KafkaPartition(*p) for p in partitions], timeout=_REQUEST_S)
            unsaid = [p.error for p in found if p.error is not None]
            if not unsaid:
                return {TopicPartition(p.topic, p.partition): Position(p.offset, p.metadata or "") for p in found if p.offset >= 0}
            error = unsaid[0]
        except KafkaException as exception:
            error = kafka_errors.error_of(exception)
        if not kafka_errors.transient(error) or time.monotonic() > deadline:
            kafka_errors.refuse(error, f"what group {group} committed")
        time.sleep(_AGAIN_S)
