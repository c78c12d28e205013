"""The records of the summaries topic: panes, and progress."""

from ...schemas import cloud_events
from ...schemas.cloud_events import Headers
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import Progress
from ..bus.addressing import PANE, PROGRESS
from ..bus.interface import Batch


def fact_of(value: bytes | None, headers: Headers) -> Pane | Progress | None:
    """A record's content; None: what else is written there is none of ours. Raises `ValueError` where it cannot be read."""
    kind = cloud_events.attributes(headers).get("type")
    if value and kind == PANE:
        return Pane.decoded(value)
    if value and kind == PROGRESS:
        return Progress.decoded(value)
    return None


def facts_of(batch: Batch) -> list[tuple[int, int, Pane | Progress]]:
    """Offset, append time and content of the panes and progress in a batch."""
    columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.values, batch.headers(), strict=True)
    read = ((offset, appended, fact_of(value, headers)) for offset, appended, value, headers in columns)
    return [(offset, appended, fact) for offset, appended, fact in read if fact is not None]
