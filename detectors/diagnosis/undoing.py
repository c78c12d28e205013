"""How a map of values, or an exchange of columns, is undone at serving, in words."""

from collections.abc import Mapping

from ...schemas.messages.root_cause import CauseMap
from .words import MOST_NAMED, number, quoted

#: What undoes each form; x: the value as it arrives.
_INVERSE = {
    "scale": "divide {name} by {a}",
    "affine": "serve (x {less}) / {a} for x of {name}",
    "log1p": "serve exp(x / {a}) - 1 for x of {name}",
    "affine_log1p": "serve exp((x {less}) / {a}) - 1 for x of {name}",
    "expm1": "serve log(1 + x / {a}) for x of {name}",
    "labels": "translate the new labels of {name} into the old ones",
    "codes": "translate the categories of {name} back",
}
#: What a value has become.
_IMAGE = {
    "scale": "{a} times what it was",
    "affine": "{a} x {more} of what it was, x",
    "log1p": "{a} log(1 + x) of what it was, x",
    "affine_log1p": "{a} log(1 + x) {more} of what it was, x",
    "expm1": "{a} (exp(x) - 1) of what it was, x",
    "labels": "the same categories under other labels",
    "codes": "the same categories in each other's place",
}


def image(map_: CauseMap) -> str:
    """What came of values.

    >>> image(CauseMap(form="scale", a=99.83, constant="x 100 (percent, cents)"))
    '99.83 times what it was: x 100 (percent, cents)'
    """
    told = _told(_IMAGE, map_, "")
    return f"{told}: {map_.constant}" if map_.constant else told


def undone(map_: CauseMap, name: str) -> str:
    """What to do with each value that arrives; where only some rows have new values, with those.

    >>> undone(CauseMap(form="affine", a=2.0, b=32.0), "temp")
    'serve (x - 32) / 2 for x of `temp`'
    """
    told = _told(_INVERSE, map_, name)
    return f"{told}, in the rows that have new values" if map_.share < 1 else told


def _told(words: Mapping[str, str], map_: CauseMap, name: str) -> str:
    size, up = number(abs(map_.b)), map_.b >= 0
    signs = {"more": f"{'+' if up else '-'} {size}", "less": f"{'-' if up else '+'} {size}"}
    return words.get(map_.form, "undo the map of {name}").format(name=quoted(name), a=number(map_.a), **signs)


def places(exchanged: Mapping[str, str]) -> str:
    """Which column has whose values.

    >>> places({"a": "b", "b": "a"})
    '`a` has the values of `b`, `b` those of `a`'
    """
    pairs = [f"{quoted(name)} {'those' if number else 'has the values'} of {quoted(other)}" for number, (name, other) in _first(exchanged)]
    more = len(exchanged) - len(pairs)
    return ", ".join(pairs) + (f" and {more} more" if more else "")


def _first(exchanged: Mapping[str, str]) -> list[tuple[int, tuple[str, str]]]:
    return list(enumerate(sorted(exchanged.items())))[:MOST_NAMED]
