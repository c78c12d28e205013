"""Questions to the cluster: topics, offsets, groups. Asked again while the cluster is busy with itself."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import ConsumerGroupState, IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient, ConfigResource, MemberDescription, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # exported

from . import kafka_errors, kafka_settings
from .interface import BusError, Position, TopicDescription, TopicExists, TopicPartition
from .kafka_asking import Asks, asking
from .kafka_patience import Patience
from .kafka_settings import Settings

_log = logging.getLogger(__name__)

_REQUEST_S = 5
#: Seconds that the first broker to answer may take, whoever asks: none at all is most often a wrong address.
_REACH_S = 15
#: A topic that nobody has: asked about only to hear a broker, or what a group committed on it its coordinator.
NOWHERE = "driftbus-nowhere"

#: In which a group waits for its members.
_REBALANCES = {ConsumerGroupState.PREPARING_REBALANCING, ConsumerGroupState.COMPLETING_REBALANCING}
#: For an expected error, beside answers that are None.
_NONE = object()
_LEVELS = {True: IsolationLevel.READ_COMMITTED, False: IsolationLevel.READ_UNCOMMITTED}

Span = tuple[int, int]


class Cluster:
    """An admin client. What can heal is asked again for as long as its bus has patience."""

    def __init__(self, settings: Settings, patience: Patience | None = None) -> None:
        self._settings = settings
        self._patience = patience or Patience()
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
        """The answers, by what was asked for (the client does not type them), but for those that are one of the expected errors."""
        trying = self._patience.trying(what)
        while True:
            try:
                futures = request(self._admin, *arguments, request_timeout=_REQUEST_S, **options)
                alone = len(futures) == 1
                answers = {key: _answer(future, expected, "" if alone else _named(key)) for key, future in futures.items()}
                return {key: answer for key, answer in answers.items() if answer is not _NONE}
            except TimeoutError:
                trying.nothing_came()
            except KafkaException as exception:
                trying.failed(kafka_errors.error_of(exception))
            self.forget()

    def forget(self) -> None:
        """Ask the next time as somebody new: a client goes on asking leaders and coordinators that are not there any more."""
        self._admin = self._client()

    def describe(self, topics: Sequence[str], *, settings: bool = True) -> dict[str, TopicDescription]:
        """Those that exist; without the ACL DescribeConfigs on a topic, its settings are empty."""
        asked = list(filter(_is_text, dict.fromkeys(topics)))
        if not asked:
            return {}
        unknown, what = (KafkaError.UNKNOWN_TOPIC_OR_PART,), f"describing topics {', '.join(asked)}"
        there = self._ask(AdminClient.describe_topics, TopicCollection(asked), what=what, expected=unknown)
        set_so = self._settings_of(there) if settings and there else {}
        return {
            name: TopicDescription(name, str(topic.topic_id), len(topic.partitions), set_so.get(name, {})) for name, topic in there.items()
        }

    def _settings_of(self, topics: Collection[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
        missing = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART)  # the second: deleted just now
        what = f"describing the settings of topics {', '.join(topics)}"
        answers = self._ask(AdminClient.describe_configs, resources, what=what, expected=missing)
        return {
            resource.name: {key: entry.value for key, entry in entries.items() if entry.value is not None}
            for resource, entries in answers.items()
        }

    def create(self, topic: str, partitions: int, replication: int, settings: Mapping[str, str]) -> None:
        """Make a topic, and wait until it is known."""
        if self.describe([topic], settings=False):
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
        trying = self._patience.trying(f"topic {topic} was {'created' if there else 'deleted'}, and the brokers are to say so")
        while bool(self.describe([topic], settings=False)) != there:
            trying.nothing_came()

    def spans(self, sources: Sequence[TopicPartition], *, committed: bool) -> dict[TopicPartition, Span]:
        """First offset and end of each: the end in front of the first open transaction, or of all records."""
        lows = self._offsets(sources, OffsetSpec.earliest(), committed=committed)  # type: ignore[no-untyped-call]
        highs = self._offsets(sources, OffsetSpec.latest(), committed=committed)  # type: ignore[no-untyped-call]
        return {source: (low, high) for source, low, high in zip(sources, lows, highs, strict=True)}

    def at_time(self, source: TopicPartition, time_ms: int) -> int | None:
        """The first committed record at or after a time; None: there is none."""
        spec = OffsetSpec.for_timestamp(max(time_ms, 0))  # below zero Kafka means something else
        for _ in range(2):  # for a leader that is gone the client answers the same: a new one is asked, too
            ((_, found),) = self._listed([source], spec, committed=True)
            if found >= 0:
                return found
            self.forget()
        return None

    def _offsets(self, sources: Sequence[TopicPartition], spec: OffsetSpec, *, committed: bool) -> list[int]:
        trying = self._patience.trying(_what(sources))
        while True:
            offsets = dict(self._listed(sources, spec, committed=committed))
            if all(offset >= 0 for offset in offsets.values()):
                return [offsets[source] for source in sources]
            trying.nothing_came()
            self.forget()  # the leader it asked is gone, and the answer no error

    def _listed(self, sources: Sequence[TopicPartition], spec: OffsetSpec, *, committed: bool) -> list[tuple[TopicPartition, int]]:
        if not sources:
            return []
        level = _LEVELS[committed]
        wanted = {KafkaPartition(*source): spec for source in sources}
        answers = self._ask(AdminClient.list_offsets, wanted, what=_what(sources), isolation_level=level)
        return [(TopicPartition(p.topic, p.partition), answer.offset) for p, answer in answers.items()]

    def ends_soon(self, sources: Sequence[TopicPartition]) -> "Mapping[TopicPartition, Future[Any]]":  # of an answer that has an offset
        """Ask for the ends of committed records once, and do not wait for the answers. Where one is an error or below 0: `forget`."""
        wanted = {KafkaPartition(*source): OffsetSpec.latest() for source in sources}  # type: ignore[no-untyped-call]
        futures = self._admin.list_offsets(wanted, request_timeout=_REQUEST_S, isolation_level=_LEVELS[True])
        return {TopicPartition(p.topic, p.partition): future for p, future in futures.items()}

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Position]:
        """What a group has committed; waits for transactions that are about to say."""
        if not partitions:
            return {}
        with asking(self._settings, group, self._patience) as reader:
            return committed(reader, group, partitions, self._patience)

    def member(self, group: str, instance: str, reader: Asks | None = None) -> tuple[MemberDescription | None, bool]:
        """The member of a group that has this static name, and whether the group is between two rebalances.

        *Trap*: where the group's coordinator hangs, this request of the client can end the process (librdkafka 4605 and 5397): so it is
        asked only of one that has just answered ``reader``, a consumer of the group that has not joined; without one, at once.
        """
        unknown = (KafkaError.GROUP_ID_NOT_FOUND,)

        def described(admin: AdminClient, groups: list[str], **options: Any) -> Any:  # the client does not type its answers
            if reader is not None:
                _heard(reader)
            return admin.describe_consumer_groups(groups, **options)

        answers = self._ask(described, [group], what=f"describing group {group}", expected=unknown)
        member = next((m for described in answers.values() for m in described.members if m.group_instance_id == instance), None)
        return member, not any(described.state in _REBALANCES for described in answers.values())


def _answer(future: "Future[Any]", expected: Sequence[int], of: str) -> Any:  # of any request
    """``of``: what was asked about, where it was more than one thing."""
    try:
        return future.result(2 * _REQUEST_S)
    except KafkaException as exception:
        error = kafka_errors.error_of(exception)
        if error.code() in expected:
            return _NONE
        if of:
            flags = {"fatal": error.fatal(), "retriable": error.retriable(), "txn_requires_abort": error.txn_requires_abort()}
            raise KafkaException(KafkaError(error.code(), f"{of}: {error.str()}", **flags)) from exception
        raise


def _named(key: object) -> str:
    return str(getattr(key, "name", key))


def _is_text(name: str) -> bool:
    """What is none, no topic is called; the client would die of it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _heard(reader: Asks) -> None:
    """Its group's coordinator has answered, if only that this may not be asked; else raises."""
    try:
        reader.committed([KafkaPartition(NOWHERE, 0)], timeout=_REQUEST_S)
    except KafkaException as exception:
        if not kafka_errors.permanent(kafka_errors.error_of(exception)):
            raise


def committed(
    reader: Asks, group: str, partitions: Sequence[TopicPartition], patience: Patience, within_s: float = float("inf")
) -> dict[TopicPartition, Position]:
    """What the reader's group has committed; waits for transactions that are about to say. Raises `Ended` where it cannot say it in time.

    Asked through a consumer, which need not have joined: the admin client's own request crashes the process when the group's
    coordinator is not ready (confluent-kafka 2.16.1).
    """
    trying, until = patience.trying(f"what group {group} committed"), time.monotonic() + within_s
    while True:
        try:
            found = reader.committed([KafkaPartition(*p) for p in partitions], timeout=_REQUEST_S)
            unsaid = [p.error for p in found if p.error is not None]
            if not unsaid:
                return {TopicPartition(p.topic, p.partition): Position(p.offset, p.metadata or "") for p in found if p.offset >= 0}
            error = unsaid[0]
        except KafkaException as exception:
            error = kafka_errors.error_of(exception)
        if time.monotonic() > until and not kafka_errors.permanent(error):
            kafka_errors.end(error, f"what group {group} committed")
        trying.failed(error)


def heed(cluster: Cluster, group: str, topics: Sequence[str], error: KafkaError) -> None:
    """An error that came while a group's topics were read: report it, or raise where its client cannot go on."""
    if error.code() in kafka_errors.ABOUT_TOPICS and len(cluster.describe(topics)) == len(topics):
        kafka_errors.report(error)  # brokers that are catching up say so of a topic that is there
    elif kafka_errors.over(error) or kafka_errors.permanent(error):
        of = f", topic {', '.join(topics)}" if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else ""  # which it does not say itself
        kafka_errors.end(error, f"group {group}{of}")
    else:
        kafka_errors.report(error)


def _what(sources: Sequence[TopicPartition]) -> str:
    return f"offsets of {', '.join(map(str, sources))}"
