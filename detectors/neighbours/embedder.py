"""What turns texts into whole-number vectors, and which is chosen for a reference."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from .sketch import Sketch
from .tokens import Tokens
from .vectors import Vectors

Choice = Literal["tokens", "sketch"]

#: Tokens per word from which on token vectors do not know the language: English 1.1 to 1.5, German 2.2, code 3.9, Japanese 20.
MOST_TOKENS_PER_WORD = 1.8
#: Texts that are looked at.
_LOOKED_AT = 2_000


class Embedder(Protocol):
    """A function of each text alone: the same vector in any batch, on any processor."""

    @property
    def name(self) -> str:
        """Stands in the index: another one is refused."""

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 of what it was read from, by file: other ones are refused."""

    @property
    def size(self) -> int:
        """Numbers of a vector."""

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Of length 4,000 [n, size]; zeros for a text without anything to embed."""


class Chosen(NamedTuple):
    """An embedder, and why it is this one."""

    embedder: Embedder
    why: str
    tokens_per_word: float | None  #: None: not known, without token vectors
    warnings: tuple[str, ...]


def tokens_per_word(tokens: Tokens, texts: Sequence[str]) -> float:
    """Of the first texts; a word is what spaces surround. 0 without a word."""
    looked_at = texts[:_LOOKED_AT]
    words = sum(len(text.split()) for text in looked_at)
    return float(tokens.counts(looked_at).sum() / words) if words else 0.0


def chosen(texts: Sequence[str], wanted: Choice | None, tokens: Tokens | None) -> Chosen:
    """The embedder for these: the one wanted, else by tokens per word. ``tokens``: the token vectors that are installed, if any."""
    if wanted == "tokens" and tokens is None:
        msg = "embedder: tokens is asked for, but no token vectors are installed: pip install 'driftbus[ood]', or say sketch"
        raise ValueError(msg)
    if tokens is None:
        told = "without the extra driftbus[ood] there are no token vectors; of English texts they find more"
        return Chosen(Sketch.of(texts), "no token vectors are installed", None, () if wanted else (told,))
    per_word = tokens_per_word(tokens, texts)
    foreign = per_word >= MOST_TOKENS_PER_WORD
    if wanted == "tokens":
        told = (
            f"{per_word:.1f} tokens per word: token vectors do not know this language, and find little; leave embedder out, or say sketch"
        )
        return Chosen(tokens, "asked for", per_word, (told,) if foreign else ())
    if wanted == "sketch":
        return Chosen(Sketch.of(texts), "asked for", per_word, ())
    if foreign:
        return Chosen(Sketch.of(texts), f"{per_word:.1f} tokens per word: not a language of the token vectors", per_word, ())
    return Chosen(tokens, f"{per_word:.1f} tokens per word", per_word, ())
