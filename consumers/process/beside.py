"""A process beside this one, for work that takes a core of its own.

*Guarantee*: it ends when the process that began it does, and when the block does that it is for, however they end: what it was to do is
waited for where all is well, and nowhere else.
"""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection


@contextmanager
def process_beside() -> Iterator[ProcessPoolExecutor]:
    """One process, with nothing of this one's but what it is given."""
    context = get_context("spawn")
    told, holds = context.Pipe(duplex=False)  # what nobody holds any more ends the other
    with closing(holds), ProcessPoolExecutor(1, context, _end_when_told, (told,)) as other:
        try:
            yield other
        except BaseException:
            holds.close()
            raise


def _end_when_told(told: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's goes to both

    def wait() -> None:
        with suppress(EOFError):
            told.recv_bytes()
        os._exit(1)

    threading.Thread(target=wait, name="told", daemon=True).start()
