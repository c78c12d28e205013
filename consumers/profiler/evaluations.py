"""Which golden evaluations are open, for rows that say that they are of one: whoever marks a row hides it from what is watched."""

from collections.abc import Iterator, Sequence

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.golden import GoldenEvaluation, keyed
from ...schemas.messages.notice import Notice
from ..bus.addressing import addressed
from ..bus.interface import Bus, Output
from ..bus.own import Unreadable
from ..bus.table import Table
from ..reference.golden_records import read
from .runs import Golden

#: Milliseconds behind the end of an evaluation in which rows of it may still come: of slow models, and through slow pipelines.
STILL_COME = 600_000
#: Evaluations that are told by a process; one that makes up their ids is found out by the first.
MOST_TOLD = 20


class Evaluations:
    """Those on the golden topic, read on only where there are marked rows."""

    def __init__(self, bus: Bus, configuration: Configuration) -> None:
        self._configuration = configuration
        self._table: Table[bytes, tuple[str, int]] = Table(bus, configuration.topics.golden, _key, self._read)
        self._told = dict[str, None]()

    def told(self, stream: str, golden: Sequence[Golden]) -> Iterator[Output]:
        """What is to be said of the marked rows of a run: once of each evaluation that was not open then."""
        if not golden:
            return
        self._table.refresh()
        known = dict[str, int]()
        for evaluation, answered in self._table.facts.values():
            known[evaluation] = max(answered, known.get(evaluation, 0))
        for one in golden:
            if not _open(known.get(one.evaluation), one.newest) and one.evaluation not in self._told and len(self._told) < MOST_TOLD:
                self._told[one.evaluation] = None
                notice = Notice.marked(self._configuration.application, stream, one.place, one.evaluation, one.rows, one.newest)
                topics = self._configuration.topics
                yield addressed(self._configuration, topics.drift, notice, one.place.partition % topics.partitions)

    def _read(self, key: bytes, value: bytes, headers: Headers) -> tuple[str, int]:
        """Which evaluation a record is of, and when that was over; 0: it is not."""
        said = read(self._configuration.application, key, value, headers)
        if said is None:
            msg = "of a newer release"
            raise Unreadable(msg)
        return said.request, said.answered if isinstance(said, GoldenEvaluation) else 0


def _open(answered: int | None, bucket: int) -> bool:
    """Whether rows of an evaluation may come in a bucket. None: nobody knows it; 0: it is not over."""
    return answered is not None and (not answered or bucket <= answered + STILL_COME)


def _key(key: bytes) -> bytes | None:
    found = keyed(key)
    return key if found is not None and found.kind in {"request", "evaluation"} else None
