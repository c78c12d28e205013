"""Records of the topic of examples: read, and words on them addressed."""

from collections.abc import Callable, Mapping

from ...schemas.configuration import Configuration
from ...schemas.messages.example_words import ExampleAnswer, ExampleHold
from ...schemas.messages.examples import Examples
from ...schemas.messages.progress import Progress
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Output

Told = Examples | Progress | ExampleAnswer | ExampleHold
READERS: Mapping[str, Callable[[bytes], Told]] = {
    Examples.TYPE: Examples.decoded,
    Progress.TYPE: Progress.decoded,
    ExampleAnswer.TYPE: ExampleAnswer.decoded,
    ExampleHold.TYPE: ExampleHold.decoded,
}


def output(configuration: Configuration, said: ExampleAnswer | ExampleHold) -> Output:
    """A word as it is written: where all of its model lies."""
    topics = configuration.topics
    return addressed(configuration, topics.examples, said, partition_of(said.model, topics.partitions))
