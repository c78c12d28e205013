"""``python -m tests.kafka.chaos``: kill and pause everything on a real Kafka, and compare what was published with a clean run."""

import argparse
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

from .play import play
from .schedule import LONG, SHORT, counted, planned


def main() -> int:
    """The command line; 0 where every run was as a clean one."""
    parser = argparse.ArgumentParser(prog="python -m tests.kafka.chaos", description=__doc__)
    parser.add_argument(
        "--brokers", type=int, choices=sorted(LONG), action="append", help="one or three (default: both, one after the other)"
    )
    parser.add_argument("--seed", type=int, action="append", help="of the schedule (default: 1); may be given several times")
    parser.add_argument("--short", action="store_true", help="the form that runs in the gate: one broker, half a minute")
    parser.add_argument("--schedule", action="store_true", help="write the schedule, and do nothing")
    parser.add_argument("--port", type=int, default=0, help="of the first broker (default: any free one)")
    parser.add_argument("--folder", type=Path, help="for journals and what the processes said (default: a new one in the system's)")
    given = parser.parse_args()
    folder = given.folder or Path(mkdtemp(prefix="driftbus-chaos-"))
    forms = [SHORT] if given.short else [LONG[brokers] for brokers in given.brokers or sorted(LONG)]
    good = True
    for form in forms:
        for seed in given.seed or [1]:
            if given.schedule:
                print(*planned(form, seed), sep="\n")
                continue
            here = folder / f"{form.brokers}-brokers-seed-{seed}"
            here.mkdir(parents=True)
            print(f"{form.brokers} broker(s), seed {seed}: {counted(planned(form, seed))}; {here}", flush=True)
            began = time.monotonic()
            result = play(form, seed, here, lambda line: print(line, flush=True), given.port)
            (here / "result.txt").write_text(f"{result}\n")
            print(f"{result}\ntook       {time.monotonic() - began:.0f} s", flush=True)
            good &= result.good
    return not good


if __name__ == "__main__":
    sys.exit(main())
