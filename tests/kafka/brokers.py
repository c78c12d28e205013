"""Brokers that are put to sleep and woken."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def silent(brokers: Any, *nodes: int) -> Iterator[None]:  # the script's Cluster
    """These brokers take connections and requests, and answer nothing: SIGSTOP. Of no node: all."""
    pids = [pid for node in nodes or brokers.ports if (pid := brokers.pid(node)) is not None]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
