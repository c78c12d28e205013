"""What is said of causes depends neither on who dies, nor on when a process commits: of two joins whose writers end, and come again."""

from .facts import Traffic, interleaved
from .lives import of_two_joins, told

#: Logs, each in two orders, one of them read by a process that commits and dies.
LOGS = 24
#: Nine grains.
MINUTES = 45
#: The minute from which on amount is null in a third of the rows.
BROKEN = 25


def test_whoever_dies_the_same_is_said_and_remembered() -> None:
    found = 0
    for seed in range(LOGS):
        traffic = Traffic(seed, null=lambda number: 0.33 if number >= BROKEN else 0.0)
        facts = of_two_joins(traffic, MINUTES, seed=seed, noted=BROKEN + 1)
        first, second = (list(interleaved(facts, order)) for order in (seed + 10**6, seed + 2 * 10**6))
        said = told(first)
        assert said == told(second), seed
        assert said == told(first, seed), seed
        assert said == told(second, seed), seed
        found += any(b'"confirmed"' in one for one in said)
    assert found == LOGS
