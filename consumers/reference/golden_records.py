"""Records of the golden topic: read, and addressed."""

from collections.abc import Callable, Mapping, Sequence

from ...detectors.golden.fold import Fold, Said
from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.golden import MILLION, Cause, GoldenEvaluation, GoldenRequest, GoldenResult, GoldenStarted
from ..bus import own
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Bus, BusError, Output, TopicPartition

_READERS: Mapping[str, Callable[[bytes], Said]] = {
    "io.driftbus.golden.request": GoldenRequest.model_validate_json,
    "io.driftbus.golden.started": GoldenStarted.model_validate_json,
    "io.driftbus.golden.result": GoldenResult.decoded,
    "io.driftbus.golden.evaluation": GoldenEvaluation.model_validate_json,
}


def asked(configuration: Configuration) -> bool:
    """Whether any model has a golden set: else there is no such topic."""
    return any(model.golden is not None for model in configuration.models.values())


def read(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Said | None:
    """What a record says; None: of a kind that a newer release has. Raises `own.Foreign` and `own.Unreadable`."""
    return own.read_of_model(application, _READERS, key, value, headers)


def place_of(configuration: Configuration, model: str) -> TopicPartition:
    """The partition in which all evaluations of a model are."""
    return TopicPartition(configuration.topics.golden, partition_of(model, configuration.topics.partitions))


def output(configuration: Configuration, said: Said) -> Output:
    """A record as it is written."""
    place = place_of(configuration, said.model)
    return addressed(configuration, place.topic, said, place.partition)


def request_of(
    configuration: Configuration, model: str, version: str, golden: str | None, cause: Cause, named: str, now: int, *, spread: bool = False
) -> GoldenRequest:
    """A request with the tolerance that is configured of the model."""
    settings = configuration.models[model].golden if model in configuration.models else None
    made = GoldenRequest.of(configuration.application, model, version, golden, cause, named, asked=now, spread=spread)
    return made if settings is None else made.model_copy(update={"tolerance": round(settings.tolerance * MILLION)})


def ask(bus: Bus, configuration: Configuration, requests: Sequence[GoldenRequest]) -> None:
    """Write requests, from outside."""
    bus.publish([output(configuration, request) for request in requests])


def folded(bus: Bus, configuration: Configuration, model: str) -> Fold:
    """The evaluations of a model's partition, as they are on the topic now."""
    place, fold = place_of(configuration, model), Fold()
    if place.topic not in bus.describe([place.topic]):
        msg = f"topic {place.topic} does not exist; create it with: driftbus topics create"
        raise BusError(msg)
    for batch in bus.read(place, *bus.watermarks(place)):
        for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
            try:
                if value is None:
                    fold.gone(key)
                elif said := read(configuration.application, key, value, headers):
                    fold.feed(said)
            except (own.Foreign, own.Unreadable, ValueError):
                continue  # told by the evaluator
    return fold
