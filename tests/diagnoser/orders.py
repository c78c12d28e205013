"""Random logs of one model's evidence, each in two orders of arrival: what is said of causes, and remembered, is the same.

``python -m tests.diagnoser.orders [--logs 200] [--first 0]`` tries so many; the gate fewer.
"""

import argparse
from collections.abc import Callable

from driftbus.consumers.diagnoser.fold import Fold

from .facts import Record, Traffic, fold, interleaved, said, writers

GRAINS = 9
#: The grain from which on amount is null in a third of the rows.
BROKEN = 5


def facts(seed: int) -> dict[str, list[Record]]:
    """What each writes."""
    traffic = Traffic(seed, null=lambda number: 0.33 if number >= BROKEN else 0.0)
    return writers(traffic, GRAINS, delays=(0, 1, 1, 2, 5), seed=seed, noted=BROKEN + 1)


def orders(seed: int, make: Callable[[], Fold] = fold) -> list[list[bytes]]:
    """What two orders of the same facts lead to, and what is remembered in the end."""
    found = []
    for order in (seed + 10**6, seed + 2 * 10**6):
        chosen = make()
        events = [event.encoded() for event in said(chosen, interleaved(facts(seed), order))]
        _, parts = chosen.snapshot(0)
        found.append([*events, *(parts[key] for key in sorted(parts))])
    return found


def differing(logs: range) -> list[int]:
    """Logs of which two orders say different things, or neither confirms what broke."""
    return [seed for seed in logs if not _same(*orders(seed))]


def _same(first: list[bytes], second: list[bytes]) -> bool:
    return first == second and any(b'"confirmed"' in one for one in first)


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    wrong = differing(range(given.first, given.first + given.logs))
    print(f"{given.logs} logs, each in two orders: {len(wrong)} differ {wrong or ''}")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
