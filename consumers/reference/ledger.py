"""The ledger's records, and those of the topic of retrains: who asks for them, read, and addressed."""

from collections.abc import Callable, Mapping
from typing import get_args

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration, Model, Policy
from ...schemas.configuration import Promotion as PromotionSettings
from ...schemas.messages.action import LedgerFact, ledger_fact
from ...schemas.messages.job import JobStatus, State
from ...schemas.messages.promotion import STEPS, Promotion
from ...schemas.messages.retrain import RetrainRequest
from ..bus import own
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Bus, Output

Told = RetrainRequest | JobStatus
Decided = Told | Promotion
#: By the type of an event on the topic of retrains, how it is read.
READERS: Mapping[str, Callable[[bytes], Told]] = {
    RetrainRequest.TYPE: RetrainRequest.decoded,
    **{f"{JobStatus.TYPE}.{state}": JobStatus.decoded for group in get_args(State) for state in (get_args(group) or (group,))},
}

#: The same of what is to be done with versions.
PROMOTIONS: Mapping[str, Callable[[bytes], Promotion]] = {f"{Promotion.TYPE}.{step}": Promotion.decoded for step in STEPS}

_DECIDED: Mapping[str, Callable[[bytes], Decided]] = {**READERS, **PROMOTIONS}


def asked(configuration: Configuration) -> bool:
    """Whether any model has a policy, versions that must show something before they serve, or a learner: else there is no ledger."""
    return bool(policies_of(configuration))


def counts_labels(configuration: Configuration) -> bool:
    """Whether a policy waits for labels."""
    return any(policy.when == "labels" for policies in policies_of(configuration).values() for policy in policies.values())


def counts_reviews(configuration: Configuration) -> bool:
    """Whether people are asked about a model that has policies."""
    return any(configuration.models[model].review is not None for model in policies_of(configuration))


def policies_of(configuration: Configuration) -> dict[str, dict[str, Policy]]:
    """By model, of those that have any, whose versions must show something before they serve, or that incidents may hold as they learn."""
    models = configuration.models.items()
    return {name: own.retrain for name, own in models if own.retrain or own.promotion is not None or _held(own)}


def _held(model: Model) -> bool:
    return model.learner is not None and model.diagnosis is not None


def promotion_of(configuration: Configuration, model: str) -> PromotionSettings | None:
    """What a model's new versions must show; without a golden set nothing on it."""
    own = configuration.models[model]
    if own.promotion is None or own.golden is not None:
        return own.promotion
    return own.promotion.model_copy(update={"golden": None})


def compares(configuration: Configuration) -> bool:
    """Whether versions of any model are compared by their labels."""
    return any(model.promotion is not None and model.labels is not None for model in configuration.models.values())


def evaluates(configuration: Configuration) -> bool:
    """Whether versions of any model are tested on its golden set before they serve."""
    return any(model.promotion is not None and model.golden is not None for model in configuration.models.values())


def read(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> LedgerFact | None:
    """What anybody wrote on the ledger; None: nothing. Raises `Foreign` and `Unreadable`."""
    return None if value is None else own.of_anybody(application, ledger_fact, key or b"", value, headers)


def output(configuration: Configuration, said: LedgerFact) -> Output:
    """A fact as it is written: where all of its model lies."""
    topics = configuration.topics
    ours = said.model_copy(update={"application": configuration.application})
    return addressed(configuration, topics.actions, ours, partition_of(said.model, topics.partitions))


def tell(bus: Bus, configuration: Configuration, said: LedgerFact) -> None:
    """Write a fact, from outside."""
    bus.publish([output(configuration, said)])


def read_retrain(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Told | None:
    """What a record on the topic of retrains says; None: of a kind that a newer release has. Raises `Foreign` and `Unreadable`."""
    return own.read_of_model(application, READERS, key, value, headers)


def read_promotion(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Promotion | None:
    """What a record on the topic of retrains says of a version; None: it is about a job. Raises `Foreign` and `Unreadable`."""
    return own.read_of_model(application, PROMOTIONS, key, value, headers)


def read_decided(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Decided | None:
    """All that the decider says, of jobs and of versions. Raises `Foreign` and `Unreadable`."""
    return own.read_of_model(application, _DECIDED, key, value, headers)


def retrain_output(configuration: Configuration, said: Decided) -> Output:
    """A request, a status or a step as it is written."""
    topics = configuration.topics
    return addressed(configuration, topics.retrain, said, partition_of(said.model, topics.partitions))
