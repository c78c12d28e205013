"""Text of any language: its words, its n-grams of characters, and the profile of a column of texts."""

from .filling import TextFilling, lengths_of
from .reader import STEPS, Reader
from .reading import MOST_CHARACTERS

__all__ = ["MOST_CHARACTERS", "STEPS", "Reader", "TextFilling", "lengths_of"]
