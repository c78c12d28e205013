"""A process beside this one, for work that takes a core of its own.

*Guarantee*: it ends when the process that began it does, however that ended.
"""

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait


def process_beside() -> ProcessPoolExecutor:
    """One process, with nothing of this one's but what it is given."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_the_parent)


def _end_with_the_parent() -> None:
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
