"""The records of the summaries topic: panes, without what only the diagnoser reads of them, and progress."""

from collections.abc import Callable, Iterator, Mapping

from ...schemas.cloud_events import Headers
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import Progress
from ..bus import own
from ..bus.interface import Batch

READERS: Mapping[str, Callable[[bytes], Pane | Progress]] = {Pane.TYPE: Pane.counted, Progress.TYPE: Progress.decoded}


def fact_of(application: str, value: bytes | None, headers: Headers) -> Pane | Progress | None:
    """A record's content; None: of a type of tomorrow. Raises as `driftbus.consumers.bus.own.read` does."""
    return own.read(application, READERS, value, headers)


def facts_of(application: str, batch: Batch) -> Iterator[tuple[int, int, Pane | Progress]]:
    """Offset, append time and content of an application's panes and progress in a batch; what else is there is passed over."""
    columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.values, batch.headers(), strict=True)
    for offset, appended, value, headers in columns:
        try:
            fact = fact_of(application, value, headers)
        except (own.Foreign, own.Unreadable):
            continue
        if fact is not None:
            yield offset, appended, fact
