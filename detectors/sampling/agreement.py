"""How far two who label the same cases agree, beyond what chance would have them do."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import NamedTuple


class Agreement(NamedTuple):
    """Of pairs of labels; None where there are too few, or only one label."""

    pairs: int
    share: float | None  #: of them that are the same
    kappa: float | None  #: Cohen's: 0, chance; 1, always


def agreement(pairs: Iterable[tuple[Hashable, Hashable]]) -> Agreement:
    """Cohen's kappa (1960): (p_o - p_e) / (1 - p_e), where p_e would agree if each labelled as often so, at random.

    >>> agreement([("a", "a"), ("a", "a"), ("b", "b"), ("b", "a")])
    Agreement(pairs=4, share=0.75, kappa=0.5)
    """
    both = Counter(pairs)
    total = sum(both.values())
    if not total:
        return Agreement(0, None, None)
    one, other = Counter[Hashable](), Counter[Hashable]()
    for (first, second), number in both.items():
        one[first] += number
        other[second] += number
    same = sum(number for (first, second), number in both.items() if first == second)
    expected = sum(number * other[label] for label, number in one.items())
    kappa = (same * total - expected) / (total**2 - expected) if expected < total**2 else None
    return Agreement(total, same / total, kappa)
