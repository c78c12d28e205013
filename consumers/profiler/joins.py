"""What is written to the joins topic: blocks where their ids meet, and progress behind them to all of its partitions."""

from collections.abc import Iterable, Iterator

from ...schemas.configuration import Configuration
from ...schemas.messages.block import Block
from ...schemas.messages.progress import Progress
from ..bus.addressing import addressed
from ..bus.interface import Output


def published(configuration: Configuration, blocks: Iterable[Block]) -> Iterator[Output]:
    """Blocks, each in its partition."""
    return (addressed(configuration, configuration.topics.joins, block, block.number) for block in blocks)


def said_to_joins(configuration: Configuration, progress: Progress) -> Iterator[Output]:
    """Progress of a stream whose rows wait in joins."""
    said = addressed(configuration, configuration.topics.joins, progress.model_copy(update={"read": (), "retired": {}}), None)
    return (said._replace(partition=number) for number in range(configuration.topics.partitions))
