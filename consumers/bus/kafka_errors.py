"""What Kafka's errors mean here: wait, try the transaction again, or end, saying what to change."""

import logging
from typing import NoReturn

from confluent_kafka import KafkaError, KafkaException

from .interface import BusError, Fenced

_log = logging.getLogger(__name__)

#: Not among them: FENCED_INSTANCE_ID and INVALID_PRODUCER_EPOCH, which a member also gets that is just joining again, or whose transaction
#: took too long. Where they mean another client, the next step fails fatally.
_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED})
#: Trying again changes nothing until somebody changes something.
_PERMANENT = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "it needs the ACLs Read and Describe (inputs), Write and Describe (our own topics)",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "it needs the ACLs Read and Describe on its groups (application-...)",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "it needs the ACLs Write and Describe on its transactional ids (application-...)",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "it needs the ACL IdempotentWrite on the cluster",
    KafkaError.MSG_SIZE_TOO_LARGE: "raise max.message.bytes of the topic and kafka.message.max.bytes",
    KafkaError.INVALID_TIMESTAMP: "the record's time is too far ahead; raise message.timestamp.after.max.ms of the topic",
    KafkaError.INVALID_RECORD: "its time is too far ahead (message.timestamp.after.max.ms of the topic), or a compacted topic got no key",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "create the topic (driftbus topics create makes our own)",
    KafkaError._UNKNOWN_TOPIC: "create the topic (driftbus topics create makes our own)",
    KafkaError._UNKNOWN_PARTITION: "the topic has fewer partitions than that",
    KafkaError.POLICY_VIOLATION: "the cluster's policy forbids it",
    KafkaError._AUTHENTICATION: "check the credentials in kafka:",
    KafkaError.SASL_AUTHENTICATION_FAILED: "check the credentials in kafka:",
    KafkaError._SSL: "check the certificates in kafka:",
}

#: The cluster is busy with itself: the same request will do in a moment.
_TRANSIENT = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_CONTROLLER,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._WAIT_COORD,
    }
)


class Ended(BusError):
    """A client that can do no more; another one of the same name may."""


def error_of(exception: KafkaException) -> KafkaError:
    """The error inside."""
    error: KafkaError = exception.args[0]
    return error


def fenced(error: KafkaError) -> bool:
    """Whether another client has this one's name, or its coordinator gave it up."""
    return error.code() in _FENCED


def permanent(error: KafkaError) -> bool:
    """Whether somebody must change something first."""
    return error.code() in _PERMANENT


def transient(error: KafkaError) -> bool:
    """Whether the same request may do in a moment."""
    return error.code() in _TRANSIENT


def refuse(error: KafkaError, what: str) -> NoReturn:
    """End with what was being done, why not, and what to change. Settings, and so secrets, are never part of it."""
    if fenced(error):
        msg = f"{what}: another client has its name now, or its coordinator gave it up ({error.name()})"
        raise Fenced(msg)
    hint = _PERMANENT.get(error.code())
    msg = f"{what}: {error.str()} ({error.name()}){f'; {hint}' if hint else ''}"
    raise BusError(msg)


def report(error: KafkaError) -> None:
    """For errors of the client as a whole, which it goes on to repair by itself."""
    _log.warning("kafka: %s (%s)", error.str(), error.name())
