"""The pipeline as a table: which consumer reads what and writes what. They meet on the bus, never by import."""

from typing import NamedTuple


class Node(NamedTuple):
    """One consumer."""

    role: str
    reads: str
    writes: tuple[str, ...]
    does: str


TOPOLOGY = (
    Node(
        "profiler",
        "streams.*.topics",
        ("summaries", "dead-letter"),
        "counts predictions in the reference's bins, one pane per run of the log",
    ),
    Node("detector", "summaries", ("drift", "snapshots"), "sums panes over partitions, tests every bucket, opens and resolves episodes"),
)

ROLES = tuple(node.role for node in TOPOLOGY)
