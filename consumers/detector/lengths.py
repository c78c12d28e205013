"""Panes of another length than the detector's own: told once. They count in the bucket in which theirs ends, so no row is lost or doubled.

Shorter ones that fit in add up to what a pane of the whole bucket would be. A longer one brings rows of earlier buckets, so the bucket
that it ends in is not complete.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...schemas.configuration import Configuration, PaneLength, pane_length
from ...schemas.duration import written
from ...schemas.identity import derived_id
from ...schemas.messages.notice import Notice
from ...schemas.messages.pane import Pane
from ...schemas.unusable import Unusable
from ..streams.align import Aligned
from ..streams.buckets import Buckets

#: So many buckets with such panes are a change that is under way: profilers and detectors do not start at the same time.
UNDER_WAY = 3


@dataclass
class PaneLengths:
    """In how many buckets each stream had panes of another length, up to the one that was told."""

    configuration: Configuration
    seen: dict[tuple[str, int], int] = field(default_factory=dict)  #: by stream and length, ms

    def wider(self, aligned: Aligned) -> bool:
        """Whether the bucket holds rows of earlier ones."""
        return any(one.pane.start is not None and one.pane.start < aligned.start for one in aligned.panes)

    def notices(self, stream: str, tiling: Buckets, aligned: Aligned) -> list[Notice]:
        """Count a bucket's panes of other lengths; what is now to be told."""
        other: dict[int, Pane] = {}
        for pane in (one.pane for one in aligned.panes):
            if pane.start is not None and (pane.start, pane.bucket) != (tiling.start(pane.bucket - 1), tiling.end(pane.bucket - 1)):
                other.setdefault(pane.bucket - pane.start, pane)
        told = []
        for length, pane in sorted(other.items()):
            number = self.seen.get((stream, length), 0) + 1
            self.seen[stream, length] = min(number, UNDER_WAY + 1)
            if number == UNDER_WAY:
                told.append(self._notice(stream, length, pane, aligned.end))
        return told

    def _notice(self, stream: str, length: int, pane: Pane, end: int) -> Notice:
        own = self.configuration.streams[stream].pane
        return Notice(
            about="panes",
            model=pane.model,
            version=pane.version,
            stream=stream,
            bucket=end,
            text=(
                f"stream {stream} has panes of {written(length)}, as of {pane.topic}[{pane.partition}], and is evaluated by {own}: "
                f"write the same streams.{stream}.pane for every process; until then rows count in the bucket in which their pane ends"
            ),
            facts={"length_ms": length, "pane": str(own), "topic": pane.topic, "partition": pane.partition},
            identity=derived_id("panes", self.configuration.application, stream, pane.model, pane.version, length, str(own)),
        )

    def forget(self, stream: str) -> None:
        """Its own length is another one now."""
        self.seen = {key: number for key, number in self.seen.items() if key[0] != stream}

    def plain(self) -> list[list[Any]]:  # texts and numbers
        """As it stands in a snapshot."""
        return [[*key, number] for key, number in self.seen.items()]

    @classmethod
    def restored(cls, configuration: Configuration, plain: Sequence[Sequence[Any]]) -> "PaneLengths":
        """What `plain` wrote."""
        return cls(configuration, {(stream, length): number for stream, length, number in plain})


def changed_panes(configuration: Configuration, kept: Mapping[str, str]) -> dict[str, PaneLength]:
    """The former panes of streams that have others now. Rows and times have no common clock."""
    found = {name: pane_length(text) for name, text in kept.items() if name in configuration.streams}
    for name, former in found.items():
        pane = configuration.streams[name].pane
        if (former.unit == "rows") != (pane.unit == "rows"):
            msg = f"streams.{name}.pane: was {former}, and cannot become {pane}: take a new name of the application, which starts anew"
            raise Unusable(msg)
    return {name: former for name, former in found.items() if former != configuration.streams[name].pane}
