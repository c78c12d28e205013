"""What an error means here, by `kafka_error_table`: wait, try the transaction again, begin anew, or end, saying what to change."""

import logging
from typing import NoReturn

from confluent_kafka import KafkaError, KafkaException

from .interface import BusError
from .kafka_error_table import Outcome, meaning

_log = logging.getLogger(__name__)

#: Errors about a topic that brokers also give while they learn of it: whoever reads asks whether it is there before it ends.
ABOUT_TOPICS = frozenset({KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART})
#: Errors that brokers also give while they start, and the seconds for which such answers, one behind the other, are not believed: they
#: learn of a topic that is there; they are all fenced, or not all registered, and so too few for a new topic.
PASSING_S = {**dict.fromkeys(ABOUT_TOPICS, 3.0), KafkaError.INVALID_REPLICATION_FACTOR: 15.0}
#: Errors about a position.
ABOUT_OFFSETS = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})


class Ended(BusError):
    """A client that can do no more; another one of the same name may."""


def error_of(exception: KafkaException) -> KafkaError:
    """The error inside."""
    error: KafkaError = exception.args[0]
    return error


def over(error: KafkaError) -> bool:
    """Whether its client can do no more."""
    return error.fatal() or meaning(error.code()).outcome is Outcome.ANEW


def permanent(error: KafkaError) -> bool:
    """Whether somebody must change something first."""
    return meaning(error.code()).outcome is Outcome.ENDS


def unexpected(error: KafkaError) -> bool:
    """Whether nobody knows that waiting helps."""
    return meaning(error.code()).outcome is Outcome.UNEXPECTED


def refuse(error: KafkaError, what: str) -> NoReturn:
    """Raise what was being done, why not, and what to change. Settings, and so secrets, are never part of it."""
    hint = meaning(error.code()).why if permanent(error) else ""
    msg = f"{what}: {error.str()} ({error.name()}){f'; {hint}' if hint else ''}"
    raise BusError(msg)


def end(error: KafkaError, what: str) -> NoReturn:
    """A client can do no more. Raise `Ended`: its session may begin anew; unless somebody must change something first."""
    if permanent(error):
        refuse(error, what)
    msg = f"{what}: {error.str()} ({error.name()})"
    raise Ended(msg)


def report(error: KafkaError) -> None:
    """For errors of the client as a whole, which it goes on to repair by itself."""
    _log.warning("kafka: %s (%s)", error.str(), error.name())
