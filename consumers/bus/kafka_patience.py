"""How long what fails is tried again: a running consumer waits for what can heal, a person who typed a command does not."""

import logging
import threading
import time
from typing import NoReturn

from confluent_kafka import KafkaError

from . import kafka_errors
from .interface import BusError, Stopped

_log = logging.getLogger(__name__)

#: Seconds that a command waits for a cluster that is busy with itself (a leader or coordinator moves).
COMMAND_S = 60.0
#: Seconds that what is not known to heal is waited for, even in a running consumer.
UNEXPECTED_S = 300.0
#: Seconds that what fails is still tried once the process is to stop.
STOPPING_S = 3.0
#: Seconds that closing a client may take; one is much where brokers answer.
CLOSE_S = 3.0
#: Seconds that closing all of them may take behind `STOPPING_S`, and then each: not to be waited for, but begun.
_CLOSING_S, _BEGIN_S = 6.0, 0.1
#: Seconds without success after which the log says so, and again.
SAY_EVERY_S = 10.0
_FIRST_S, _LONGEST_S = 0.05, 1.0


class Patience:
    """Of one bus. ``limit_s`` None: for ever, as a running consumer waits."""

    def __init__(self, limit_s: float | None = COMMAND_S) -> None:
        self.limit_s = limit_s
        self._stopped = threading.Event()
        self._stop_at = float("inf")

    def stop(self) -> None:
        """From any thread: what fails from now on is tried only a little longer, then `Stopped` is raised."""
        if not self._stopped.is_set():
            self._stop_at = time.monotonic() + STOPPING_S
            self._stopped.set()

    @property
    def over(self) -> bool:
        """Whether the process is to stop, and has been given its time for it."""
        return time.monotonic() > self._stop_at

    @property
    def closing_s(self) -> float:
        """Seconds that closing a client may take: where the process is to stop, all clients together have one deadline."""
        return min(CLOSE_S, max(self._stop_at + _CLOSING_S - time.monotonic(), _BEGIN_S))

    def trying(self, what: str) -> "Trying":
        """Something is begun that may have to be tried again."""
        return Trying(self, what)

    def pause(self, seconds: float) -> None:
        """Wait; shorter where the process is to stop."""
        if self._stopped.wait(seconds):
            time.sleep(min(seconds, _FIRST_S))

    def give_up(self, what: str) -> NoReturn:
        """The process is to stop."""
        msg = f"{what}: given up, as the process was told to stop; its successor begins where the last commit was"
        raise Stopped(msg)


class Trying:
    """One thing that is tried until it is done."""

    def __init__(self, patience: Patience, what: str) -> None:
        self._patience, self._what = patience, what
        self._began = self._said = time.monotonic()
        self._unexpected_since: float | None = None
        self._passing_since: float | None = None
        self._wait_s = _FIRST_S

    def failed(self, error: KafkaError) -> None:
        """Return when it may be tried again; raise where that cannot help, or would be too long."""
        self._patience.pause(self.judged(error))

    def judged(self, error: KafkaError) -> float:
        """Seconds after which it may be tried again; raises where that cannot help, or would be too long."""
        now = time.monotonic()
        took = now - self._began
        passing_s = kafka_errors.PASSING_S.get(error.code(), 0.0)
        self._passing_since = (self._passing_since or now) if passing_s else None
        if kafka_errors.permanent(error) and now - (self._passing_since or now) >= passing_s:
            kafka_errors.refuse(error, self._what)
        if self._patience.over:
            self._patience.give_up(f"{self._what}: {error.str()}")
        self._unexpected_since = (self._unexpected_since or now) if kafka_errors.unexpected(error) else None
        limit_s = self._patience.limit_s
        if limit_s is not None and took > limit_s:
            self._end(error, limit_s, "is the cluster up?")
        if self._unexpected_since is not None and now - self._unexpected_since > UNEXPECTED_S:
            self._end(error, UNEXPECTED_S, "nothing is known that would heal it (docs/kafka-errors.md)")
        if now - self._said > SAY_EVERY_S:
            self._said = now
            _log.warning("kafka: %s: %s (%s), for %.0f s now; trying on", self._what, error.str(), error.name(), took)
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, _LONGEST_S)
        return wait_s

    def _end(self, error: KafkaError, seconds: float, why: str) -> NoReturn:
        msg = f"{self._what}: not in {seconds:.0f} s: {error.str()} ({error.name()}); {why}"
        raise BusError(msg)

    def nothing_came(self) -> None:
        """As `failed`, of something that only waited."""
        self.failed(KafkaError(KafkaError._TIMED_OUT))
