"""Folds and hands in turn, for a producer that plays the model server: it writes a day, marks it, and goes on when all is done.

Everything waits for everything, so what comes of a year depends on no machine's speed: folds read what there is to its end, role by role;
then hands act, one at a time, in the topology's order, and folds read again what came of it. A job holds the next day up until it has ended
and its end has been read; a version that answers in the shadow holds nothing up.

*Trap.* A turn that finds nothing tells that nothing is there on the embedded bus alone: a record of a Kafka may be on its way.
"""

from collections.abc import Sequence

from ..process.consumer import Consumer
from ..process.standing import Located
from .runner import PATIENCE_S, Pipeline
from .topology import TOPOLOGY

_HANDS = frozenset(node.role for node in TOPOLOGY if node.kind == "hand")


def rest(pipeline: Pipeline) -> int:
    """Turn its consumers until none has anything left to do. Returns how often hands acted."""
    folds = [of_role for role, of_role in pipeline.by_role.items() if role not in _HANDS]
    hands = [consumer for role, of_role in pipeline.by_role.items() if role in _HANDS for consumer in of_role]
    acted = 0
    while True:
        while sum(map(_turned, folds)):  # each of them in turn: what a later one writes an earlier one may read
            pass
        if not any(_acted(hand) for hand in hands):
            return acted
        acted += 1


def _turned(of_role: Sequence[Consumer]) -> bool:
    """Whether one of a role had something to do; then turned until none has."""
    worked = False
    while sum(consumer.turn(0) for consumer in of_role):
        worked = True
    return worked


def _acted(hand: Consumer) -> bool:
    """Whether it had something to do, or waits for something that it has begun."""
    if hand.turn(0):
        return True
    waits = isinstance(hand, Located) and hand.standing().open > 0
    if waits:
        hand.turn(PATIENCE_S)
    return waits
