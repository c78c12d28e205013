"""Compiled where numba is at hand, as in the scoreboard's own environment; the same functions in plain Python elsewhere, for the tests."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])

COMPILED = find_spec("numba") is not None


def compiled(function: Function, *, any_order: bool = False) -> Function:
    """The function as machine code, if that can be made here; in ``any_order`` it may add, which is faster, but rounds otherwise."""
    if not COMPILED:
        return function
    made: Function = import_module("numba").njit(function, cache=True, fastmath={"reassoc", "contract"} if any_order else False)
    return made
