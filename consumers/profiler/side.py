"""What is made of a stream's runs: of predictions panes, of labels blocks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ...schemas.messages.progress import InputPartition, Progress
from ..bus.interface import Output
from ..streams.buckets import Buckets
from ..streams.cut import Item
from ..streams.records import Records
from .runs import ClosedRun


class Tallying(Protocol):
    """Takes the cut records of one input partition."""

    def add(self, records: Records, items: Sequence[Item], aside: Mapping[int, str] = ...) -> list[ClosedRun]:
        """Take what `cut` said of these records; returns the runs that it closed, in order.

        ``aside``: the offsets of records that are no rows, whatever they hold, each with the reason that its dead letter is to say.
        """
        ...


class Side(Protocol):
    """One stream's side of the pipeline."""

    @property
    def key(self) -> str:
        """Where the stream stands in the configuration: ``streams.clicks``."""
        ...

    @property
    def counted(self) -> Sequence[str]:
        """What its runs count (`ClosedRun.counted`)."""
        ...

    def keep_up(self) -> None:
        """Take note of what has been announced, now and then."""
        ...

    def retired(self) -> dict[str, int]:
        """The models of the stream of which no version is left, each with the boundary from which on that is so."""
        ...

    def tally(self, place: InputPartition, tiling: Buckets) -> Tallying:
        """A new tally of one partition, in which nothing is open."""
        ...

    def outputs(self, run: ClosedRun) -> Iterable[Output]:
        """A run as it is written."""
        ...

    def progress(self, progress: Progress, closed: Sequence[ClosedRun]) -> Iterable[Output]:
        """What is said of these runs, behind them, to all who wait for it."""
        ...
