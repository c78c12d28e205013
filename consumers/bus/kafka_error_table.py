"""Every error of librdkafka and of the brokers, and what becomes of it here. `kafka_errors` acts by it, ``docs/kafka-errors.md`` shows it.

The rule: only what cannot get better by waiting ends a process.
"""

from enum import StrEnum
from typing import NamedTuple

from confluent_kafka import KafkaError


class Outcome(StrEnum):
    """What becomes of an error."""

    HEARD = "heard"  #: no failure: an answer that is acted on where it comes
    WAITS = "waits"  #: the same is asked again; in a transaction as `AGAIN`
    AGAIN = "transaction again"  #: it is taken back, the group is heard, and what is still ours is written again; elsewhere as `WAITS`
    ANEW = "begins anew"  #: new clients join the group again, unless another live process has the name there; elsewhere as `WAITS`
    ENDS = "ends"  #: the process, saying what to change
    UNEXPECTED = "waits a while"  #: no request of ours should have this answer: waited for, but not for ever (`UNEXPECTED_S`)


class Meaning(NamedTuple):
    """What becomes of an error, and why; of one that ends the process: what to change."""

    outcome: Outcome
    why: str


_E = KafkaError
_TOPIC = "create the topic (driftbus topics create makes our own)"
_CREDENTIALS = "check the credentials in kafka:"
_OURS = "a mistake of driftbus or of the client library: report it with this line"

_HEARD = {
    _E.NO_ERROR: "success",
    _E._PARTITION_EOF: "the end of a partition",
    _E._ASSIGN_PARTITIONS: "a rebalance",
    _E._REVOKE_PARTITIONS: "a rebalance",
    _E._ASSIGNMENT_LOST: "a rebalance",
    _E._NOOP: "nothing was to be done",
    _E._PURGE_QUEUE: "a record of a transaction that was taken back",
    _E._PURGE_INFLIGHT: "a record of a transaction that was taken back",
    _E.TOPIC_ALREADY_EXISTS: "another process was faster to create it",
    _E.GROUP_ID_NOT_FOUND: "a group without members",
    _E.OFFSET_OUT_OF_RANGE: "the topic is asked what it holds: ends if it does not hold the offset, else reads there again",
    _E._AUTO_OFFSET_RESET: "the topic is asked what it holds: ends if it does not hold the offset, else reads there again",
}

_WAITS = {
    _E._BAD_MSG: "a record that cannot be read: another replica may be whole",
    _E._BAD_COMPRESSION: "a record that cannot be read: another replica may be whole",
    _E._DESTROY: "a client of ours was just being closed",
    _E._DESTROY_BROKER: "a broker left the cluster",
    _E._FAIL: "a connection failed",
    _E._TRANSPORT: "a connection failed",
    _E._CRIT_SYS_RESOURCE: "this machine is short of something: memory, threads, open files",
    _E._RESOLVE: "a broker's name is not known just now",
    _E._MSG_TIMED_OUT: "no broker took the record in time",
    _E._ALL_BROKERS_DOWN: "no broker is connected",
    _E._TIMED_OUT: "no answer in time",
    _E._QUEUE_FULL: "the client holds as much as it may: some is written first",
    _E._ISR_INSUFF: "too few replicas are in step",
    _E._NODE_UPDATE: "a broker's address changed",
    _E._WAIT_COORD: "the group's coordinator is looked for",
    _E._UNKNOWN_GROUP: "the group's coordinator has not heard of it yet",
    _E._IN_PROGRESS: "the same is already being done",
    _E._PREV_IN_PROGRESS: "something else is being done first",
    _E._OUTDATED: "overtaken by something newer",
    _E._TIMED_OUT_QUEUE: "no answer in time",
    _E._WAIT_CACHE: "the topic is being looked up",
    _E._INTR: "interrupted",
    _E._PARTIAL: "only a part was answered",
    _E._NOENT: "no leader is known for a partition",
    _E._UNDERFLOW: "an answer was cut off",
    _E._RETRY: "the client asks for another try",
    _E._MAX_POLL_EXCEEDED: "the group gave up this member, which joins again at its next read",
    _E._UNKNOWN_BROKER: "the broker that was asked is gone",
    _E.UNKNOWN: "the broker failed in a way that it does not tell",
    _E.INVALID_MSG: "a record that arrived damaged",
    _E.LEADER_NOT_AVAILABLE: "a partition is getting a leader",
    _E.NOT_LEADER_FOR_PARTITION: "a partition has got another leader",
    _E.REQUEST_TIMED_OUT: "no answer in time",
    _E.BROKER_NOT_AVAILABLE: "a broker is away",
    _E.REPLICA_NOT_AVAILABLE: "a replica is away",
    _E.STALE_CTRL_EPOCH: "the controller has changed",
    _E.NETWORK_EXCEPTION: "a connection failed",
    _E.COORDINATOR_LOAD_IN_PROGRESS: "the coordinator is starting",
    _E.COORDINATOR_NOT_AVAILABLE: "there is no coordinator just now",
    _E.NOT_COORDINATOR: "the coordinator has changed",
    _E.NOT_ENOUGH_REPLICAS: "too few replicas are in step",
    _E.NOT_ENOUGH_REPLICAS_AFTER_APPEND: "too few replicas are in step",
    _E.NOT_CONTROLLER: "the controller has changed",
    _E.OPERATION_NOT_ATTEMPTED: "not tried, as something else failed",
    _E.KAFKA_STORAGE_ERROR: "a broker's disk failed: another replica may lead",
    _E.REASSIGNMENT_IN_PROGRESS: "partitions are moving between brokers",
    _E.NON_EMPTY_GROUP: "the group still has members",
    _E.FETCH_SESSION_ID_NOT_FOUND: "the broker forgot what was being read: the client says it again",
    _E.INVALID_FETCH_SESSION_EPOCH: "the broker forgot what was being read: the client says it again",
    _E.LISTENER_NOT_FOUND: "a broker is starting",
    _E.FENCED_LEADER_EPOCH: "a partition has got another leader",
    _E.UNKNOWN_LEADER_EPOCH: "a partition has got another leader",
    _E.STALE_BROKER_EPOCH: "a broker is starting",
    _E.OFFSET_NOT_AVAILABLE: "a new leader is catching up",
    _E.PREFERRED_LEADER_NOT_AVAILABLE: "a broker is away",
    _E.ELIGIBLE_LEADERS_NOT_AVAILABLE: "a partition has no leader",
    _E.GROUP_MAX_SIZE_REACHED: "the group is full until a member leaves (group.max.size)",
    _E.UNSTABLE_OFFSET_COMMIT: "a transaction is about to say what the group committed",
    _E.THROTTLING_QUOTA_EXCEEDED: "the cluster's quota is used up for the moment",
    _E.UNKNOWN_TOPIC_ID: "brokers do not know a new topic yet",
    _E.INCONSISTENT_TOPIC_ID: "brokers do not know a new topic yet",
    _E.UNKNOWN_CONTROLLER_ID: "the controller has changed",
    _E.REBOOTSTRAP_REQUIRED: "the client looks for the brokers again",
}

_AGAIN = {
    _E.ILLEGAL_GENERATION: "the group has been shared out anew",
    _E.UNKNOWN_MEMBER_ID: "the group gave up this member, which joins again",
    _E.REBALANCE_IN_PROGRESS: "the group is being shared out anew",
    _E.MEMBER_ID_REQUIRED: "the member is joining",
    _E.FENCED_INSTANCE_ID: "the member is joining again; where it means a rival, the next step fails for good",
    _E.FENCED_MEMBER_EPOCH: "the group gave up this member, which joins again",
    _E.STALE_MEMBER_EPOCH: "the group has been shared out anew",
    _E.UNRELEASED_INSTANCE_ID: "the group still has our predecessor, until its session times out",
    _E.INVALID_PRODUCER_EPOCH: "the transaction took too long; where it means a rival, the next step fails for good",
    _E.TRANSACTION_ABORTABLE: "the broker asks for it",
    _E.CONCURRENT_TRANSACTIONS: "the transaction before is still being finished",
    _E._INVALID_DIFFERENT_RECORD: "another record of the same batch was refused: that one says why",
    _E._APPLICATION: "it was interrupted",
}

_ANEW = {
    _E._FATAL: "the client can do no more",
    _E._FENCED: "another client has the name, or the coordinator gave this one up",
    _E.PRODUCER_FENCED: "another client has the name, or the coordinator gave this one up",
    _E._STATE: "the client has lost its place",
    _E._CONFLICT: "the client has lost its place",
    _E._INCONSISTENT: "the client has lost its place",
    _E._GAPLESS_GUARANTEE: "what became of a record is not known",
    _E.OUT_OF_ORDER_SEQUENCE_NUMBER: "what became of a record is not known",
    _E.DUPLICATE_SEQUENCE_NUMBER: "what became of a record is not known",
    _E.INVALID_TXN_STATE: "the coordinator has finished the transaction without us",
    _E.INVALID_PRODUCER_ID_MAPPING: "the coordinator has forgotten the transactional id",
    _E.UNKNOWN_PRODUCER_ID: "the brokers have forgotten the producer",
    _E.TRANSACTION_COORDINATOR_FENCED: "the transactions' coordinator has changed",
}

_ENDS = {
    _E._UNKNOWN_PARTITION: "the topic has fewer partitions than that",
    _E._UNKNOWN_TOPIC: _TOPIC,
    _E.UNKNOWN_TOPIC_OR_PART: _TOPIC,
    _E.TOPIC_EXCEPTION: "the topic's name is not one that Kafka takes, or the topic is Kafka's own; name another",
    _E._FS: "a file cannot be read or written: check the paths in kafka:",
    _E._INVALID_ARG: "check the settings in kafka:",
    _E._SSL: "check the certificates in kafka:",
    _E._UNKNOWN_PROTOCOL: "check kafka.security.protocol and the addresses in kafka.bootstrap.servers",
    _E._AUTHENTICATION: _CREDENTIALS,
    _E.SASL_AUTHENTICATION_FAILED: _CREDENTIALS,
    _E.ILLEGAL_SASL_STATE: "check kafka.security.protocol: the broker expects another",
    _E.UNSUPPORTED_SASL_MECHANISM: "check kafka.sasl.mechanism: the broker does not know it",
    _E.SECURITY_DISABLED: "the broker has no authorizer: configure one there",
    _E.PRINCIPAL_DESERIALIZATION_FAILURE: "the brokers' principal builders differ: make them one",
    _E._NOT_IMPLEMENTED: "take a release of confluent-kafka that has it",
    _E._UNSUPPORTED_FEATURE: "the brokers are too old: take Kafka 2.5 or later",
    _E.UNSUPPORTED_VERSION: "the brokers are too old: take Kafka 2.5 or later",
    _E.UNSUPPORTED_FOR_MESSAGE_FORMAT: "the topic's message format is too old: alter message.format.version",
    _E.UNSUPPORTED_COMPRESSION_TYPE: "check kafka.compression.type: the broker does not know it",
    _E.UNSUPPORTED_ASSIGNOR: "check kafka.group.remote.assignor: the broker does not know it",
    _E._NOT_CONFIGURED: "check the settings in kafka:",
    _E._LOG_TRUNCATION: "the brokers lost records that were read before (unclean leader election): begin under a new application",
    _E.INVALID_MSG_SIZE: "raise max.message.bytes of the topic and kafka.message.max.bytes",
    _E.MSG_SIZE_TOO_LARGE: "raise max.message.bytes of the topic and kafka.message.max.bytes",
    _E.RECORD_LIST_TOO_LARGE: "raise segment.bytes of the topic, or lower kafka.batch.size",
    _E.OFFSET_METADATA_TOO_LARGE: "raise offset.metadata.max.bytes of the brokers",
    _E.INVALID_COMMIT_OFFSET_SIZE: "raise offset.metadata.max.bytes of the brokers",
    _E.INVALID_TIMESTAMP: "the record's time is too far ahead; raise message.timestamp.after.max.ms of the topic",
    _E.INVALID_RECORD: "its time is too far ahead (message.timestamp.after.max.ms of the topic), or a compacted topic got no key",
    _E.INVALID_REQUIRED_ACKS: "remove kafka.acks",
    _E.INCONSISTENT_GROUP_PROTOCOL: "a member of the group has another group.protocol or assignor: end it, or set the same",
    _E.INVALID_GROUP_ID: "give application: a name that Kafka takes",
    _E.INVALID_SESSION_TIMEOUT: "set kafka.session.timeout.ms between the brokers' group.min and group.max.session.timeout.ms",
    _E.INVALID_TRANSACTION_TIMEOUT: "set kafka.transaction.timeout.ms to at most the brokers' transaction.max.timeout.ms",
    _E.INVALID_REGULAR_EXPRESSION: "name the topics one by one",
    _E.TOPIC_AUTHORIZATION_FAILED: "it needs the ACLs Read and Describe (inputs), Write and Describe (our own topics)",
    _E.GROUP_AUTHORIZATION_FAILED: "it needs the ACLs Read and Describe on its groups (application-...)",
    _E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "it needs the ACLs Write and Describe on its transactional ids (application-...)",
    _E.CLUSTER_AUTHORIZATION_FAILED: "it needs the ACL IdempotentWrite on the cluster",
    _E.POLICY_VIOLATION: "the cluster's policy forbids it",
    _E.INVALID_PARTITIONS: "check topics.partitions",
    _E.INVALID_REPLICATION_FACTOR: "set topics.replication to at most the number of brokers",
    _E.INVALID_REPLICA_ASSIGNMENT: "set topics.replication to at most the number of brokers",
    _E.INVALID_CONFIG: "the cluster does not take the topic's settings",
    _E.TOPIC_DELETION_DISABLED: "set delete.topic.enable on the brokers",
    _E.GROUP_SUBSCRIBED_TO_TOPIC: "end the group's members first",
    _E._READ_ONLY: _OURS,
    _E._INVALID_TYPE: _OURS,
    _E._EXISTING_SUBSCRIPTION: _OURS,
    _E._KEY_SERIALIZATION: _OURS,
    _E._VALUE_SERIALIZATION: _OURS,
    _E._KEY_DESERIALIZATION: _OURS,
    _E._VALUE_DESERIALIZATION: _OURS,
    _E.INVALID_REQUEST: _OURS,
}

_TOKENS = "of delegation tokens, which driftbus does not use"
_STREAMS = "of Kafka Streams' and share groups, which driftbus does not use"
_BETWEEN = "of brokers among themselves"

_UNEXPECTED = {
    _E._NO_OFFSET: "of offsets stored in the client, which driftbus does not use",
    _E.INVALID_UPDATE_VERSION: _BETWEEN,
    _E.FEATURE_UPDATE_FAILED: _BETWEEN,
    _E.INCONSISTENT_VOTER_SET: _BETWEEN,
    _E.INVALID_VOTER_KEY: _BETWEEN,
    _E.DUPLICATE_VOTER: _BETWEEN,
    _E.VOTER_NOT_FOUND: _BETWEEN,
    _E.INVALID_REGISTRATION: _BETWEEN,
    _E.FENCED_STATE_EPOCH: _BETWEEN,
    _E.LOG_DIR_NOT_FOUND: _BETWEEN,
    _E.ELECTION_NOT_NEEDED: "of elections that driftbus does not ask for",
    _E.NO_REASSIGNMENT_IN_PROGRESS: "of reassignments that driftbus does not ask for",
    _E.MISMATCHED_ENDPOINT_TYPE: "of controllers, which driftbus does not ask",
    _E.UNSUPPORTED_ENDPOINT_TYPE: "of controllers, which driftbus does not ask",
    _E.DELEGATION_TOKEN_AUTH_DISABLED: _TOKENS,
    _E.DELEGATION_TOKEN_NOT_FOUND: _TOKENS,
    _E.DELEGATION_TOKEN_OWNER_MISMATCH: _TOKENS,
    _E.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: _TOKENS,
    _E.DELEGATION_TOKEN_AUTHORIZATION_FAILED: _TOKENS,
    _E.DELEGATION_TOKEN_EXPIRED: _TOKENS,
    _E.INVALID_PRINCIPAL_TYPE: _TOKENS,
    _E.RESOURCE_NOT_FOUND: "of credentials and client metrics, which driftbus does not manage",
    _E.DUPLICATE_RESOURCE: "of credentials, which driftbus does not manage",
    _E.UNACCEPTABLE_CREDENTIAL: "of credentials, which driftbus does not manage",
    _E.UNKNOWN_SUBSCRIPTION_ID: "of the client's metrics, which it pushes by itself",
    _E.TELEMETRY_TOO_LARGE: "of the client's metrics, which it pushes by itself",
    _E.INVALID_RECORD_STATE: _STREAMS,
    _E.SHARE_SESSION_NOT_FOUND: _STREAMS,
    _E.INVALID_SHARE_SESSION_EPOCH: _STREAMS,
    _E.SHARE_SESSION_LIMIT_REACHED: _STREAMS,
    _E.STREAMS_INVALID_TOPOLOGY: _STREAMS,
    _E.STREAMS_INVALID_TOPOLOGY_EPOCH: _STREAMS,
    _E.STREAMS_TOPOLOGY_FENCED: _STREAMS,
}

#: By code.
TABLE = {
    code: Meaning(outcome, why)
    for outcome, whys in (
        (Outcome.HEARD, _HEARD),
        (Outcome.WAITS, _WAITS),
        (Outcome.AGAIN, _AGAIN),
        (Outcome.ANEW, _ANEW),
        (Outcome.ENDS, _ENDS),
        (Outcome.UNEXPECTED, _UNEXPECTED),
    )
    for code, why in whys.items()
}


def meaning(code: int) -> Meaning:
    """What becomes of an error; of a code that a later client brings: the cautious."""
    return TABLE.get(code, Meaning(Outcome.UNEXPECTED, "not in this table: of a later client library or broker"))
