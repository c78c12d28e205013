"""How a process is asked to end: the first signal politely, the second at once, and in bounded time either way.

*Guarantee*: a process that was told to stop ends within `ENDS_S` + 1 seconds, whatever the brokers do, closing included; a second signal
ends it at once, with exit code 128 + its number; so does the first where nothing has begun. At any point it may die: what it had not
committed is read again by its successor.

*Trap*: Python's signal handlers wait for the main thread, which may be deep in a client that waits for a broker. So the signal's number is
read from a wake-up socket by a thread. And a container's first process does not even die of a signal that it does not listen to: listen
before anything else.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..bus.interface import Stopped

#: Seconds in which the process may end by itself: what hangs is given up after 3 (requests that have begun: 10), and what is still to be
#: closed then is not waited for.
ENDS_S = 15.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether the process was asked to stop, and what is to hear of it."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._stops: list[Callable[[], None]] = []

    @property
    def asked(self) -> bool:
        """Whether it was."""
        return self._asked.is_set()

    @property
    def begun(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._stops)

    def calls(self, stop: Callable[[], None]) -> None:
        """From now on there is something that can be stopped: called when the process is asked to, from another thread; maybe twice."""
        self._stops.append(stop)
        if self.asked:
            stop()

    def ask(self) -> None:
        """The process is to stop."""
        self._asked.set()
        for stop in self._stops:
            stop()


@contextmanager
def stopped_by_signals() -> Iterator[Stopping]:
    """Listens to SIGINT and SIGTERM. All that is to end in bounded time stands in the block: what is opened, turned and closed.

    `Stopped` ends the block like its end: it is what waits for brokers raise afterwards.
    """
    stopping = Stopping()
    hears, wakes = socket.socketpair()
    wakes.setblocking(False)

    def listen() -> None:
        deadline = None
        for number in iter(lambda: int.from_bytes(hears.recv(1)), 0):
            if number not in _SIGNALS:
                continue  # of somebody else's handler
            if stopping.asked:
                _end(number, "asked a second time")
            if not stopping.begun:
                _end(number, "asked before it had begun")
            why = f"not ended {ENDS_S:g} s after it was asked to, as the brokers do not answer"
            deadline = threading.Timer(ENDS_S, _end, (number, why))
            deadline.daemon = True
            deadline.start()
            stopping.ask()
        if deadline is not None:
            deadline.cancel()

    listener = threading.Thread(target=listen, name="signals", daemon=True)
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    woken = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    listener.start()
    try:
        with suppress(Stopped):
            yield stopping
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        wakes.close()
        listener.join()
        hears.close()


def _end(number: int, why: str) -> None:
    os.write(2, f"driftbus: {why}: ended at once; what was not committed is read again\n".encode())  # buffers may be held by who hangs
    os._exit(128 + number)
