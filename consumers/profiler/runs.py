"""Open and closed runs of one input partition: what any side keeps of them, whatever it makes of their records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.block import Block
from ...schemas.messages.candidates import Candidates
from ...schemas.messages.dead_letter import MOST_PER_RUN
from ...schemas.messages.ood import OodSample
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import InputPartition, ReadRecords
from ..bus.interface import Output
from ..decode.personal import plain_reason
from ..streams.cut import EARLIEST, LATEST, AcceptedRows, Cut, Item, WrongClock
from ..streams.records import Records, joined
from .bad import Bad, bad
from .reading import Reading

NOTHING_ASIDE: Mapping[int, str] = MappingProxyType({})


class Golden(NamedTuple):
    """Rows of one evaluation in a run: they are no traffic."""

    place: InputPartition
    evaluation: str
    rows: int
    newest: int  #: the bucket of the last


@dataclass
class ClosedRun:
    """What one run comes to."""

    cut: Cut
    bad: list[Bad]  #: the first `MOST_PER_RUN`, in order
    further_bad: int
    skipped: int = 0  #: records that are no rows
    read: list[ReadRecords] = field(default_factory=list)  #: by bucket, of the stream, and of models with records that cannot be read
    panes: list[Pane] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    samples: list[OodSample] = field(default_factory=list)  #: of rows unlike the training data
    counted: Mapping[str, int] = field(default_factory=dict)  #: what goes into the reader's totals
    outputs: list[Output] = field(default_factory=list)  #: as it is written
    candidates: list[Candidates] = field(default_factory=list)
    golden: list[Golden] = field(default_factory=list)  #: rows that evaluations asked for


@dataclass
class OpenRun:
    """An open or closing run."""

    first: int
    last: int
    bad: list[Bad] = field(default_factory=list)
    further_bad: int = 0
    skipped: int = 0
    reading: Reading = field(default_factory=Reading)

    def keep_first(self) -> None:
        """Bound what is kept of a run of nothing but bad records."""
        self.bad.sort(key=lambda one: (one.offset, one.field or ""))
        self.further_bad += max(0, len(self.bad) - MOST_PER_RUN)
        del self.bad[MOST_PER_RUN:]


Run = TypeVar("Run", bound=OpenRun)


class Taken(NamedTuple):
    """Of accepted records, row by row: the run, the bucket, whether it is late, and the high water behind it."""

    run: NDArray[np.int64]
    buckets: NDArray[np.int64]
    late: NDArray[np.bool_]
    waters: NDArray[np.int64]

    def of(self, rows: slice) -> "Taken":
        """Of some of the records."""
        return Taken(self.run[rows], self.buckets[rows], self.late[rows], self.waters[rows])


class Runs(Generic[Run]):
    """The runs of one partition that are not yet closed, in order; the last one may be open."""

    def __init__(self, begun: Callable[[int, int], Run], *, withheld: bool = False) -> None:
        """``withheld``: what bad records hold is kept out of what is remembered of them."""
        self._begun, self._withheld = begun, withheld
        self._runs: list[Run] = []

    def __getitem__(self, number: int) -> Run:
        return self._runs[number]

    def all(self) -> Sequence[Run]:
        """All of them."""
        return self._runs

    def take(self, records: Records, items: Sequence[Item]) -> tuple[Sequence[Cut], Records, Taken | None]:
        """What the cutter said: the cuts, and the accepted records with what was said of each; None where there are none.

        Records of a wrong clock are bad.
        """
        cuts: list[Cut] = []
        rows: list[AcceptedRows] = []
        run_of: list[int] = []
        for item in items:
            if isinstance(item, Cut):
                cuts.append(item)
                continue
            start, stop = (item.index, item.index + 1) if isinstance(item, WrongClock) else (item.start, item.stop)
            run = self._open(len(cuts), int(records.offsets[start]))
            run.last = int(records.offsets[stop - 1])
            if isinstance(item, WrongClock):
                run.bad.append(_of_wrong_clock(records, item, withheld=self._withheld))
            else:
                rows.append(item)
                run_of.append(len(cuts))
        for run in self._runs:
            run.keep_first()  # of wrong clocks
        if not rows:
            return cuts, records, None
        return cuts, *self._taken(records, rows, run_of)

    def _taken(self, records: Records, parts: Sequence[AcceptedRows], run_of: Sequence[int]) -> tuple[Records, Taken]:
        if sum(part.stop - part.start for part in parts) < len(records):
            records = joined([records.since(part.start).before(part.stop - part.start) for part in parts])
        taken = Taken(
            np.repeat(run_of, [part.stop - part.start for part in parts]),
            np.concatenate([part.buckets for part in parts]),
            np.concatenate([part.late for part in parts]),
            np.concatenate([part.waters for part in parts]),
        )
        for part, number in zip(parts, run_of, strict=True):
            self._runs[number].reading.taken(part.buckets)
        for row in np.flatnonzero(records.ends).tolist():
            self._runs[int(taken.run[row])].reading.none(int(taken.buckets[row]))
        return records, taken

    def set_aside(self, records: Records, run: NDArray[np.int64], aside: Mapping[int, str]) -> Records:
        """The records with nothing in those that are set aside, whose dead letters are written."""
        rows = [row for row, offset in enumerate(records.offsets.tolist()) if offset in aside] if aside else []
        for row in rows:
            reason = aside[int(records.offsets[row])]
            self.refuse(records, run, row, None, reason, plain=": ".join(reason.split(": ")[:2]))  # an error's text may quote
        return records.emptied(rows)

    def refuse(
        self, records: Records, run: NDArray[np.int64], row: int, field_: str | None, reason: str, *, plain: str | None = None
    ) -> None:
        """A record, or a field of it, is bad; ``plain``: the reason without anything of the record."""
        value = records.values[row]
        if self._withheld:
            reason = plain or plain_reason(value, field_)
        refused = bad(int(records.offsets[row]), field_, reason, int(records.timestamps[row]), value, withheld=self._withheld)
        self._runs[int(run[row])].bad.append(refused)

    def skip(self, taken: Taken, rows: Sequence[int] | NDArray[np.int64]) -> None:
        """Records that are no rows."""
        for number, bucket in zip(taken.run[rows].tolist(), taken.buckets[rows].tolist(), strict=True):
            self._runs[number].reading.none(bucket)
            self._runs[number].skipped += 1

    def closed(self, cuts: Sequence[Cut]) -> list[tuple[Run, Cut]]:
        """The runs that these cuts close; they are gone then."""
        for cut in cuts[len(self._runs) :]:
            self._runs.append(self._begun(cut.position, cut.position - 1))
        done = list(zip(self._runs, cuts, strict=False))
        self._runs = self._runs[len(cuts) :]
        return done

    def _open(self, index: int, offset: int) -> Run:
        """The run that a record behind so many cuts belongs to."""
        while len(self._runs) <= index:
            self._runs.append(self._begun(offset, offset))
        return self._runs[index]


def _of_wrong_clock(records: Records, item: WrongClock, *, withheld: bool) -> Bad:
    offset, time = int(records.offsets[item.index]), int(records.timestamps[item.index])
    reason = "in no possible year"
    if item.beyond_now is not None:
        reason = f"{(time - item.beyond_now) / 1000:,.0f} s ahead of the clock here, more than max_ahead"
    elif EARLIEST <= time <= LATEST:
        reason = "further ahead than max_jump, and the next records are not"
    return bad(offset, None, f"timestamp {time} is {reason}", time, records.values[item.index], withheld=withheld)
