"""The records of the summaries topic: panes, and progress."""

from ...schemas import cloud_events
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import Progress
from ..bus.addressing import PANE, PROGRESS
from ..bus.interface import Batch


def facts_of(batch: Batch) -> list[tuple[int, int, Pane | Progress]]:
    """Offset, append time and content of the panes and progress in a batch; what else is written there is none of ours."""
    found: list[tuple[int, int, Pane | Progress]] = []
    for offset, appended, value, heads in zip(
        batch.offsets.tolist(), batch.timestamps.tolist(), batch.values, batch.headers(), strict=True
    ):
        kind = cloud_events.attributes(heads).get("type")
        if value and kind == PANE:
            found.append((offset, appended, Pane.decoded(value)))
        elif value and kind == PROGRESS:
            found.append((offset, appended, Progress.decoded(value)))
    return found
