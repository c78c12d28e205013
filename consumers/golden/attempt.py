"""One attempt at a request: threads ask the model, row by row is written down what it lost, and all of it has an end.

*Guarantee.* `Attempt.over` becomes true at most `SLACK_S` behind the time configured (`within`), whatever is called: rows that have no
answer by then timed out. Nothing of an answer is kept but its losses, the name of its version, and a reason of our own.
"""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from ...detectors.golden.losses import Target, losses_of
from ...schemas.integers import Integers
from ...schemas.messages.golden import ERROR, INVALID, ROWS_A_RECORD, TIMEOUT, GoldenRequest, GoldenResult
from ...schemas.stored.golden import GoldenSet
from ...schemas.text import MODEL, fitted
from ...schemas.unusable import Unusable
from ..reference.artifacts import ArtifactError
from .asking import Asked, Batch, Caller, Erred, Invalid, TimedOut

#: Seconds behind its end after which threads that still wait for something are left to themselves.
SLACK_S = 2.0
_QUANTILES = (50, 90, 99, 100)
_LATE = "no answer in time"
_NO_SET, _LATE_SET = "the golden set is not in the artifact store, or cannot be read", "the golden set could not be read in time"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How an attempt is made."""

    golden: str  #: the set's hash
    load: Callable[[], GoldenSet]
    caller: Callable[[], Caller]
    batch: int  #: rows in a call
    at_once: int  #: calls
    deadline_s: float  #: of a call
    within_s: float  #: of all


@dataclass
class _Sheet:
    """What has been answered so far. Written by the threads that ask."""

    golden: GoldenSet
    target: Target
    losses: dict[str, Integers]
    versions: list[str | None]
    reasons: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, golden: GoldenSet) -> "_Sheet":
        """Nothing answered yet."""
        target, rows = Target.of(golden), len(golden.rows)
        return cls(golden, target, {name: np.full(rows, TIMEOUT, dtype=np.int64) for name in target.losses}, [None] * rows)


class Attempt:
    """Begun when it is made."""

    def __init__(self, request: GoldenRequest, number: int, plan: Plan) -> None:
        self.request, self.number = request, number
        self._plan = plan
        self._asked = Asked(request.request, number, request.model, request.version)
        self._ends = time.monotonic() + plan.within_s
        self._changing = threading.Lock()
        self._sheet: _Sheet | None = None
        self._unusable = False
        self._error: Exception | None = None
        self._callers: list[Caller] = []
        self._closed = False
        self._done = threading.Event()
        threading.Thread(target=self._run, name="golden", daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether all has been answered, or its time is over. Raises what no model can be the cause of."""
        if self._error is not None:
            raise self._error
        return self._done.is_set() or time.monotonic() > self._ends + SLACK_S

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        with self._changing:
            self._closed = True
            callers = list(self._callers)
        for caller in callers:
            caller.cut()

    def result(self, now: int) -> list[GoldenResult]:
        """What there is by now, as it is written down; nothing is added behind it."""
        self.cancel()
        sheet = self._sheet
        about = {"request": self.request.request, "model": self.request.model, "version": self.request.version, "attempt": self.number}
        if sheet is None:
            return [GoldenResult(**about, golden=self._plan.golden, answered=now, reasons={_NO_SET if self._unusable else _LATE_SET: 1})]
        expected = self._settle(sheet)
        rows = len(sheet.golden.rows)
        names, members = _members(sheet.golden)
        cuts = range(0, rows, ROWS_A_RECORD)
        return [
            GoldenResult(
                **about,
                golden=self._plan.golden,
                chunk=chunk,
                chunks=len(cuts),
                losses={name: values[start : start + ROWS_A_RECORD] for name, values in sheet.losses.items()},
                places={name: sheet.target.places_of(name) for name in sheet.losses},
                slices=names,
                members=members[start : start + ROWS_A_RECORD],
                latency_ms=_quantiles(sheet.latencies),
                answered_by=None if expected is None else fitted(expected, MODEL),
                answered=now,
                reasons=dict(sheet.reasons.most_common(10)),
            )
            for chunk, start in enumerate(cuts)
        ]

    def _settle(self, sheet: _Sheet) -> str | None:
        """The version that answered; answers of any other are none: a deployment in the middle must not mix two models."""
        asked = self.request.version
        said = next((version for version in sheet.versions if version is not None), None)
        expected = said if asked == "-" or said is None else asked
        other = np.array([version is not None and version != expected for version in sheet.versions], dtype=bool)
        late = int(np.count_nonzero(sheet.losses[sheet.target.loss] == TIMEOUT)) - sheet.reasons[_LATE]
        if late > 0:
            sheet.reasons[_LATE] += late
        if other.any():
            sheet.reasons["another version answered"] += int(np.count_nonzero(other))
            for values in sheet.losses.values():
                values[other] = INVALID
        return expected if not other.all() else None

    def _run(self) -> None:
        try:
            sheet = _Sheet.of(self._plan.load())
        except (ArtifactError, Unusable) as error:
            _log.warning("%s/%s: %s", self.request.model, self.request.version, error)
            self._unusable = True
            self._done.set()
            return
        except Exception as error:  # noqa: BLE001  # told to the thread that turns, which ends by it
            self._error = error
            return
        with self._changing:
            self._sheet = sheet
        batches: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        for first in range(0, len(sheet.golden.rows), self._plan.batch):
            batches.put(Batch(self._asked, first, sheet.golden.rows[first : first + self._plan.batch]))
        threads = [
            threading.Thread(target=self._work, args=(sheet, batches), name="golden", daemon=True) for _ in range(self._plan.at_once)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._done.set()

    def _work(self, sheet: _Sheet, batches: "queue.SimpleQueue[Batch]") -> None:
        try:
            caller = self._plan.caller()
            with self._changing:
                self._callers.append(caller)
            with suppress(queue.Empty):
                while not self._closed and time.monotonic() < self._ends:
                    self._ask(sheet, caller, batches.get_nowait())
            caller.close()
        except Exception as error:  # noqa: BLE001  # as above
            self._error = error

    def _ask(self, sheet: _Sheet, caller: Caller, batch: Batch) -> None:
        began = time.monotonic()
        try:
            replies = caller.ask(batch, min(self._ends, began + self._plan.deadline_s))
            values, versions = replies.values, replies.versions
        except (TimedOut, Erred, Invalid) as failure:
            values, versions = [failure] * len(batch.rows), [None] * len(batch.rows)
        took = time.monotonic() - began
        places = np.arange(batch.first, batch.first + len(batch.rows))
        lost = losses_of(sheet.target, places, [None if isinstance(value, Exception) else value for value in values])
        with self._changing:
            if self._closed:
                return
            sheet.latencies.append(took)
            for name, units in lost.items():
                sheet.losses[name][places] = units
            for place, value, version in zip(places.tolist(), values, versions, strict=True):
                sheet.versions[place] = version
                if isinstance(value, Exception):
                    code, reason = _why(value)
                    sheet.reasons[reason] += 1
                    for kept in sheet.losses.values():
                        kept[place] = code
                elif sheet.losses[sheet.target.loss][place] == INVALID:
                    sheet.reasons["an answer is none of its kind"] += 1


def _why(failure: Exception) -> tuple[int, str]:
    if isinstance(failure, TimedOut):
        return TIMEOUT, _LATE
    return (INVALID if isinstance(failure, Invalid) else ERROR), str(failure)


def _members(golden: GoldenSet) -> tuple[tuple[str, ...], Integers]:
    """The slices, and by row the bits of those that it belongs to."""
    names = golden.slices
    bits = {name: 1 << place for place, name in enumerate(names)}
    return names, np.array([sum({bits[name] for name in row.slices}) for row in golden.rows], dtype=np.int64)


def _quantiles(latencies: list[float]) -> tuple[int, ...]:
    if not latencies:
        return ()
    found: list[int] = np.rint(np.percentile(latencies, _QUANTILES, method="higher") * 1000).astype(np.int64).tolist()
    return tuple(found)
