"""Tries all claims on many random worlds, and says what happened in them."""

import argparse
import sys
import tempfile
import time
from collections import Counter

from . import claims


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle.joins", description=__doc__)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--seed", default="0")
    chosen = parser.parse_args()
    seen, broken, begin = Counter[str](), Counter[str](), time.monotonic()
    with tempfile.TemporaryDirectory() as artifacts:
        for number in range(chosen.first, chosen.first + chosen.cases):
            try:
                seen += claims.case(number, chosen.seed, artifacts)
            except claims.Broken as error:
                broken[error.claim] += 1
                print(f"case {number}: {error}", flush=True)
            if number % 20 == 19:
                print(f"{number + 1 - chosen.first} cases", flush=True)
    print(f"{chosen.cases} cases in {time.monotonic() - begin:.0f} s; of them broken: {dict(broken) or 'none'}")
    print(*(f"{count:8} {what}" for what, count in sorted(seen.items())), sep="\n")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
