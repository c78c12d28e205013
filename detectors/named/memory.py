"""What one of river's detectors remembers, as plain data. It is read into the objects that river itself has just made: no content names
a class, none is called, and what does not fit is refused."""

from collections import deque
from typing import Any

import msgspec
import numpy as np
from river.__version__ import __version__

from .interface import Plain

#: Of river: what another release wrote is not read.
RELEASE: str = __version__


class Foreign(ValueError):
    """A content that no detector of ours wrote."""


def attributes(held: object) -> dict[str, Plain]:
    """All attributes of an object; methods are left out, which it brings itself."""
    return {name: _written(value) for name, value in sorted(vars(held).items()) if not callable(value)}


def restore(held: object, written: Plain) -> None:
    """Give an object that is new the attributes that `attributes` wrote. Raises `Foreign` where they are not those that it has."""
    known = {name for name, value in vars(held).items() if not callable(value)}
    if not isinstance(written, dict) or known != set(written):
        msg = f"not the attributes of a {type(held).__name__}"
        raise Foreign(msg)
    for name, value in written.items():
        try:
            setattr(held, name, _read(getattr(held, name), value))
        except (TypeError, ValueError) as error:
            msg = f"{type(held).__name__}.{name}: {error}"
            raise Foreign(msg) from error


def _written(value: Any) -> Plain:  # whatever a detector holds
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value)  # numpy's are floats too
    if isinstance(value, deque):
        return [_written(item) for item in value]
    if _of_standard_library(value):
        version, numbers, spare = value.getstate()
        return [version, np.array(numbers, dtype="<u4").tobytes(), spare]
    return bytes(value.__getstate__()) if _compiled(value) else attributes(value)


def _read(new: Any, written: Plain) -> object:
    """The value of an attribute, given that which a new object has."""
    if new is None or isinstance(new, bool | int | float | str):
        if isinstance(written, list | bytes | dict):
            msg = f"a {type(written).__name__} stands where a number is expected"
            raise Foreign(msg)
        return written
    if isinstance(new, deque):
        return deque(msgspec.convert(written, list[float]), maxlen=new.maxlen)
    if _of_standard_library(new):
        version, numbers, spare = msgspec.convert(written, tuple[int, bytes, float | None])
        new.setstate((version, tuple(np.frombuffer(numbers, dtype="<u4").tolist()), spare))
    elif _compiled(new):
        _read_compiled(new, msgspec.convert(written, bytes))
    else:
        restore(new, written)
    return new


def _of_standard_library(value: object) -> bool:
    """Whether it is a generator of random numbers."""
    return hasattr(value, "getstate")


def _compiled(value: object) -> bool:
    """Whether it is of river's classes in Rust, which write themselves as fixed numbers."""
    return not hasattr(value, "__dict__")


def _read_compiled(new: Any, numbers: bytes) -> None:  # river gives no types
    try:
        new.__setstate__(numbers)
    except BaseException as error:  # what Rust cannot read it panics on, and its panics are no Exceptions
        if type(error).__name__ != "PanicException":
            raise
        raise Foreign(str(error)) from error
    if new.__getstate__() != numbers:
        msg = f"not the numbers of a {type(new).__name__}"
        raise Foreign(msg)
