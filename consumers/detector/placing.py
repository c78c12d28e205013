"""Where an event is: in times, or in rows where its stream has panes of so many rows."""

from ...schemas.cloud_events import microseconds
from ...schemas.configuration import PaneLength
from ...schemas.messages.drift import DriftEvent


def placed(event: DriftEvent, pane: PaneLength) -> DriftEvent:
    """The event as people are told it: with rows instead of times where panes are counted in rows."""
    if pane.unit != "rows":
        return event
    onset, start, end = (pane.place(microseconds(time) // 1000) for time in (event.onset, *event.bucket))
    return event.model_copy(update={"onset": onset, "bucket": (start, end)})
