"""One JSON value, as a field of a reference reads it. Reference builder and live decoder both ask here, so that they agree."""

import json
import math

from msgspec import UNSET

from ...schemas.stored.reference import FieldType
from ...schemas.text import is_unicode
from .interface import MARKS
from .times import seconds_of_number, seconds_of_text

__all__ = ["FieldType", "category_text", "classify", "complaint", "quoted", "vector_of"]

#: Reasons quote so many characters of a value: enough to find it, too few to fill a header.
_LONGEST_QUOTE = 60
#: Digits of a number that name a category: what follows them is how somebody wrote it. From the second on only whole numbers do.
_DIGITS, _FEW_DIGITS = 7, 1e6
_WORDS = {True: "true", False: "false"}
_BOOLEANS: dict[object, str] = {"true": "true", "1": "true", 1: "true", "false": "false", "0": "false", 0: "false"}
_WANTED = {
    "numeric": "a number",
    "categorical": "a text, number or boolean",
    "boolean": "true or false",
    "timestamp": "an ISO 8601 time or epoch number",
    "text": "a text",
    "embedding": "a list of numbers",
}


def category_text(value: str | float) -> str:
    """The one text of a category, however JSON wrote it. Never looked up by the value itself, since 1 == True == 1.0 in Python.

    >>> category_text("DE"), category_text(True), category_text(1), category_text(1.0), category_text(0.5)
    ('DE', 'true', '1', '1', '0.5')
    >>> category_text(0.8 * 3), category_text(0.10000000149011612)  # the second was a float32
    ('2.4', '0.1')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    text = repr(value)
    return repr(float(f"{value:.{_DIGITS}g}")) if len(text) > _DIGITS + 2 and abs(value) < _FEW_DIGITS else text


def classify(type: FieldType, parse: bool, value: object, zone: str = "UTC") -> float | str | int:
    """A number (always a float; of a timestamp, seconds since 1970), a text, or, always an int, one of `MARKS`. Of vectors: `vector_of`.

    ``zone``: of times that name none.

    ``UNSET`` is missing; None and NaN are null; infinities, and numbers beyond the range of a float, are invalid.

    >>> classify("numeric", False, 12), classify("numeric", True, "12.5"), classify("categorical", False, 12)
    (12.0, 12.5, '12')
    >>> classify("numeric", False, "12,50") == MARKS.invalid, classify("boolean", False, 1) == MARKS.invalid
    (True, True)
    """
    if value is UNSET:
        return MARKS.missing
    if value is None:
        return MARKS.null
    if type == "boolean":
        return _WORDS[value] if isinstance(value, bool) else _boolean(value) if parse else MARKS.invalid
    if type == "text":
        return value if isinstance(value, str) and is_unicode(value) else MARKS.invalid
    if type == "timestamp":
        return _instant(value, zone)
    return _number(parse, value) if type == "numeric" else _category(value)


def _boolean(value: object) -> str | int:
    """``parse``: 0 and 1, and the words, as texts or not."""
    if isinstance(value, float) and math.isnan(value):
        return MARKS.null
    key = value.lower() if isinstance(value, str) else value
    return _BOOLEANS.get(key, MARKS.invalid) if isinstance(key, str | int | float) else MARKS.invalid


def _number(parse: bool, value: object) -> float | int:
    # Python alone reads "1_000" as a number.
    if isinstance(value, bool) or not isinstance(value, (int, float, str) if parse else (int, float)) or (parse and "_" in str(value)):
        return MARKS.invalid
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return MARKS.invalid
    return _finite(number)


def _instant(value: object, zone: str) -> float | int:
    if isinstance(value, str):
        seconds = seconds_of_text(value, zone)
        return MARKS.invalid if seconds is None else seconds
    number = _number(False, value)
    return seconds_of_number(number) if isinstance(number, float) else number


def _finite(number: float) -> float | int:
    return number if math.isfinite(number) else MARKS.null if math.isnan(number) else MARKS.invalid


def _category(value: object) -> str | int:
    if isinstance(value, str):
        return value if is_unicode(value) else MARKS.invalid
    if isinstance(value, float) and not math.isfinite(value):
        return MARKS.null if math.isnan(value) else MARKS.invalid
    return category_text(value) if isinstance(value, (int, float)) else MARKS.invalid


def vector_of(size: int, value: object) -> list[float] | int:
    """A list of so many numbers (0: of any number, at least one), as floats, or one of `MARKS`. A null or NaN inside makes it invalid.

    >>> vector_of(2, [1, 2.5]), vector_of(3, [1, 2.5]) == MARKS.invalid, vector_of(2, [1, None]) == MARKS.invalid
    ([1.0, 2.5], True, True)
    """
    if value is UNSET:
        return MARKS.missing
    if value is None:
        return MARKS.null
    if not isinstance(value, list) or not value or (size and len(value) != size):
        return MARKS.invalid
    if not set(map(type, value)) <= {int, float}:
        return MARKS.invalid
    try:
        numbers = list(map(float, value))
    except OverflowError:
        return MARKS.invalid
    return numbers if all(map(math.isfinite, numbers)) else MARKS.invalid


def complaint(type: FieldType, value: object, size: int = 0) -> str:
    """Why a value is invalid; ``size``: of a vector.

    >>> complaint("numeric", "12,50"), complaint("boolean", 1), complaint("numeric", float("inf"))
    ('"12,50" is not a number', '1 is not true or false', 'Infinity is not a finite number')
    >>> complaint("embedding", [1.0], 2), complaint("embedding", [1.0, None], 2)
    ('a list of 1, not of 2 numbers', 'number 2 of 2 is null')
    """
    if type == "embedding" and isinstance(value, list):
        return _complaint_of_vector(value, size)
    if type in ("numeric", "timestamp") and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{quoted(value)} is not a finite number"
    if type in ("categorical", "text") and isinstance(value, str):
        return f"{quoted(value)} is not Unicode text"
    return f"{quoted(value)} is not {_WANTED[type]}"


def _complaint_of_vector(value: list[object], size: int) -> str:
    if not value or (size and len(value) != size):
        return f"a list of {len(value)}, not of {size or 'any'} numbers"
    place, number = next((place, each) for place, each in enumerate(value, start=1) if not isinstance(_number(False, each), float))
    return f"number {place} of {len(value)} is {quoted(number)}"


def quoted(value: object) -> str:
    """A value as JSON writes it, short; containers by their kind only.

    >>> quoted("né"), quoted([1, 2]), quoted(None), quoted("x" * 100)[-5:]
    ('"né"', 'a list', 'null', 'xx...')
    """
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
