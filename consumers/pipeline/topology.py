"""The pipeline as a table, and it is executed: a role is what a person starts, names and gives rights to. They meet on the bus.

From it come the consumers of a process, driftbus's own topics, the permissions, the README's table and the AsyncAPI document. A new role is
one room, one row here and its message types; `CONTRIBUTING.md` says how.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ..clerk import clerk
from ..detector import detector
from ..joiner import joiner
from ..process.consumer import Consumer, Kind, Making
from ..profiler import profiler

#: In place of a topic's name: the topics of the configured streams, of predictions and of labels.
INPUTS = "streams.*.topics"


def _has_labels(configuration: Configuration) -> bool:
    return bool(configuration.labels)


#: Topics that are there only where something is configured.
OPTIONAL: Mapping[str, Callable[[Configuration], bool]] = {"joins": _has_labels, "performance": _has_labels}


class Node(NamedTuple):
    """One role. Topics are named by what `KafkaTopics` calls them."""

    role: str
    kind: Kind
    reads: tuple[str, ...]  #: the first is the one whose offsets it commits
    writes: tuple[str, ...]
    does: str
    make: Callable[[Making], Sequence[Consumer]]
    per_stream: bool = False  #: a group for every stream: ``application-ROLE-STREAM``


TOPOLOGY = (
    Node(
        profiler.ROLE,
        "fold",
        (INPUTS, "models"),
        ("summaries", "joins", "dead-letter", "drift"),
        "counts predictions in the reference's bins, one pane per run of the log; hands predictions and labels to the joiner",
        profiler.make,
        per_stream=True,
    ),
    Node(
        joiner.ROLE,
        "fold",
        ("joins", "snapshots"),
        ("summaries", "snapshots", "drift", "dead-letter"),
        "lets predictions meet their labels, and sums what became of them",
        joiner.make,
    ),
    Node(
        clerk.ROLE,
        "fold",
        ("models", "snapshots"),
        ("summaries", "snapshots", "drift", "dead-letter"),
        "copies what is said of models (a version deployed, promoted, rolled back) to where its panes lie",
        clerk.make,
    ),
    Node(
        detector.ROLE,
        "fold",
        ("summaries", "snapshots"),
        ("drift", "performance", "snapshots", "dead-letter"),
        "sums panes over partitions, tests every bucket, opens and resolves episodes; tells how predictions turned out",
        detector.make,
    ),
)

ROLES = tuple(node.role for node in TOPOLOGY)


def started_by(configuration: Configuration) -> tuple[str, ...]:
    """The roles that have something to do: those all of whose first topics are there."""
    return tuple(node.role for node in TOPOLOGY if node.reads[0] not in OPTIONAL or OPTIONAL[node.reads[0]](configuration))
