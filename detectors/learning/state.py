"""A river model's state as plain data.

Writing asks each object what pickle would ask it. Reading makes only what a *twin* is made of: a model of the same settings that has learnt
some rows. No content names a module that is imported or a function that is called.
"""

import copyreg
import functools
import types
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from river.__version__ import __version__

#: Of river: what another release wrote is not read.
RELEASE: str = __version__
#: Whole numbers that msgpack holds.
_LEAST, _MOST = -(2**63), 2**63
#: Collections and factories of them, which any model may hold, though its twin holds none yet.
_STANDARD: Mapping[str, type] = {
    f"{one.__module__}.{one.__qualname__}": one for one in (Counter, OrderedDict, deque, set, float, int, list, dict)
}
#: What a generator is given that had no seed: nobody can repeat what it draws, so its state would only tell two equal models apart.
_SEED = 0
_READ_ERRORS = (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError)

Plain = Any  # scalars, bytes, and lists of them


class Foreign(ValueError):
    """A content that no such model wrote."""


def written(model: object) -> bytes:
    """All that a model remembers; the same of the same."""
    return msgspec.msgpack.encode([RELEASE, _Writer().plain(model)])


def read(content: bytes, twin: object) -> Any:  # of the type of the twin
    """The model that `written` wrote; ``twin``: one of the same settings. Raises `Foreign` where the content does not fit."""
    known = _Writer()
    known.plain(twin)
    try:
        release, plain = msgspec.msgpack.decode(content, type=tuple[str, Plain])
    except (msgspec.MsgspecError, ValueError) as error:
        msg = f"not the state of a model: {error}"
        raise Foreign(msg) from error
    if release != RELEASE:
        msg = f"written by river {release}, and this is {RELEASE}"
        raise Foreign(msg)
    try:
        model = _Reader(known.classes, known.functions).object(plain)
    except _READ_ERRORS as error:
        msg = f"not the state of a {type(twin).__name__}: {error!r}"
        raise Foreign(msg) from error
    except BaseException as error:  # what Rust cannot read it panics on, and its panics are no Exceptions
        if type(error).__name__ != "PanicException":
            raise
        raise Foreign(str(error)) from error
    if type(model) is not type(twin):
        msg = f"the state of a {type(model).__name__} for a {type(twin).__name__}"
        raise Foreign(msg)
    return model


class _New(NamedTuple):
    """A generator that is made anew."""

    made_by: type


class _Writer:
    """Objects to lists that begin with their kind and their number. One that was met is named by its number."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._met: list[object] = []  # an id is an object's only while it lives
        self.classes: dict[str, type] = {}
        self.functions: dict[str, Any] = {}

    def plain(self, held: Any) -> Plain:
        """An object and all that it holds."""
        if held is None or isinstance(held, bool | bytes) or type(held) in (float, str):
            return held
        if type(held) is int:
            return held if _LEAST <= held < _MOST else ["int", str(held)]
        if id(held) in self._numbers:
            return ["met", self._numbers[id(held)]]
        number = self._numbers[id(held)] = len(self._numbers)
        self._met.append(held)
        kind, *content = self._content(held)
        return [kind, number, *content]

    def _content(self, held: Any) -> list[Plain]:
        if type(held) in (tuple, list):
            return [type(held).__name__, self._all(held)]
        if type(held) is dict:
            return ["dict", self._pairs(held.items())]
        if type(held) is set:
            return ["set", self._all(sorted(held, key=repr))]
        if type(held) is _New:
            self.classes[_name(held.made_by)] = held.made_by
            return ["called", _name(held.made_by), [_SEED], None, None, None]
        if isinstance(held, type):
            self.classes[_name(held)] = held
            return ["class", _name(held)]
        if isinstance(held, types.MethodType):
            return ["method", self.plain(held.__self__), held.__func__.__name__]
        if isinstance(held, types.FunctionType | types.BuiltinFunctionType):
            self.functions[_name(held)] = held
            return ["function", _name(held)]
        if type(held) is functools.partial:
            return ["partial", self.plain(held.func), self.plain(held.args), self.plain(held.keywords)]
        return self._reduced(held)

    def _reduced(self, held: Any) -> list[Plain]:
        made, arguments, *rest = held.__reduce_ex__(2)
        state, items, pairs = (*rest, None, None, None)[:3]
        if isinstance(state, dict) and "_rng" in state and state.get("seed", _SEED) is None:
            state = state | {"_rng": _New(type(state["_rng"]))}
        if made is copyreg.__newobj__:  # type: ignore[attr-defined]  # its stub is private
            kind, arguments = "new", arguments[1:]
        elif made is type(held):
            kind = "called"
        else:
            msg = f"a {_name(type(held))} is made by {made}: it cannot be written as plain data"
            raise TypeError(msg)
        self.classes[_name(type(held))] = type(held)
        of = _name(type(held)), self._all(arguments), self.plain(state)
        return [kind, *of, None if items is None else self._all(items), None if pairs is None else self._pairs(pairs)]

    def _all(self, held: Iterable[Any]) -> list[Plain]:
        return [self.plain(one) for one in held]

    def _pairs(self, held: Iterable[tuple[Any, Any]]) -> list[Plain]:
        return [[self.plain(key), self.plain(value)] for key, value in held]


class _Reader:
    """The way back, by classes and functions that are known."""

    def __init__(self, classes: Mapping[str, type], functions: Mapping[str, Any]) -> None:
        self._classes, self._functions = {**_STANDARD, **classes}, functions
        self._made: dict[int, Any] = {}

    def object(self, plain: Plain) -> Any:
        """What `_Writer.plain` wrote."""
        if not isinstance(plain, list):
            return plain
        kind, number, *content = plain
        if kind == "int":
            return int(number)
        if kind == "met":
            return self._made[number]
        if kind in ("new", "called"):
            return self._of_class(kind, number, *content)
        if kind in ("list", "dict"):  # they may hold themselves
            return self._collection(kind, number, *content)
        self._made[number] = made = self._readers[kind](self, *content)
        return made

    def _collection(self, kind: str, number: int, content: list[Plain]) -> Any:
        held: Any = [] if kind == "list" else {}
        self._made[number] = held
        self._fill(held, content if kind == "list" else None, content if kind == "dict" else None)
        return held

    def _of_class(self, kind: str, number: int, name: str, arguments: Plain, state: Plain, items: Plain, pairs: Plain) -> Any:
        made_by, given = self._classes[name], [self.object(one) for one in arguments]
        made: Any = made_by.__new__(made_by, *given) if kind == "new" else made_by(*given)
        self._made[number] = made
        self._set(made, self.object(state))
        self._fill(made, items, pairs)
        return made

    def _set(self, made: Any, state: Any) -> None:
        if state is None:
            return
        if hasattr(made, "__setstate__"):
            made.__setstate__(state)
            return
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        if attributes:
            made.__dict__.update(attributes)
        for name, value in (slots or {}).items():
            object.__setattr__(made, name, value)

    def _fill(self, made: Any, items: Plain, pairs: Plain) -> None:
        for one in items or ():
            made.append(self.object(one))
        for key, value in pairs or ():
            name = self.object(key)
            made[name] = self.object(value)

    def _method(self, held: Plain, name: str) -> Any:
        of = self.object(held)
        if not isinstance(getattr(type(of), name, None), types.FunctionType):
            msg = f"{name} is no method of a {type(of).__name__}"
            raise TypeError(msg)
        return getattr(of, name)

    def _partial(self, function: Plain, arguments: Plain, keywords: Plain) -> Any:
        return functools.partial(self.object(function), *self.object(arguments), **self.object(keywords))

    _readers: Mapping[str, Callable[..., Any]] = {
        "tuple": lambda self, content: tuple(self.object(one) for one in content),
        "set": lambda self, content: {self.object(one) for one in content},
        "class": lambda self, name: self._classes[name],
        "function": lambda self, name: self._functions[name],
        "method": _method,
        "partial": _partial,
    }


def _name(of: Any) -> str:
    return f"{of.__module__}.{of.__qualname__}"
