"""Records of the golden topic, as tests write them, and a fold that they are fed to."""

from collections.abc import Iterable

import numpy as np

from driftbus.detectors.golden.fold import Fold, Said
from driftbus.schemas.messages.golden import GoldenEvaluation, GoldenRequest, GoldenResult, GoldenStarted

CODES = {"timeout": -1, "error": -2, "invalid": -3}
HASH = "sha256:" + "0" * 63


def request(id_: str, version: str = "1", golden: str = "a", parent: str | None = None, *, spread: bool = False) -> GoldenRequest:
    return GoldenRequest(
        request=id_, model="m", version=version, golden=HASH + golden, cause="person", named=id_, parent=parent, spread=spread
    )


def started(id_: str, attempt: int = 1, version: str = "1") -> GoldenStarted:
    return GoldenStarted(request=id_, model="m", version=version, attempt=attempt)


def result(id_: str, answers: Iterable[int | str], attempt: int = 1, version: str = "1", chunks: int = 1) -> list[GoldenResult]:
    losses = np.array([CODES[one] if isinstance(one, str) else one for one in answers], dtype=np.int64)
    parts = np.array_split(losses, chunks)
    return [
        GoldenResult(
            request=id_,
            model="m",
            version=version,
            attempt=attempt,
            chunk=chunk,
            chunks=chunks,
            losses={"zero_one": part},
            places={"zero_one": 20},
        )
        for chunk, part in enumerate(parts)
    ]


def refolded(records: Iterable[Said]) -> Fold:
    fold = Fold()
    for record in records:
        fold.feed(record)
    return fold


def evaluated(
    fold: Fold, id_: str, answers: Iterable[int | str], version: str = "1", golden: str = "a", *, spread: bool = False
) -> GoldenEvaluation:
    return written(fold, [request(id_, version, golden, spread=spread), started(id_, 1, version), *result(id_, answers, 1, version)])[-1]


def written(fold: Fold, records: Iterable[Said]) -> list[GoldenEvaluation]:
    """Feed records, and what follows from them."""
    found = [one for record in records for one in fold.feed(record)]
    for one in found:
        fold.feed(one)
    return found
