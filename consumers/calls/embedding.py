"""Asks an embedder for the vectors of texts, for as long as it takes; what comes of it are whole numbers.

Embedders compute in floats, whose last bits another batch or machine changes: so whoever asks writes down what was answered, and asks once.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...detectors.neighbours.vectors import Vectors, whole
from ...schemas.configuration.embedder import Embedder
from ...schemas.unusable import Unusable
from .answers import Erred, Invalid, TimedOut
from .embedding_ways import way_of
from .function import NotLoaded

#: Characters of a text that are sent: embedders read far fewer.
LONGEST_TEXT = 32_768
#: What any embedder has a vector of: so it is known whether it answers at all.
_KNOWN = "driftbus"
#: Seconds until a server that does not answer is asked again: at first, and at most.
_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0


class GivenUp(Exception):
    """Nobody waits for the answer any more."""


class UnusableEmbedder(Unusable):
    """A function or model that is not there, with the key that names it."""


class AskedEmbedder:
    """One embedder, asked by one thread at a time.

    A call that fails is repeated. Where it fails again although there is an answer to another text, each text is asked for alone, and
    those that have no vector then get none: one text holds nobody up. Where there is no answer to anything, it is waited for, or none
    of the texts gets a vector, as it is configured.
    """

    def __init__(self, settings: Embedder) -> None:
        self._settings = settings
        self._way = way_of(settings)
        self._stopping = threading.Event()
        #: Whether it answers, by the last call; None: it has not been asked. Read by any thread.
        self.answers: bool | None = None

    def start(self, key: str) -> None:
        """Load what is to be loaded; ``key``: of the settings. Raises `UnusableEmbedder`."""
        try:
            self._way.start()
        except (TimedOut, Erred, Invalid) as error:
            self.close()
            way = self._settings.way
            why = error.why if isinstance(error, NotLoaded) else str(error) or "it was not there in time (loading)"
            told = 'install "driftbus[sentence-transformers]"' if "sentence_transformers'" in why else "it is looked for as Python does"
            msg = f"{key}.{way}: {getattr(self._settings, way)} cannot be loaded: {why}; {told}"
            raise UnusableEmbedder(msg) from error

    def once(self, texts: Sequence[str]) -> list[Vectors | None]:
        """As `vectors`, of a few texts, by one call. Raises `TimedOut`, `Erred`, `Invalid`."""
        return read(self._way.answer(list(map(sent, texts))), len(texts), self._settings.size)

    def vectors(self, texts: Sequence[str]) -> list[Vectors | None]:
        """Of each text its vector [size], of length 4,000; None: it has none. Raises `GivenUp` behind `stop`."""
        step = self._settings.batch
        return [vector for first in range(0, len(texts), step) for vector in self._of_batch(texts[first : first + step])]

    def stop(self) -> None:
        """From any thread: give up what is under way, and ask no more."""
        self._stopping.set()
        self._way.cut()

    def close(self) -> None:
        """Behind the thread that asks: it asks no more."""
        self._way.close()

    def _of_batch(self, texts: Sequence[str]) -> list[Vectors | None]:
        for pause_s in _pauses():
            if (answered := self._tried(texts, self._settings.attempts)) is not None:
                return answered
            if self._tried([_KNOWN], 1) is not None:
                alone = (self._tried([text], 1) for text in texts)
                return [None if one is None else one[0] for one in alone]
            self.answers = False
            if self._settings.down == "pass":
                break
            self._wait(pause_s)
        return [None] * len(texts)

    def _tried(self, texts: Sequence[str], attempts: int) -> list[Vectors | None] | None:
        """The answer to one of so many attempts."""
        for attempt, pause_s in zip(range(attempts), _pauses(), strict=False):
            if self._stopping.is_set():
                raise GivenUp
            try:
                answered = self.once(texts)
            except (TimedOut, Erred, Invalid):
                if attempt < attempts - 1:
                    self._wait(pause_s)
            else:
                self.answers = True
                return answered
        return None

    def _wait(self, pause_s: float) -> None:
        if self._stopping.wait(pause_s):
            raise GivenUp


def sent(text: str) -> str:
    """A text as it is sent: without halves of surrogates, which no JSON holds, and not longer than anybody reads."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode()


def read(answer: object, texts: int, size: int) -> list[Vectors | None]:
    """The vectors of an answer in the order of the texts: lists of numbers, or objects with an ``embedding``, and perhaps its ``index``.

    One with a number that is not finite, or of zeros, is none. Raises `Invalid`.

    >>> [one if one is None else one.tolist() for one in read([{"index": 1, "embedding": [0, 0]}, {"index": 0, "embedding": [3, 4]}], 2, 2)]
    [[2400, 3200], None]
    """
    if not isinstance(answer, list) or len(answer) != texts:
        msg = f"{len(answer) if isinstance(answer, list) else 'no list of'} vectors for {texts} texts"
        raise Invalid(msg)
    lists = [one.get("embedding") if isinstance(one, Mapping) else one for one in answer]
    try:
        places = [one.get("index", place) if isinstance(one, Mapping) else place for place, one in enumerate(answer)]
        floats = np.array(lists, dtype=np.float64)
        order = np.argsort(np.array(places, dtype=np.int64), kind="stable")
    except (ValueError, TypeError, OverflowError):
        msg = "its vectors are no lists of numbers, or not all of one size"
        raise Invalid(msg) from None
    if floats.shape != (texts, size) or sorted(places) != list(range(texts)):
        msg = f"vectors of shape {floats.shape} for {texts} texts, {size} numbers each were expected"
        raise Invalid(msg)
    return [vector if vector.any() else None for vector in whole(floats)[order]]


def _pauses() -> Iterator[float]:
    pause_s = _PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
