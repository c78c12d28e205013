"""What of a column looks as if it were meant otherwise than it is read: said, with the setting that decides, and never guessed."""

import re
from collections.abc import Callable, Iterator, Mapping

from ....schemas.configuration import Model
from ....schemas.stored.reference import NumericProfile, ProfiledField
from ...decode.scalars import classify
from .columns import Kind
from .survey import Survey, Typed

#: Texts that are written where there is no value.
_NONE = {"", "none", "null", "nan", "nat", "na", "n/a", "#n/a", "<na>", "nil", "undefined", "missing", "-", "--", "?"}
#: Numbers that are.
_SENTINEL = re.compile(r"-?(9{3,}|1)(\.0+)?|-?1e\d+")
#: Where nothing else is said of them, so large a part of a column's texts is worth a word.
_THIRD = 1 / 3
_LEAST = 0.01
#: Seconds of our time, and these in milliseconds, microseconds, nanoseconds: 2001 to 2100.
_EPOCH = (1_000_000_000, 4_102_444_800)
_UNITS = (1, 1_000, 1_000_000, 1_000_000_000)
#: Thousands with points, and a comma; or a comma and any digits.
_DECIMAL_COMMA = re.compile(r"\s*[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+\s*")
#: Of so many features the names are given.
_NAMED = 5


def doubts(fields: Mapping[str, tuple[ProfiledField | None, Survey, Typed | None]], settings: Model, model: str) -> Iterator[str]:
    """One sentence for each kind of doubt. ``fields``: by name, each with its profile, or None where it is ignored."""
    at = f"models.{model}"
    kinds: tuple[tuple[Callable[..., str | None], str], ...] = (
        (_ahead, f"most of these times are ahead of their rows': {{}}; if they are local times, name their zone ({at}.zone)"),
        (_epoch, f"all of these numbers could be times since 1970: {{}}; if they are, say type: timestamp ({at}.features.NAME.type)"),
        (
            _numbers,
            f"these texts are all numbers, and read as such: {{}}; if they are codes, say type: categorical ({at}.features.NAME.type)",
        ),
        (_comma, "these texts look like numbers with a decimal comma, which no message can hold: {}; write points, or ignore them"),
        (_none, f"these look as if they stood for no value: {{}}; if they do, name them in nulls ({at}.nulls or {at}.features.NAME.nulls)"),
    )
    for doubt, sentence in kinds:
        found = [
            f"{name} ({said})" if said else name
            for name, (field, survey, typed) in fields.items()
            if not settings.feature(name).ignore and (said := doubt(field, survey, typed, settings, name)) is not None
        ]
        if found:
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            yield sentence.format(", ".join(found[:_NAMED]) + more)


def _ahead(field: ProfiledField | None, _: Survey, __: Typed | None, settings: Model, name: str) -> str | None:
    """Ages of times are below zero where these are ahead."""
    if field is None or field.type != "timestamp" or not isinstance(field.values, NumericProfile) or not field.values.quantiles:
        return None
    median = field.values.quantiles[3]
    return f"by {-median / 3600:.2g} h" if median < 0 and settings.zone_of(name) == "UTC" else None


def _epoch(field: ProfiledField | None, survey: Survey, __: Typed | None, settings: Model, name: str) -> str | None:
    if field is None or field.type != "numeric" or settings.feature(name).type or not isinstance(field.values, NumericProfile):
        return None
    low, high = field.values.minimum, field.values.maximum
    units = [unit for unit in _UNITS if any(_EPOCH[0] * unit <= value < _EPOCH[1] * unit for value in (low, high))]
    inside = bool(units) and low >= _EPOCH[0] * units[0] and high < _EPOCH[1] * units[-1] and field.values.distinct > 1
    return f"in {len(units)} units" if inside and len(units) > 1 else "" if inside else None


def _numbers(field: ProfiledField | None, survey: Survey, typed: Typed | None, settings: Model, name: str) -> str | None:
    if field is None or field.type != "numeric" or settings.feature(name).type or survey.loose:
        return None
    return "" if survey.kinds[Kind.TEXT] and not survey.kinds[Kind.NUMBER] else None


def _comma(field: ProfiledField | None, survey: Survey, typed: Typed | None, settings: Model, name: str) -> str | None:
    if settings.feature(name).type or not survey.texts or (field is not None and field.type == "numeric"):
        return None
    commas = sum(rows for text, rows in survey.texts.items() if _DECIMAL_COMMA.fullmatch(text))
    return "" if commas >= 0.9 * survey.texts.total() else None


def _none(field: ProfiledField | None, survey: Survey, typed: Typed | None, settings: Model, name: str) -> str | None:
    """Texts that people and libraries write for nothing; another text in a third of a column of numbers; numbers far from the others."""
    there = sum(survey.kinds[kind] for kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT, Kind.NESTED))
    for text, rows in survey.texts.most_common():
        if rows < _LEAST * there:
            break
        if text.strip().lower() in _NONE:
            return f'"{text}" in {rows / there:.0%}'
    text, rows = next(iter(survey.texts.most_common(1)), ("", 0))
    others = survey.kinds[Kind.NUMBER] + sum(of for one, of in survey.texts.items() if one != text and _is_number(one))
    if rows >= _THIRD * there and others >= 0.9 * (there - rows) and others and not _is_number(text):
        return f'"{text}" in {rows / there:.0%}, the others are numbers'
    if field is not None and field.type == "numeric" and isinstance(field.values, NumericProfile):
        return _sentinel(field.values)
    return None


def _sentinel(values: NumericProfile) -> str | None:
    """The smallest or the largest value, if many rows have just that, it is written as people write it for none, and all others are far."""
    total, quantiles = sum(values.counts), values.quantiles
    if not total or len(quantiles) < 7:
        return None
    for end, place, next_ in ((values.minimum, 1, 1), (values.maximum, values.above - 1, -1)):
        if place not in range(len(values.counts)) or place + next_ not in range(len(values.counts)):
            continue
        rows, beside, middle = values.counts[place], values.values[place + next_], values.values[len(values.counts) // 2]
        lonely = values.values[place] == end and abs(end - beside) > 2 * abs(beside - middle) + 1
        if rows >= _LEAST * total and lonely and _SENTINEL.fullmatch(f"{end:g}"):
            return f"{end:g} in {rows / total:.0%}"
    return None


def _is_number(text: str) -> bool:
    return type(classify("numeric", True, text)) is float
