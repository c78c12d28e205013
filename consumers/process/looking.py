"""What is open, looked at by threads, each as often as it asks for: nobody who waits for a server holds up a turn."""

import heapq
import itertools
import threading
import time
from collections.abc import Collection, Mapping
from typing import Generic, Protocol, TypeVar

#: Seconds between two removals of what is old.
_CLEAN_S = 3_600.0


class Open(Protocol):
    """A thing to be done."""

    @property
    def id(self) -> str:
        """Its name."""
        ...


class Look(Protocol):
    """How it stands."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to look at."""
        ...

    @property
    def again_s(self) -> float:
        """Else: when to look again."""
        ...


Thing = TypeVar("Thing", bound=Open)
Found = TypeVar("Found", bound=Look)
_Thing = TypeVar("_Thing", bound=Open, contravariant=True)
_Found = TypeVar("_Found", bound=Look, covariant=True)


class Doer(Protocol[_Thing, _Found]):
    """Who does it. *Trap.* Called by threads, never in a turn: it may wait for others, but each call has an end."""

    #: Things that are looked at at once.
    at_once: int

    def ensure(self, thing: _Thing, /) -> _Found:
        """Make that it is done; how it stands. May be called as often as one likes."""
        ...

    def clean(self, still_open: Collection[str]) -> None:
        """Remove what is older than anybody asks for; now and then."""
        ...

    def stop(self) -> None:
        """From any thread: give up what is under way, where it can be taken up again."""
        ...


class Looking(Generic[Thing, Found]):
    """The threads of one hand. Begun when it is made."""

    def __init__(self, doer: Doer[Thing, Found], name: str) -> None:
        self._doer = doer
        self._jobs: dict[str, Thing] = {}
        self._due: list[tuple[float, int, str]] = []  #: one may stand here more than once: what `_next` says holds
        self._next: dict[str, float] = {}
        self._busy: set[str] = set()
        self._seen: dict[str, Found] = {}
        self._number = itertools.count()
        self._changed = threading.Condition()
        self._cleaned = 0.0
        self._stopped = False
        self._error: Exception | None = None
        for number in range(doer.at_once):
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

    def keep(self, jobs: Mapping[str, Thing]) -> None:
        """These are open now, in the order in which they are to be begun; what is new, or changed, is looked at at once."""
        with self._changed:
            gone = self._jobs.keys() - jobs.keys()
            changed = [job for job in jobs.values() if self._jobs.get(job.id) != job]
            self._jobs = dict(jobs)
            for job in gone:
                self._next.pop(job, None)
                self._seen.pop(job, None)
            for one in changed:
                self._later(one.id, 0.0)
            if changed:
                self._changed.notify_all()

    def seen(self) -> dict[str, Found]:
        """What was seen last of each that has been looked at. Raises what nothing that is open can be the cause of."""
        if self._error is not None:
            raise self._error
        with self._changed:
            return dict(self._seen)

    def stop(self) -> None:
        """Begin nothing more, and cut what may be cut."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._doer.stop()

    def _later(self, job: str, pause_s: float) -> None:
        at = time.monotonic() + pause_s
        self._next[job] = at
        heapq.heappush(self._due, (at, next(self._number), job))

    def _run(self) -> None:
        try:
            while (job := self._taken()) is not None:
                seen = self._doer.ensure(job)
                with self._changed:
                    self._busy.discard(job.id)
                    if job.id in self._jobs:
                        self._seen[job.id] = seen
                        if self._jobs[job.id] != job:
                            self._later(job.id, 0.0)
                        elif not seen.ended:
                            self._later(job.id, seen.again_s)
                        self._changed.notify()
        except Exception as error:  # noqa: BLE001  # told to the thread that turns, which ends by it
            self._error = error

    def _taken(self) -> Thing | None:
        """The next that is due; None: there will be none any more."""
        while True:
            with self._changed:
                if self._stopped:
                    return None
                now = time.monotonic()
                clean = now - self._cleaned > _CLEAN_S and bool(self._cleaned)
                self._cleaned = now if clean or not self._cleaned else self._cleaned
                if not clean:
                    if job := self._due_now(now):
                        self._busy.add(job.id)
                        return job
                    self._changed.wait(min(self._due[0][0] - now if self._due else _CLEAN_S, _CLEAN_S))
                    continue
                still_open = frozenset(self._jobs)
            self._doer.clean(still_open)

    def _due_now(self, now: float) -> Thing | None:
        while self._due and self._due[0][0] <= now:
            at, _, job = heapq.heappop(self._due)
            if self._next.get(job) == at and job in self._jobs and job not in self._busy:
                return self._jobs[job]
        return None
