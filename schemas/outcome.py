"""Ids and outcomes as whole numbers: what predictions and labels are matched by, and compared by."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import xxhash
from numpy.typing import NDArray

from .text import CATEGORY, fitted

#: In the place of a value: there is none.
NO_VALUE = int(np.iinfo(np.int64).min)


def class_code(text: str) -> int:
    """Of a class of several: 63 bits of a hash of its text as a reference has it, never negative. Of a million classes two meet by a chance
    of one in ten million.

    >>> class_code("cat") == class_code("cat"), class_code("cat") == class_code("dog")
    (True, False)
    """
    return xxhash.xxh3_64_intdigest(fitted(text, CATEGORY).encode()) >> 1


def number_code(number: float) -> int:
    """Of a number: the bits of the float.

    >>> number_of(np.array([number_code(2.5)])).tolist()
    [2.5]
    """
    return int(np.float64(number + 0.0).view(np.int64))


def number_of(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """The numbers of such codes."""
    return codes.view(np.float64)


def id_halves(texts: Sequence[str], key: bytes = b"") -> NDArray[np.uint64]:
    """128 bits of a hash of every id, as two numbers, shape [n, 2]: the first says whether it is sampled, the second where it belongs.

    ``key``: with one, nobody without it can find out which ids these are by trying those that there might be.

    >>> id_halves(["a", "b", "a"]).shape, (id_halves(["a"]) == id_halves(["a"], b"secret")).any()
    ((3, 2), np.False_)
    """
    return _hashed(texts, key).astype(np.uint64)


def id_hash(id_: str, key: bytes) -> str:
    """The same 128 bits of one id as text: where ids are personal, it stands in their place.

    >>> halves_of(id_hash("a", b"secret")).tolist() == id_halves(["a"], b"secret").tolist()
    True
    """
    return _hashed([id_], key).tobytes().hex()


def id_text(hi: int, lo: int) -> str:
    """The halves of an id as text: as examples have it.

    >>> id_text(1, 2)
    '00000000000000010000000000000002'
    """
    return f"{hi:016x}{lo:016x}"


def halves_of(hash_: str) -> NDArray[np.uint64]:
    """The halves of `id_hash`, shape [1, 2]."""
    return np.frombuffer(bytes.fromhex(hash_), dtype=">u8").astype(np.uint64).reshape(1, 2)


def sampled(texts: Sequence[str], key: bytes, rate: float) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Which ids are in a sample of this rate, and the halves of these; those of a lower rate are among those of a higher one.

    >>> places, halves = sampled([str(i) for i in range(10_000)], b"", 0.1)
    >>> len(places) in range(900, 1_100), halves.shape == (len(places), 2)
    (True, True)
    """
    hashes = _hashed(texts, key)
    places = np.flatnonzero(in_sample(hashes[:, 0], rate))
    return places, hashes[places].astype(np.uint64)


def in_sample(hi: NDArray[np.uint64], rate: float) -> NDArray[np.bool_]:
    """Whether ids with these first halves are in a sample of this rate.

    >>> first = np.array([0, 2**62, 2**64 - 1], dtype=np.uint64)
    >>> in_sample(first, 0.25).tolist(), in_sample(first, 1).all()
    ([True, False, False], np.True_)
    """
    return np.ones(len(hi), dtype=np.bool_) if rate >= 1 else np.asarray(hi < np.uint64(int(rate * 2**64)))


def _hashed(texts: Sequence[str], key: bytes) -> NDArray[np.uint64]:
    """As the digests have them: the first byte counts most."""
    if key:
        digests = b"".join([blake2b(text.encode(), digest_size=16, key=key).digest() for text in texts])
    else:
        digests = b"".join(map(xxhash.xxh3_128_digest, map(str.encode, texts)))
    return np.frombuffer(digests, dtype=">u8").reshape(-1, 2)


def entity_halves(entities: Sequence[str], times: NDArray[np.int64], salt: str, key: bytes = b"") -> NDArray[np.uint64]:
    """The halves of entities at times (ms): what values of features are known by. ``salt``: what they are of; no two of other salts meet.

    >>> times = np.array([5, 6, 5])
    >>> first, later, again = entity_halves(["a", "a", "a"], times, "fraud").tolist()
    >>> first == again, first == later, entity_halves(["a"], times[:1], "eta").tolist() == [first]
    (True, False, False)
    """
    when = times.astype(np.int64).view(np.uint64)[:, None] ^ id_halves([salt])
    return _scattered(id_halves(entities, key) ^ _scattered(when))


def sampled_entities(
    entities: Sequence[str], times: NDArray[np.int64], salt: str, key: bytes, rate: float
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Which of them are in a sample of this rate, and the halves of these."""
    halves = entity_halves(entities, times, salt, key)
    places = np.flatnonzero(in_sample(halves[:, 0], rate))
    return places, halves[places]


def _scattered(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each to another one, such that every bit depends on all of its own: the end of splitmix64 (Steele, Lea and Flood 2014)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return np.asarray(numbers ^ (numbers >> np.uint64(31)), dtype=np.uint64)
