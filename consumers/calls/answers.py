"""What becomes of a call: an answer, or one of three reasons why there is none."""

from collections.abc import Mapping, Sequence

import msgspec

#: Of an answer to one call: a server that sends more is not read to the end.
MOST_BYTES = 32 * 1024 * 1024


class TimedOut(Exception):
    """The server did not answer in time."""


class Erred(Exception):
    """The server answered that it cannot, or could not be reached. The message is one of ours: nothing of an answer stands in it."""


class Invalid(Exception):
    """The answer is none. The message is one of ours."""


def decoded(body: bytes) -> object:
    """The JSON of an answer. Raises `Invalid`."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        msg = "the answer is no JSON"
        raise Invalid(msg) from error


def found(answer: object, path: Sequence[str], what: str) -> object:
    """What stands at a place in an answer: keys, or places in a list. Raises `Invalid`."""
    here = answer
    for step in path:
        if isinstance(here, Mapping) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and int(step[:9]) < len(here):
            here = here[int(step[:9])]
        else:
            msg = f"the answer has no {what} at {'.'.join(path)}"
            raise Invalid(msg)
    return here
