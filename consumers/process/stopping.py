"""How a process is asked to end: the first signal politely, the second at once, and in bounded time either way.

*Guarantee*: a process that was told to stop ends within `ENDS_S` + 1 seconds, whatever the brokers do; a second signal ends it at once,
with exit code 128 + its number. At any point it may die: what it had not committed is read again by its successor.

*Trap*: Python's signal handlers wait for the main thread, which may be deep in a client that waits for a broker. So the signal's number is
read from a wake-up socket by a thread.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..bus.interface import Stopped

#: Seconds in which the process may end by itself: what hangs is given up after 3, clients are closed, each in at most 3.
ENDS_S = 15.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """An event that is set when the process is asked to stop (SIGINT, SIGTERM); ``stop`` is called then, from another thread.

    `Stopped` ends the block like its end: it is what waits for brokers raise afterwards.
    """
    asked = threading.Event()
    hears, wakes = socket.socketpair()
    wakes.setblocking(False)

    def listen() -> None:
        deadline = None
        for number in iter(lambda: int.from_bytes(hears.recv(1)), 0):
            if number not in _SIGNALS:
                continue  # of somebody else's handler
            if asked.is_set():
                _end(number, "asked a second time")
            asked.set()
            stop()
            why = f"not ended {ENDS_S:g} s after it was asked to, as the brokers do not answer"
            deadline = threading.Timer(ENDS_S, _end, (number, why))
            deadline.daemon = True
            deadline.start()
        if deadline is not None:
            deadline.cancel()

    listener = threading.Thread(target=listen, name="signals", daemon=True)
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    woken = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    listener.start()
    try:
        with suppress(Stopped):
            yield asked
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
