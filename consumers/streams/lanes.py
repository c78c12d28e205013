"""Lanes: what the detector aligns together, and by which its notes of episodes are complete.

A lane of one partition of the summaries writes its notes and its progress (kind `episode`) to that partition, and to no other. So who folds
one awaits its lanes like partitions of an input topic.
"""

from typing import NamedTuple

from ...schemas.configuration import Configuration
from ...schemas.messages.pane import OOD, PREDICTIONS
from ...schemas.messages.progress import InputPartition


class Lane(NamedTuple):
    """What is aligned together: the panes of one kind of one stream.

    >>> Lane("clicks", "ood").source.topic
    'ood/clicks'
    """

    stream: str
    of: str

    def __str__(self) -> str:
        """As a key in a snapshot; a stream's name may hold slashes."""
        return f"{self.of}/{self.stream}"

    @property
    def source(self) -> InputPartition:
        """In whose name it says how far it is complete. No topic is called so: a slash may stand in no topic's name."""
        return InputPartition(topic=str(self), topic_id="", partition=0)


def lanes_of(configuration: Configuration, stream: str) -> tuple[Lane, ...]:
    """Those that test what a stream of predictions holds, by itself: not by its labels."""
    asked = any(model.ood is not None and configuration.stream_of(name) == stream for name, model in configuration.models.items())
    return (Lane(stream, PREDICTIONS), Lane(stream, OOD)) if asked else (Lane(stream, PREDICTIONS),)
