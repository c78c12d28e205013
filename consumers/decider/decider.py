"""The decider: facts of the ledger in, requests to retrain and states of jobs out. A fold, and the only one who writes these.

*Guarantee.* That of the folding consumer (`driftbus.consumers.process.folding`): what is asked for is a pure function of a partition of the
ledger, and is written in the transaction that commits the offset behind the fact that decided it. It starts nothing.
"""

from collections.abc import Mapping

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.action import LedgerFact
from ...schemas.messages.example_words import ExampleHold
from ...schemas.stored.snapshot import PartitionState
from ..bus.interface import Output
from ..process.consumer import Making
from ..process.folding import Folding
from ..reference import examples, ledger
from .fold import Fold, Said

ROLE = "decider"


def make(making: Making) -> list[Folding[LedgerFact, Said]]:
    """The one decider of a process; none where no model has policies."""
    if not ledger.asked(making.configuration):
        return []
    return [Folding(making.bus, making.configuration, Deciding(making.configuration), making.wall)]


class Deciding:
    """Folds of the ledger, and how what they say is written."""

    role = ROLE

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.topic = configuration.topics.actions

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> LedgerFact | None:
        """A fact."""
        return ledger.read(self._configuration.application, key, value, headers)

    def begin(self) -> Fold:
        """Nothing seen."""
        return Fold(self._configuration)

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, LedgerFact]) -> Fold:
        """From a snapshot."""
        return Fold.restored(self._configuration, state, parts)

    def outputs(self, said: Said, partition: int) -> list[Output]:
        """A request, or a state; to the examples, what holds a learner."""
        if isinstance(said, ExampleHold):
            return [examples.output(self._configuration, said)]
        return [ledger.retrain_output(self._configuration, said)]
