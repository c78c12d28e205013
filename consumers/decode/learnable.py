"""What a learner has of a row: numbers, categories and booleans of its reference, each as a decoder has read it."""

import math

from ...schemas.stored.reference import ProfiledField
from ...schemas.text import CATEGORY, fitted

_TYPES = ("numeric", "categorical", "boolean")


def learnable(field: ProfiledField) -> bool:
    """Whether it is a feature that is written down for learners."""
    return field.role == "feature" and field.type in _TYPES


def learnt(found: object) -> float | str | None:
    """A value as it is written down for them; ``found``: a number, a text, or a mark of what is not there.

    >>> learnt(12.5), learnt("DE"), learnt(float("nan")), len(learnt("x" * 600))
    (12.5, 'DE', None, 500)
    """
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    return fitted(found, CATEGORY) if isinstance(found, str) else None
