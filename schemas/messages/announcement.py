"""Announcements on the models topic: which reference holds for a model version, and from when on."""

from urllib.parse import quote

from ..fact import Fact

#: `Announcement.since` of a reference that holds from the start of the log.
FROM_START = -(2**62)


class Announcement(Fact):
    """On ``driftbus.models``: from the bucket that ends after ``since`` on, ``reference`` holds for this model version."""

    model: str
    version: str
    reference: str | None  #: content hash; None: retired, no longer monitored
    since: int  #: ms of record time, a bucket boundary; -2**62: from the start
    rows: int = 0

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        return f"reference/{quote(self.model, safe='')}/{quote(self.version, safe='')}/{self.since}"
