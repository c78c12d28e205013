"""Sessions that read and commit while the one broker there is falls silent: each goes on, and what it copied is there once.

``python -m tests.kafka.sessions --rounds 5 --sessions 8 [--seed 1]`` starts a broker of its own. In a round sessions begin, and copy record
by record; within some seconds the broker is silent for ten seconds, longer than any member may be, and any broker. It
says how long behind the silence the slowest had copied all. None may take longer than two minutes.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

from driftbus.consumers.bus.interface import BusError, Output, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.kafka_settings import Settings

from ..bus.worlds import Followed, everything, numbered, work
from .brokers import silent
from .cluster import cluster

#: Records of each: a session that begins at once is still at work when the silence begins.
RECORDS = 40
SILENT_S, BEGINS_S, GOES_ON_S = 10.0, 4.0, 120.0
_PAUSE_S = 0.05


class Copying:
    """A session in a thread of its own, as a consumer has it: from `numbered` records of one topic to another."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.name, self.error = name, ""
        self._bus = KafkaBus(settings, name, "one", None)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self, after_s: float) -> None:
        """In so many seconds."""
        self._after_s = after_s
        self._thread.start()

    def ended(self, within_s: float) -> bool:
        """Whether it has copied all, or has failed."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Leave nothing behind."""
        self._bus.close()

    def _run(self) -> None:
        time.sleep(self._after_s)
        try:
            self._copy()
        except BusError as error:
            self.error = str(error)

    def _copy(self) -> None:
        source, followed, position = TopicPartition(self.name, 0), Followed(), 0
        session = self._bus.session("r", [self.name], followed)
        while max(position, begun.offset if (begun := followed.held.get(source)) else 0) < RECORDS:
            for batch in session.consume(1, 0.5):
                end = int(batch.offsets[-1]) + 1
                outputs = [Output(f"{self.name}-copies", 0, None, value) for value in batch.values]
                position = end if session.commit([work(source, end, *outputs)]) else position
                time.sleep(_PAUSE_S)


def play(folder: Path, rounds: int, sessions: int, seed: int) -> list[str]:
    """What went wrong."""
    draw, wrong = random.Random(seed), list[str]()
    brokers = cluster(folder / "cluster")
    try:
        brokers.start(brokers=1)
        settings: Settings = {"bootstrap.servers": brokers.address}
        for number in range(rounds):
            with ExitStack() as stack:
                maker = stack.enter_context(closing(KafkaBus(settings, "maker", "one")))
                all_ = [stack.enter_context(closing(Copying(settings, f"round{number}-{place}"))) for place in range(sessions)]
                for one in all_:
                    for topic in (one.name, f"{one.name}-copies"):
                        maker.create(topic, 1, settings={"retention.ms": "-1"})
                    maker.publish(numbered(one.name, RECORDS))
                for one in all_:
                    one.begin(draw.uniform(0, BEGINS_S))
                time.sleep(BEGINS_S + draw.uniform(0, 1))
                with silent(brokers):
                    time.sleep(SILENT_S)
                began = time.monotonic()
                wrong += [f"{one.name} has not ended" for one in all_ if not one.ended(max(0.0, began + GOES_ON_S - time.monotonic()))]
                print(f"round {number}: {time.monotonic() - began:.0f} s", flush=True)
                wrong += [f"{one.name}: {one.error}" for one in all_ if one.error]
                expected = [b"%d" % record for record in range(RECORDS)]
                wrong += [f"{one.name} differs" for one in all_ if everything(maker, f"{one.name}-copies") != expected]
    finally:
        brokers.stop()
    return wrong


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = play(Path(folder), given.rounds, given.sessions, given.seed)
    print(*wrong, f"{given.rounds * given.sessions} sessions, {len(wrong)} wrong", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
