"""What cures say: which field, or source, makes rows unlike the training data.

Of familiar rows that happen to be flagged a third or more are cured by some mask, too: only what rows are cured *in excess* of these tells.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from .levels import OUTLIER

#: Times its level, from which on a rate of outliers says something of fields: below it the excess swings by +-.4.
LEAST_TIMES = 4
#: Rows of a broken field are spread over the reference in all others; those of a cluster are not (`RowIndex.spread`).
LEAST_SPREAD = 0.5
#: One field or two of which either may be it; by how much one stands out; a pair's stronger one, beside which all others are weak.
CURES, STANDS_OUT, HALF, WEAK = 0.8, 0.3, 0.5, 0.15


class Blame(NamedTuple):
    """What was found."""

    of: Literal["field", "either", "both", "source", "novelty", "unknown"]  #: *unknown*: too few outliers to say anything
    names: tuple[str, ...] = ()


def excess(cured: float, base: float, *, rate: float, level: float = OUTLIER) -> float:
    """The share cured of the rows that are outliers for a reason.

    Parameters
    ----------
    cured, base
        Shares cured, of the outliers and of the calibration's own outliers.
    rate
        The share of rows that are outliers; of familiar ones it is ``level``.

    >>> round(excess(0.8, 0.2, rate=0.05), 3)
    0.95
    """
    familiar = min(level / rate, 1.0) if rate > 0 else 1.0
    return (cured - familiar * base) / (1 - familiar) if familiar < 1 else 0.0


def blamed(shares: Mapping[str, float], *, rate: float, level: float = OUTLIER, pair: tuple[str, str] | None = None) -> Blame:
    """Which field it is, by the excess cured of every field; ``pair``: the smallest pair, where one was looked for and found.

    >>> blamed({"temperature": 0.95, "wind": 0.1}, rate=0.05)
    Blame(of='field', names=('temperature',))
    >>> blamed({"temperature": 0.9, "dew_point": 0.82}, rate=0.05)
    Blame(of='either', names=('temperature', 'dew_point'))
    >>> blamed({"temperature": 0.4, "wind": 0.3}, rate=0.05).of, blamed({"temperature": 1.0}, rate=0.02).of
    ('novelty', 'unknown')
    """
    if rate < LEAST_TIMES * level or not shares:
        return Blame("unknown")
    order = sorted(shares, key=lambda name: (-shares[name], name))
    first, second, third = (*(shares[name] for name in order[:3]), 0.0, 0.0)[:3]
    if first >= CURES and first - second >= STANDS_OUT:
        return Blame("field", (order[0],))
    if second >= CURES > third:
        return Blame("either", tuple(order[:2]))
    if HALF <= first < CURES and second < WEAK and pair is not None:
        return Blame("both", pair)
    return Blame("novelty")


def blamed_source(
    sources: Mapping[str, float],
    fields: Mapping[str, float],
    members: Mapping[str, tuple[str, ...]],
    *,
    rate: float,
    level: float = OUTLIER,
) -> Blame:
    """Which source it is, where no field of it is by itself; a source of more than half of the fields would cure whatever is new.

    >>> members = {"station": ("temperature", "wind")}
    >>> fields = {"temperature": 0.5, "wind": 0.4, "amount": 0.0, "city": 0.1}
    >>> blamed_source({"station": 0.9}, fields, members, rate=0.05)
    Blame(of='source', names=('station',))
    """
    if rate < LEAST_TIMES * level:
        return Blame("unknown")
    small = {name: share for name, share in sources.items() if 2 * len(members[name]) <= len(fields)}
    for name in sorted(small, key=lambda name: (-small[name], name))[:1]:
        others = [*(share for other, share in sources.items() if other != name and not set(members[other]) & set(members[name]))]
        others += [share for field, share in fields.items() if field not in members[name]]
        if small[name] >= CURES and small[name] - max(others, default=0.0) >= STANDS_OUT:
            return Blame("source", (name,))
    return Blame("novelty")


def blamed_of(
    fields: Mapping[str, float],
    sources: Mapping[str, float],
    members: Mapping[str, tuple[str, ...]],
    *,
    rate: float,
    level: float = OUTLIER,
) -> Blame:
    """Which field it is, else which source, by what each cures.

    >>> members = {"station": ("temperature", "wind")}
    >>> blamed_of({"temperature": 0.5, "wind": 0.4, "amount": 0.0, "city": 0.1}, {"station": 0.9}, members, rate=0.05)
    Blame(of='source', names=('station',))
    """
    blame = blamed(fields, rate=rate, level=level)
    return blame if blame.of != "novelty" else blamed_source(sources, fields, members, rate=rate, level=level)
