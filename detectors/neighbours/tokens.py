"""Texts as sums of the static token vectors of WordLlama, from the two files in its wheel."""

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .vectors import Vectors, whole

#: Texts whose tokens are summed at once: their sums stay in the cache.
_AT_ONCE = 256


def weights_of(content: bytes) -> NDArray[np.float16]:
    """The one matrix of a safetensors file [tokens, size]: the length of a header in JSON, the header, the numbers as they are."""
    end = 8 + int.from_bytes(content[:8], "little")
    if len(content) < 8 or end > len(content):
        msg = f"weights: {len(content)} bytes are no safetensors file"
        raise ValueError(msg)
    tensors = {name: told for name, told in json.loads(content[8:end]).items() if name != "__metadata__"}
    found = [told for told in tensors.values() if told["dtype"] == "F16" and len(told["shape"]) == 2]
    if len(found) != 1 or len(tensors) != 1:
        msg = f"weights: {', '.join(sorted(tensors)) or 'nothing'} in the file, one matrix of 16-bit floats expected"
        raise ValueError(msg)
    first, last = found[0]["data_offsets"]
    return np.frombuffer(content[end + first : end + last], dtype="<f2").reshape(found[0]["shape"]).astype(np.float16, copy=False)


class Tokens:
    """Token vectors: 256 numbers a text, English first of all.

    Weights are float16, that is, multiples of 2^-24, so that their sums in float64 are exact in any order (up to 6.7e7 tokens a text).
    """

    def __init__(self, name: str, tokenizer: bytes, weights: bytes) -> None:
        """``name`` of the model with its version; the contents of its two files. Needs the extra ``ood``."""
        from tokenizers import Tokenizer

        self.name = f"tokens/{name}"
        self.files: Mapping[str, str] = {"tokenizer": _digits(tokenizer), "weights": _digits(weights)}
        self._tokenizer = Tokenizer.from_buffer(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._weights = weights_of(weights).astype(np.float64)
        self.size = self._weights.shape[1]

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Whole-number vectors [n, 256]; zeros for a text without tokens."""
        from scipy.sparse import csr_array

        vectors = np.zeros((len(texts), self.size), dtype=np.int16)
        for first in range(0, len(texts), _AT_ONCE):
            tokens, ends = self._tokens(texts[first : first + _AT_ONCE])
            shape = (len(ends) - 1, len(self._weights))
            sums = csr_array((np.ones(len(tokens)), tokens, ends), shape=shape) @ self._weights
            vectors[first : first + _AT_ONCE] = whole(np.asarray(sums))
        return vectors

    def counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Of tokens, per text."""
        return np.concatenate([np.zeros(0, dtype=np.int64), *self._counts(texts)])

    def _counts(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        return [np.diff(self._tokens(texts[first : first + _AT_ONCE])[1]) for first in range(0, len(texts), _AT_ONCE)]

    def _tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of all texts one behind the other, and where each begins and the last one ends."""
        found = [each.ids for each in self._tokenizer.encode_batch_fast([_valid(text) for text in texts], add_special_tokens=False)]
        ends = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(ids) for ids in found], out=ends[1:])
        tokens = np.fromiter((token for ids in found for token in ids), np.int64, int(ends[-1]))
        return np.minimum(tokens, len(self._weights) - 1), ends


def _digits(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _valid(text: str) -> str:
    """Without halves of surrogates, which no tokenizer takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
