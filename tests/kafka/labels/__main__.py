"""Kills everybody at random moments while predictions wait for labels and people, on a real Kafka; compares with one undisturbed process.

``python -m tests.kafka.labels --kills 60 [--seed 1] [--joiner-stopped] [--brokers-away] [--brokers 3]`` starts brokers of its own, and says
what it found: outcome panes, performance records, events, root causes, cases and samples byte for byte, `driftbus replay` of a recording
too, what the learner said, one evaluation of every golden request, and estimates that are what the answers come to.
"""

import argparse
import tempfile
import time
from contextlib import closing
from pathlib import Path

from driftbus.consumers.bus.kafka import KafkaBus

from ...golden.servers import serving
from ..chaos.brokers import Brokers
from .left import differences
from .play import Play


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--joiner-stopped", action="store_true", help="until all the others are at the end")
    parser.add_argument("--brokers-away", action="store_true", help="the broker is killed, and later paused, for 8 s each")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        serving() as server,
        closing(Brokers(Path(name) / "brokers", given.brokers, 0, 25)) as brokers,
    ):
        folder, began = Path(name), time.monotonic()
        play = Play(folder, given.seed, brokers, server.address, given.brokers)
        with closing(KafkaBus(play.configuration.kafka, play.configuration.application, "maker")) as bus:
            wrong = play.run(bus, given.kills, joiner_stopped=given.joiner_stopped, brokers_away=given.brokers_away)
            wrong += differences(bus, play.configuration, folder, play.requests)
    print(f"{given.kills} kills, seed {given.seed}, {time.monotonic() - began:.0f} s", *wrong, "WRONG" if wrong else "EQUAL", sep="\n")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
