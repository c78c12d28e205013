"""Text of any language as it is counted: its words, and its n-grams of characters."""

from .reader import STEPS, TextReader
from .reading import MOST_CHARACTERS, lengths_of

__all__ = ["MOST_CHARACTERS", "STEPS", "TextReader", "lengths_of"]
