"""Where an event is: in times, or in rows where its stream has panes of so many rows."""

from ...schemas.cloud_events import microseconds
from ...schemas.configuration import PaneLength
from ...schemas.messages.drift import DriftEvent


def placed(event: DriftEvent, pane: PaneLength) -> DriftEvent:
    """The event as people are told it: with rows instead of times where panes are counted in rows."""
    if pane.unit != "rows":
        return event

    def place(time: str) -> str:
        return pane.place(microseconds(time) // 1000)

    told = event.performance
    if told is not None:
        about, onset = told.about, told.onset
        told = told.model_copy(
            update={
                "about": None if about is None else (place(about[0]), place(about[1])),
                "onset": None if onset is None else place(onset),
            }
        )
    bucket = place(event.bucket[0]), place(event.bucket[1])
    return event.model_copy(update={"onset": place(event.onset), "bucket": bucket, "performance": told})
