"""A crash switch: the process ends itself by SIGKILL at the n-th hit of a point, which it notes in a log in front of that.

The product knows nothing of it: its Kafka clients are replaced before it begins.
"""

import os
import signal
from pathlib import Path
from typing import Any

import confluent_kafka

from driftbus.consumers.bus import kafka_session, kafka_transactions

#: The five points of a commit.
POINTS = (
    "before begin",
    "between produce and offsets",
    "between offsets and commit",
    "between commit and memory",
    "between memory and consume",
)
BEGIN, OFFSETS, COMMIT, MEMORY, CONSUME = POINTS


class Switch:
    """Kills this process at the n-th hit of its point."""

    def __init__(self, point: str, hits: int, log: str) -> None:
        self.point, self.left, self._log = point, hits, log
        self.committed = False  # and nothing consumed since

    def reached(self, point: str) -> None:
        """One hit."""
        self.left -= point == self.point
        if self.left == 0:
            with Path(self._log).open("a") as log:
                log.write(f"{point}\n")
            os.kill(os.getpid(), signal.SIGKILL)


def install(switch: Switch) -> None:
    """Put the switch into the clients of sessions. Arguments are passed on as they are: `Any`."""

    class Producer(confluent_kafka.Producer):
        def begin_transaction(self, *arguments: Any) -> Any:
            switch.reached(BEGIN)
            return super().begin_transaction(*arguments)

        def send_offsets_to_transaction(self, *arguments: Any) -> Any:
            if switch.point == OFFSETS and switch.left == 1:
                self.flush()  # the outputs are in the log, open
            switch.reached(OFFSETS)
            return super().send_offsets_to_transaction(*arguments)

        def commit_transaction(self, *arguments: Any) -> Any:
            switch.reached(COMMIT)
            done = super().commit_transaction(*arguments)
            switch.reached(MEMORY)
            switch.committed = True
            return done

    class Consumer(confluent_kafka.Consumer):
        def consume(self, *arguments: Any) -> Any:
            if switch.committed:
                switch.committed = False
                switch.reached(CONSUME)
            return super().consume(*arguments)

    kafka_transactions.Producer, kafka_session.Consumer = Producer, Consumer  # type: ignore[attr-defined]  # on purpose
