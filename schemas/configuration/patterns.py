"""Patterns of texts that are masked: regular expressions of a kind whose cost is bounded, whatever text they meet.

Python's engine tries again where a match fails; a pattern such as ``(a|aa)*b`` makes it try for years. So each repetition has a bound, and
what could be divided among repetitions in many ways is refused when it is written. What is left costs, from each place of a text, at most
`MOST_STEPS` tries of `MOST_WIDTH` characters, and nearly always a few.
"""

import re
import re._parser as parser  # type: ignore[import-not-found]  # the engine's own: what it takes a pattern for, is what counts
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

#: Characters of a pattern, patterns of a field, and characters that a pattern may match.
LONGEST, MOST_PATTERNS, MOST_WIDTH = 200, 32, 4_096
#: Ways in which one place of a text may be tried.
MOST_STEPS = 1_000

#: Characters that tell classes apart; a class that names others may hold any.
_PROBES = tuple(map(chr, range(0x250)))
_ALL = frozenset(_PROBES)
_CATEGORIES = {
    "DIGIT": frozenset(filter(str.isdigit, _PROBES)),
    "SPACE": frozenset(filter(str.isspace, _PROBES)),
    "WORD": frozenset(one for one in _PROBES if one.isalnum() or one == "_"),
}


class _Cost(NamedTuple):
    """Of a part of a pattern: in how many ways it may be tried, and what it may begin with (with nothing, where it may be empty)."""

    ways: int
    first: frozenset[str]
    empty: bool


def bounded(pattern: str) -> str:
    """A pattern that may stand in a configuration, as it is. Raises `ValueError` with what to change.

    >>> bounded("[0-9]{13,19}"), bounded(r"([0-9]{1,3}[.]){3}[0-9]{1,3}")
    ('[0-9]{13,19}', '([0-9]{1,3}[.]){3}[0-9]{1,3}')
    >>> bounded("(a|aa){1,40}b")
    Traceback (most recent call last):
    ValueError: '(a|aa){1,40}b' may be tried in too many ways; let each repetition end at what it cannot match itself
    """
    try:
        parsed = parser.parse(pattern)
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        msg = f"{pattern!r} is no regular expression: {error}"
        raise ValueError(msg) from None
    if parsed.state.flags & ~re.UNICODE:
        msg = f"{pattern!r}: flags do not do here; write [Aa] for a letter of either case"
        raise ValueError(msg)
    ways = _sequence(pattern, parsed, frozenset()).ways
    shortest, longest = parsed.getwidth()
    if shortest == 0:
        msg = f"{pattern!r} matches nothing, too, and so everywhere; let it begin with what must be there"
        raise ValueError(msg)
    if longest > MOST_WIDTH:
        msg = f"{pattern!r} may match {longest:,} characters; at most {MOST_WIDTH:,} do"
        raise ValueError(msg)
    if ways > MOST_STEPS:
        msg = f"{pattern!r} may be tried in too many ways; let each repetition end at what it cannot match itself"
        raise ValueError(msg)
    return pattern


def _sequence(pattern: str, items: Sequence[Any], follow: frozenset[str]) -> _Cost:  # Any: the parser's tree
    """Of items one behind the other, in front of something that begins with ``follow``."""
    whole = _Cost(1, frozenset(), True)
    for item in reversed(list(items)):
        behind = whole.first | follow if whole.empty else whole.first
        one = _item(pattern, item, behind)
        whole = _Cost(
            min(one.ways * whole.ways, MOST_STEPS + 1), one.first | whole.first if one.empty else one.first, one.empty and whole.empty
        )
    return whole


def _item(pattern: str, item: tuple[Any, Any], follow: frozenset[str]) -> _Cost:
    name, content = str(item[0]), item[1]
    match name:
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
            return _Cost(1, _characters(name, content), False)
        case "AT":
            return _Cost(1, frozenset(), True)
        case "SUBPATTERN" if not content[1] and not content[2]:
            return _sequence(pattern, content[3], follow)
        case "BRANCH":
            choices = [_sequence(pattern, branch, follow) for branch in content[1]]
            first = frozenset[str]().union(*(one.first for one in choices))
            apart = sum(len(one.first) for one in choices) == len(first) and not any(one.empty for one in choices)
            each = [one.ways for one in choices]
            return _Cost(max(each) if apart else sum(each), first, any(one.empty for one in choices))
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inside = content
            if most is parser.MAXREPEAT:
                msg = f"{pattern!r}: a repetition without a bound; write {{1,64}} for +, {{0,64}} for *"
                raise ValueError(msg)
            own = _sequence(pattern, inside, frozenset())
            if most > 1:
                own = _sequence(pattern, inside, own.first | follow)
            elif not own.empty:
                own = _sequence(pattern, inside, follow)
            ways = int(own.ways ** min(most, 64)) if own.ways > 1 else 1
            if own.empty or (most > least and own.first & follow):
                ways *= most - least + 1
            return _Cost(min(ways, MOST_STEPS + 1), own.first, own.empty or least == 0)
    msg = f"{pattern!r}: {name.lower().replace('_', ' ')} does not do here; characters, classes, groups, | and {{m,n}} do"
    raise ValueError(msg)


def _characters(name: str, content: Any) -> frozenset[str]:
    match name:
        case "ANY":
            return _ALL
        case "LITERAL":
            return _of_code(content, content)
        case "NOT_LITERAL":
            return _ALL - {chr(content)}
    negated = bool(content) and str(content[0][0]) == "NEGATE"
    found = frozenset[str]()
    for kind, value in content[1:] if negated else content:
        match str(kind):
            case "LITERAL":
                found |= _of_code(value, value)
            case "RANGE":
                found |= _of_code(*value)
            case "CATEGORY":
                *no, category = str(value).removeprefix("CATEGORY_").split("_")
                found |= _ALL - _CATEGORIES[category] if no else _CATEGORIES[category]
    if negated:
        return _ALL if found == _ALL else _ALL - found
    return found


def _of_code(first: int, last: int) -> frozenset[str]:
    return _ALL if last >= len(_PROBES) else frozenset(map(chr, range(first, last + 1)))


#: As it stands in a configuration.
MaskPattern = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(bounded)]
