"""Functions that a golden set may be asked of: good ones, and those that hang, die, raise, print and lie."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

Rows = list[dict[str, Any]]  # features


def right(rows: Rows, version: str) -> list[object]:
    return [row["right"] for row in rows]


def as_array(rows: Rows, version: str) -> object:
    return np.array([row["right"] for row in rows], dtype=np.float64)


def of_version(rows: Rows, version: str) -> list[object]:
    """Version 2 is worse."""
    return [row["right"] + (1.0 if version == "2" else 0.1) for row in rows]


def hangs(rows: Rows, version: str) -> list[object]:
    time.sleep(60)
    return right(rows, version)


def spins(rows: Rows, version: str) -> list[object]:
    """Without ever giving way."""
    return [sum(10**8 for _ in iter(int, 1))]


def dies(rows: Rows, version: str) -> list[object]:
    os._exit(3)


def dies_once(rows: Rows, version: str) -> list[object]:
    """Of the row that says so."""
    if any(row.get("hard") for row in rows):
        os.kill(os.getpid(), 9)
    return right(rows, version)


def raises(rows: Rows, version: str) -> list[object]:
    raise ValueError("\x1b[31m" + str(rows))


def prints(rows: Rows, version: str) -> list[object]:
    print("to the same pipe", flush=True)
    os.write(1, b"\x00\x00\x00\x05hello")
    sys.stdout.write("x" * 100_000)
    return right(rows, version)


def few(rows: Rows, version: str) -> list[object]:
    return [1]


def none(rows: Rows, version: str) -> list[object]:
    return [None] * len(rows)


def nested(rows: Rows, version: str) -> list[object]:
    """Starts a process that would outlive it."""
    child = subprocess.Popen(["sleep", "50"])
    Path(rows[0]["note"]).write_text(str(child.pid))
    time.sleep(60)
    return []


def slow(rows: Rows, version: str) -> list[object]:
    time.sleep(0.05)
    return right(rows, version)
