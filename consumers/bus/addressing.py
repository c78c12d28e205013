"""How our own messages are addressed: topic, partition, key, CloudEvents headers. What a message cannot know by itself is whose it is."""

import zlib

from ...schemas.cloud_events import Message, headers
from ...schemas.configuration import Configuration
from ...schemas.messages.dead_letter import DeadLetter
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.notice import Notice
from .bounded import bounded, bounded_notice
from .interface import Output


def partition_of(key: str, partitions: int) -> int:
    """The partition in which all meets that has this key: of panes, snapshots and events, the model.

    >>> partition_of("fraud", 8)
    2
    """
    return zlib.crc32(key.encode()) % partitions


def source(application: str) -> str:
    """``ce_source`` of all that an application publishes."""
    return f"/driftbus/{application}"


def addressed(configuration: Configuration, topic: str, message: Message, partition: int | None, value: bytes | None = None) -> Output:
    """The record of any message; ``partition`` None: the bus chooses by the key. ``value``: where it is encoded already."""
    heads = headers(message, source(configuration.application))
    if isinstance(message, DeadLetter):
        heads += message.further_headers
    if isinstance(message, DriftEvent):
        message = bounded(message)
    elif isinstance(message, Notice):
        message = bounded_notice(message)
    return Output(topic, partition, message.key.encode(), message.encoded() if value is None else value, heads)
