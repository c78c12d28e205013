"""Which librdkafka settings the Kafka bus starts from, and what becomes of the user's."""

import logging
from collections.abc import Mapping

Settings = Mapping[str, str | int | float | bool]
Client = dict[str, str | int | float | bool]

_log = logging.getLogger(__name__)

#: With librdkafka's default of 1000 fetching stops for a second whenever the local queue is full: a quarter of the throughput.
FETCH_QUEUE_BACKOFF_MS = 1
_SLOW_BACKOFF_MS = 50

#: A client waits half of it before it connects for the first time, and twice as long with every failure, to 10 s. By default 100 ms.
_CONNECTED: Client = {"reconnect.backoff.ms": 10}
_CONSUMER: Client = {
    **_CONNECTED,
    "fetch.queue.backoff.ms": FETCH_QUEUE_BACKOFF_MS,
    "queued.max.messages.kbytes": 8192,
    "fetch.wait.max.ms": 100,  # so long an end of partition takes to be noticed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
    "auto.offset.reset": "error",  # a position that is not there any more is said, never replaced in silence
    "allow.auto.create.topics": False,
    "topic.metadata.refresh.interval.ms": 5_000,  # so long a partition that is added takes to be seen; 5 min by default
}
#: A process killed and started again has its partitions back in .3 s (static, classic), against 45 s with group.protocol=consumer.
#: Not cooperative-sticky: a member that gives partitions away, dies before it has joined again, and comes back under its static name
#: causes no second rebalance there, and what it gave away is nobody's for as long as all live. One that the group gave up in the middle of
#: giving away keeps the others when it comes back, and could commit for them what somebody else had done meanwhile.
_CLASSIC: Client = {"partition.assignment.strategy": "roundrobin", "session.timeout.ms": 6000, "heartbeat.interval.ms": 2000}
#: With group.protocol=consumer the brokers say it; their default.
_CONSUMER_PROTOCOL_S = 45.0
_PRODUCER: Client = {
    **_CONNECTED,
    "transaction.timeout.ms": 15_000,  # how long a process that died and has no successor can hold up readers
    "retry.backoff.ms": 10,  # the wait between two transactions: 100 ms by default, paid by every commit
    "compression.type": "lz4",
    "linger.ms": 1,
    "delivery.report.only.error": True,
    "allow.auto.create.topics": False,  # a topic that nobody made would have other settings than it must have
    "message.max.bytes": 64_000_000,  # topics say how large a record may be: by default 1,048,588, and the client's is 1,000,000
}
#: The promises rest on these: a user's value would break them.
_OURS = frozenset(
    {
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.partition.eof",
        "isolation.level",
        "auto.offset.reset",
        "group.id",
        "group.instance.id",
        "partition.assignment.strategy",
        "transactional.id",
        "enable.idempotence",
        "delivery.report.only.error",
    }
)
# librdkafka warns about the other kind's settings at every client: each gets its own.
_CONSUMER_ONLY = frozenset(
    {
        "group.protocol",
        "group.remote.assignor",
        "session.timeout.ms",
        "heartbeat.interval.ms",
        "group.protocol.type",
        "coordinator.query.interval.ms",
        "max.poll.interval.ms",
        "auto.commit.interval.ms",
        "queued.min.messages",
        "queued.max.messages.kbytes",
        "fetch.wait.max.ms",
        "fetch.queue.backoff.ms",
        "fetch.message.max.bytes",
        "max.partition.fetch.bytes",
        "fetch.max.bytes",
        "fetch.min.bytes",
        "fetch.error.backoff.ms",
        "check.crcs",
        "allow.auto.create.topics",
    }
)
_PRODUCER_ONLY = frozenset(
    {
        "transaction.timeout.ms",
        "queue.buffering.max.messages",
        "queue.buffering.max.kbytes",
        "queue.buffering.max.ms",
        "linger.ms",
        "retries",
        "message.send.max.retries",
        "retry.backoff.ms",
        "compression.codec",
        "compression.type",
        "compression.level",
        "batch.num.messages",
        "batch.size",
        "sticky.partitioning.linger.ms",
        "acks",
        "request.required.acks",
        "request.timeout.ms",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "partitioner",
    }
)


def check(settings: Settings) -> None:
    """Refuse what would break a promise, and warn of what would make it slow."""
    if not settings.get("bootstrap.servers"):
        msg = "kafka.bootstrap.servers is missing: the addresses of the brokers, host:port,host:port"
        raise ValueError(msg)
    if refused := sorted(_OURS & settings.keys()):
        msg = f"kafka.{refused[0]}: set by driftbus itself, its promises rest on it; remove it"
        raise ValueError(msg)
    backoff = float(settings.get("fetch.queue.backoff.ms", FETCH_QUEUE_BACKOFF_MS))
    if backoff > _SLOW_BACKOFF_MS:
        _log.warning(
            "kafka.fetch.queue.backoff.ms: %g makes reading up to four times slower; remove it (%d)", backoff, FETCH_QUEUE_BACKOFF_MS
        )


def admin(settings: Settings) -> Client:
    """For an admin client: what belongs to neither consumers nor producers."""
    return {**_CONNECTED, **{key: value for key, value in settings.items() if key not in _CONSUMER_ONLY | _PRODUCER_ONLY}}


def consumer(settings: Settings, group: str, instance: str | None = None) -> Client:
    """For a member of a group; without an instance, for a reader outside any."""
    users = {key: value for key, value in settings.items() if key not in _PRODUCER_ONLY}
    classic = _CLASSIC if users.get("group.protocol", "classic") == "classic" else {}
    return {**_CONSUMER, **classic, **users, "group.id": group} | ({"group.instance.id": instance} if instance else {})


def producer(settings: Settings, transactional_id: str) -> Client:
    """For a transactional producer."""
    users = {key: value for key, value in settings.items() if key not in _CONSUMER_ONLY}
    return {**_PRODUCER, **users, "transactional.id": transactional_id}


def transaction_timeout_s(settings: Settings) -> float:
    """How long a coordinator keeps a transaction open of which it hears nothing."""
    return float(settings.get("transaction.timeout.ms", _PRODUCER["transaction.timeout.ms"])) / 1000


def incremental(settings: Settings) -> bool:
    """Whether a group's members are told what is new and what is gone, instead of all that is theirs."""
    return settings.get("group.protocol", "classic") == "consumer"


def session_timeout_s(settings: Settings) -> float:
    """How long a dead member is still counted a member."""
    if incremental(settings):
        return _CONSUMER_PROTOCOL_S
    return float(settings.get("session.timeout.ms", _CLASSIC["session.timeout.ms"])) / 1000
