"""A request by a person: written, waited for, and read back."""

import time
from collections.abc import Callable, Iterator, Sequence

from ...detectors.golden.fold import Fold
from ...schemas.configuration import Configuration
from ...schemas.messages.golden import GoldenEvaluation, GoldenRequest
from ..bus import own
from ..bus.interface import Bus, BusError
from ..reference.golden_records import ask, place_of, read

#: Seconds between two looks.
_LOOK_S = 0.2


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


def evaluated(
    bus: Bus, configuration: Configuration, requests: Sequence[GoldenRequest], wait_s: float, turn: Callable[[], object]
) -> Iterator[GoldenEvaluation]:
    """Write requests, and wait for what they come to, in their order; ends where the time is over. ``turn``: called while it waits."""
    ask(bus, configuration, requests)
    deadline = time.monotonic() + wait_s
    for request in requests:
        while (found := _evaluation(bus, configuration, request)) is None:
            if time.monotonic() > deadline:
                return
            turn()
        yield found


def _evaluation(bus: Bus, configuration: Configuration, request: GoldenRequest) -> GoldenEvaluation | None:
    found = folded(bus, configuration, request.model).evaluations(request.model)
    return next((one for one in found if one.request == request.request), None)


def wait() -> None:
    """Until another process may have answered."""
    time.sleep(_LOOK_S)
