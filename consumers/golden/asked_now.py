"""A request by a person: written, waited for, and read back."""

import time
from collections.abc import Callable, Iterator, Sequence

from ...schemas.configuration import Configuration
from ...schemas.messages.golden import GoldenEvaluation, GoldenRequest
from ..bus.interface import Bus
from ..reference.golden_records import ask, folded

#: Seconds between two looks.
_LOOK_S = 0.2


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
