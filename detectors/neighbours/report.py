"""What is said of a reference of texts or embeddings when it is built."""

from typing import NamedTuple

#: Fewer distinct held-out texts find small shares of new topics late: 5 % of them not "within 1,500 queries".
FEW_HELD_OUT = 3_000
#: Of sentences that have nothing to do with a reference, a smaller share flagged is too little.
LEAST_FLAGGED = 0.5


class Report(NamedTuple):
    """Counts, shares and warnings; in words a person can act on."""

    rows: int  #: given
    empty: int  #: without anything to score
    duplicates: int  #: left out, of those
    reference: int  #: rows to score by; long texts in parts
    calibration: int  #: distinct held-out rows
    embedder: str
    why: str
    tokens_per_word: float | None
    fresh: float  #: share at .05 of the newer half of the held-out rows, by the older one (halves by hash without times)
    everyday: float | None  #: share flagged of everyday sentences in English; None: not of token vectors
    warnings: tuple[str, ...]


def warnings_of(calibration: int, everyday: float | None) -> tuple[str, ...]:
    """What a person should know before relying on it."""
    told = []
    if calibration < FEW_HELD_OUT:
        told.append(
            f"too small: {calibration:,} distinct held-out rows, {FEW_HELD_OUT:,} are wanted; small shares of new topics are found late"
        )
    if everyday is not None and everyday < LEAST_FLAGGED:
        told.append(f"too broad: {everyday:.0%} of everyday sentences are flagged; name texts that must be in `probe`, to see if they are")
    return tuple(told)


def warning_of_probe(flagged: float) -> str | None:
    """Of the share of a probe that is flagged at .05.

    >>> warning_of_probe(0.81)
    """
    if flagged >= LEAST_FLAGGED:
        return None
    return f"too broad: {flagged:.0%} of the probe are flagged at .05; what is like it will be seen late or not"
