"""Functions that an embedder may be asked of, and a class as sentence-transformers has one."""

import os
import time
from pathlib import Path

import numpy as np

from .server import vector

Vectors = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def embeds(texts: list[str]) -> Vectors:
    """As `Server` does, without noise. One text it does not take."""
    if "refused" in texts:
        raise ValueError(texts)
    print("a library says something")
    return np.stack([vector(text) for text in texts])


def dies(texts: list[str]) -> Vectors:
    """With its process."""
    os._exit(3)


def hangs(texts: list[str]) -> Vectors:
    """For longer than anybody waits; that it has begun a file says, where one is named."""
    if begun := os.environ.get("TESTS_BEGUN"):
        Path(begun).touch()
    time.sleep(600)
    return embeds(texts)


class Model:
    """Of a name, and with the method that is called."""

    def __init__(self, name: str) -> None:
        if name != "words":
            msg = f"no model of the name {name}"
            raise OSError(msg)

    def encode(self, texts: list[str]) -> Vectors:
        return embeds(texts)
