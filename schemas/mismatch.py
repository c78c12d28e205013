"""Why a record does not fit its schema, in a line that names field, value and reason."""

from pydantic import ValidationError

#: Characters of a value that are quoted.
_LONGEST = 60


def mismatch(error: ValidationError) -> str:
    """Of the first field that does not fit: where it is, what stands there, and why. Of one that may be of several kinds it is none.

    >>> from driftbus.schemas.messages.review import ReviewLabel
    >>> try:
    ...     ReviewLabel.model_validate({"model": "m", "case": "0" * 32, "version": ["1"], "known": 0})
    ... except ValidationError as error:
    ...     mismatch(error)
    'version: a list: input should be a valid string'
    """
    first, *others = error.errors(include_url=False, include_context=False)
    reason = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return reason
    if any(one["loc"][:1] == first["loc"][:1] and one["input"] is first["input"] for one in others):
        return f"{first['loc'][0]}: {_shown(first['input'])}: nothing that may stand there"
    path = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"{path} is missing"
    return f"{path}: {_shown(first['input'])}: {reason[:1].lower()}{reason[1:]}"


def _shown(value: object) -> str:
    """Short, and with nothing in it that acts on whoever reads it; containers by their kind."""
    if isinstance(value, dict | list | tuple):
        return "an object" if isinstance(value, dict) else "a list"
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        return "a huge number"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
