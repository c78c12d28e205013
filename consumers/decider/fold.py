"""One partition of the ledger as a fold: whose a fact is, and what time it is."""

from collections.abc import Mapping, Sequence

import msgspec

from ...detectors.actions.state import Ledger
from ...detectors.actions.step import Said as Decided
from ...detectors.actions.step import step
from ...schemas.configuration import Configuration
from ...schemas.messages.action import ActionDue, ActionEpisode, ActionIncident, ActionLabels, ActionReach, ActionTick, LedgerFact
from ...schemas.messages.action_version import ActionContest
from ...schemas.messages.example_words import ExampleHold
from ...schemas.messages.job import JobStatus
from ...schemas.messages.progress import InputPartition
from ...schemas.messages.promotion import Promotion
from ...schemas.messages.retrain import RetrainRequest
from ...schemas.stored.snapshot import FORM, PartitionState
from ..bus.addressing import partition_of
from ..reference.ledger import policies_of, promotion_of
from ..streams.cut import LATEST
from .holds import Holds

__all__ = ["Fold", "Said"]

Said = Decided | ExampleHold
#: Under which name what is said is counted.
_COUNTED: Mapping[type, str] = {RetrainRequest: "requests", JobStatus: "statuses", Promotion: "steps", ExampleHold: "holds"}
#: What the times are told by, where the log does not stamp its records: the data, and the intake's clock.
_TELL_THE_TIME = (ActionIncident, ActionEpisode, ActionLabels, ActionContest, ActionTick, ActionDue, ActionReach)


class Fold:
    """The ledgers of all models of one partition.

    The time is the largest that was known: where the log stamps its records, when they were appended, whatever they state, for a clock that
    is ahead would put off nothing but hold up all; else what facts of the data state. All else holds at the time that it is: who says
    something states any time, of what is planned too, and by a single one everything remembered would be long over.
    """

    changed = False

    def __init__(self, configuration: Configuration) -> None:
        self._configuration, self._policies = configuration, policies_of(configuration)
        self._promotions = {model: promotion_of(configuration, model) for model in self._policies}
        self._ledgers: dict[str, Ledger] = {}
        self._holds = Holds({})
        self._own: list[str] = []  # the models of this partition
        self._append_time = False
        self._counts = {"requests": 0, "statuses": 0, "steps": 0, "holds": 0, "decided": 0, "astray": 0}

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Which models it has, and whose times its records have."""
        partitions = self._configuration.topics.partitions
        self._own = [model for model in self._policies if partition_of(model, partitions) == place.partition]
        self._append_time = append_time

    def feed(self, offset: int, appended: int, fact: LedgerFact) -> Sequence[Said]:
        """What follows from a fact, of each model that it concerns. Those of models without policies are nobody's; those of another
        partition's models lie astray.
        """
        concerned = self._own if isinstance(fact, ActionTick) else [fact.model]
        said: list[Said] = []
        for model in concerned:
            if model not in self._policies:
                continue
            if model not in self._own:
                self._counts["astray"] += 1
                continue
            known = appended if self._append_time else _stated(fact)
            own = self._ledgers.setdefault(model, Ledger())
            said += step(self._configuration.application, model, own, known, fact, self._policies[model], self._promotions[model])
            if self._configuration.models[model].learner is not None:
                said += self._holds.said(model, own)
        self._counts["decided"] += 1
        for one in said:
            self._counts[_COUNTED[type(one)]] += 1
        return said

    def due(self, now: int) -> Sequence[Said]:
        """Nothing: time comes as facts."""
        return []

    def resumed(self) -> Sequence[Said]:
        """Nothing: what a policy says holds from the next fact on."""
        return []

    def snapshot(self, position: int) -> tuple[PartitionState, Mapping[str, bytes]]:
        """Every model's ledger."""
        parts = {model: msgspec.msgpack.encode(own.plain()) for model, own in self._ledgers.items()}
        return PartitionState(
            form=FORM, position=position, states=tuple(parts), aligners={}, pending=(), fold={"held": self._holds.plain()}
        ), parts

    @classmethod
    def restored(cls, configuration: Configuration, state: PartitionState, parts: Mapping[str, bytes]) -> "Fold":
        """The fold that wrote `snapshot`. The ledgers of models without policies are kept: a policy may come back."""
        fold = cls(configuration)
        fold._holds = Holds(state.fold.get("held", {}))  # unknown to former releases
        fold._ledgers = {model: Ledger.restored(msgspec.msgpack.decode(part)) for model, part in parts.items()}
        return fold

    def totals(self) -> Mapping[str, int]:
        """Facts decided on, what was said, and what lay astray."""
        return self._counts


def _stated(fact: LedgerFact) -> int:
    """What time it is by a fact; 0: it does not say."""
    return min(fact.time or 0, LATEST) if isinstance(fact, _TELL_THE_TIME) else 0
