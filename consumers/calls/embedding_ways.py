"""The ways in which an embedder is asked for the vectors of texts: over HTTP, or in a process of Python."""

import time
from collections.abc import Mapping
from typing import Protocol

import msgspec

from ...schemas.configuration.embedder import TEXTS, Embedder
from .answers import decoded, found
from .connection import Connection
from .function import FunctionProcess

#: The class whose instance of a model's name makes vectors (sbert.net).
_SENTENCE_TRANSFORMER = "sentence_transformers:SentenceTransformer"


class Way(Protocol):
    """Used by one thread."""

    def start(self) -> None:
        """Have ready what answers. Raises `NotLoaded`, `TimedOut`, `Erred`, `Invalid`."""
        ...

    def answer(self, texts: list[str]) -> object:
        """The list of their vectors, as it was answered. Raises `TimedOut`, `Erred`, `Invalid`."""
        ...

    def cut(self) -> None:
        """From any thread: give up what is under way, and do nothing more."""
        ...

    def close(self) -> None:
        """Behind the thread that asks: it asks no more."""
        ...


def way_of(settings: Embedder) -> Way:
    """As it is configured."""
    return _Server(settings, settings.url) if settings.url is not None else _Process(settings)


class _Server:
    """One that takes and gives JSON."""

    def __init__(self, settings: Embedder, url: str) -> None:
        self._settings, self._connection = settings, Connection(url, settings.headers)

    def start(self) -> None:
        """It runs by itself, or not yet."""

    def answer(self, texts: list[str]) -> object:
        """To one request."""
        body = msgspec.json.encode(_filled(self._settings.template, texts))
        answer = decoded(self._connection.post("", body, time.monotonic() + self._settings.deadline / 1000))
        path = self._settings.answer.path if self._settings.answer is not None else ()
        return found(answer, path, "list of vectors")

    def cut(self) -> None:
        """The connection."""
        self._connection.cut()

    def close(self) -> None:
        """The connection."""
        self._connection.close()


class _Process:
    """A user's function, or a model of sentence-transformers."""

    def __init__(self, settings: Embedder) -> None:
        self._settings = settings
        self._function = FunctionProcess(settings.callable or _SENTENCE_TRANSFORMER, settings.sentence_transformers)

    def start(self) -> None:
        """Load it: that may take longer than a call."""
        self._function.start(time.monotonic() + self._settings.loading / 1000)

    def answer(self, texts: list[str]) -> object:
        """To one call; the process may have to be started again for it."""
        self.start()
        return self._function.call([texts], len(texts), time.monotonic() + self._settings.deadline / 1000)

    def cut(self) -> None:
        """Kill the process."""
        self._function.cut()

    def close(self) -> None:
        """Kill the process."""
        self._function.close()


def _filled(template: object, texts: list[str]) -> object:
    if isinstance(template, Mapping):
        return {key: _filled(one, texts) for key, one in template.items()}
    if isinstance(template, list):
        return [_filled(one, texts) for one in template]
    return texts if template == TEXTS else template
