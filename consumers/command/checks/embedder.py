"""Whether a stream's embedder answers: with how many numbers, and in what time."""

import time
from collections.abc import Iterator
from contextlib import closing

from ....schemas.configuration import Configuration
from ....schemas.duration import written
from ...calls.answers import Erred, Invalid, TimedOut
from ...calls.embedding import AskedEmbedder, UnusableEmbedder
from .finding import Finding


def vectors_of(configuration: Configuration) -> Iterator[Finding]:
    """By one call, of as many short texts as a call has."""
    name = configuration.embeds
    settings = None if name is None else configuration.streams[name].embedder
    if settings is None:
        return
    key = f"streams.{name}.embedder"
    texts = [f"driftbus asks {number}" for number in range(settings.batch)]
    with closing(AskedEmbedder(settings)) as asked:
        try:
            asked.start(key)
            began = time.perf_counter()
            vectors = asked.once(texts)
        except UnusableEmbedder as error:
            yield Finding("wrong", str(error))
        except (TimedOut, Erred, Invalid) as error:
            why = str(error) or f"no answer within {written(settings.deadline)} (deadline)"
            yield Finding("wrong" if settings.down == "wait" else "note", f"{key}: {settings.identity} does not answer: {why}")
        else:
            took_ms = 1_000 * (time.perf_counter() - began) / len(texts)
            without = sum(vector is None for vector in vectors)
            if without:
                yield Finding("note", f"{key}: of {len(texts)} texts {without} have no vector: it is of zeros, or not finite")
            told = f"{settings.size} numbers, {took_ms:.2g} ms a short text, {len(texts)} a call"
            yield Finding("ok", f"{key}: {settings.identity} answers: {told}")
