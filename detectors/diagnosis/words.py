"""Numbers, names and times as sentences about a cause have them: short, and harmless whatever a name holds."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ...schemas.duration import ROW_MS

#: Names of a list that are told, and characters of one.
MOST_NAMED, MOST_OF_A_NAME = 5, 80
#: Beyond these a number is told by its exponent.
_SMALL, _LARGE = 1e-4, 1e12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(value: float) -> str:
    """To four digits.

    >>> number(99.8312345), number(0.1 + 0.2), number(1234567.0), number(-0.0), number(2e-9)
    ('99.83', '0.3', '1,235,000', '0', '2e-09')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    short = float(f"{value:.4g}")
    if short and not _SMALL <= abs(short) < _LARGE:
        return f"{short:.4g}"
    return f"{short + 0.0:,.12g}"


def percent(share: float) -> str:
    """Of a share.

    >>> percent(0.3412), percent(0.011)
    ('34 %', '1.1 %')
    """
    return f"{100 * share:.0f} %" if abs(share) >= 0.1 else f"{float(f'{100 * share:.2g}') + 0.0:g} %"


def when(time: int, *, rows: bool = False) -> str:
    """A time in ms, with seconds only where there are some; of a stream whose panes are of so many rows, the row.

    >>> when(1363305600000), when(30_000_000, rows=True)
    ('2013-03-15 00:00 UTC', 'row 30000')
    """
    if rows:
        return f"row {time // ROW_MS}"
    moment = _EPOCH + timedelta(milliseconds=time)
    return f"{moment:%Y-%m-%d %H:%M}{f':{moment:%S}' if moment.second else ''} UTC"


def quoted(name: str) -> str:
    """A name, between back-quotes; what is no plain character of it as its code, so that it neither ends the quote nor turns the line.

    >>> quoted("load factor"), quoted("a`b" + chr(10))
    ('`load factor`', '`a\\\\u0060b\\\\u000a`')
    """
    shown = "".join(one if one.isprintable() and one != "`" else f"\\u{ord(one):04x}" for one in name[:MOST_OF_A_NAME])
    return f"`{shown}{'...' if len(name) > MOST_OF_A_NAME else ''}`"


def listed(names: Sequence[str], more: int = 0) -> str:
    """Some of them, and how many there are besides; ``more``: that are not among them.

    >>> listed(["a", "b"], 3), listed(["a"]), listed([])
    ('`a`, `b` and 3 more', '`a`', '')
    """
    rest = max(len(names) - MOST_NAMED, 0) + more
    shown = [quoted(name) for name in names[:MOST_NAMED]]
    if rest:
        return f"{', '.join(shown)} and {rest:,} more"
    return " and ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if part)
