"""The server: requests for predictions in; replies, and the predictions that were given, out. A hand.

*Guarantee.* Each request on its topic has one reply, and one prediction on the topic of those served, in the transaction that commits the
offset behind it. Of HTTP who gets an answer finds his predictions on that topic; who gets none may, too, and asks again under the same
ids. All rows of a request are answered by one model; another is taken in between requests, whole or not at all.

*Trap.* What is served can be a model's stream: then a model learns from what it said itself, and is watched like any other. So predictions
have the time of their request, and rows that an evaluation asks for are marked as such.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...schemas.configuration import Configuration
from ...schemas.messages.progress import InputPartition
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..process.consumer import Making
from ..process.remaining import Remaining
from ..process.standing import Standing
from ..process.strangers import Strangers

if TYPE_CHECKING:
    from .http import Listening
    from .models import Models

ROLE = "server"
MOST_RECORDS = 200
#: Whether there is another model is looked at so often, in ms.
LOOK_EVERY = 1_000
_log = logging.getLogger(__name__)


def make(making: Making) -> list["Server"]:
    """The one server of a process; none where nothing is to be served."""
    serving = making.configuration.serving
    if serving is None:
        return []
    from .http import Listening  # river takes its time to be imported
    from .models import Models

    models = Models(making.bus, making.configuration, making.store, making.wall)
    models.look()
    listening = None if serving.port is None else Listening(making.bus, making.configuration, models, making.wall)
    return [Server(making.bus, making.configuration, models, listening, making.wall)]


class Server:
    """The consumer of one process: a member of the group ``application-server``."""

    role = ROLE

    def __init__(
        self, bus: Bus, configuration: Configuration, models: "Models", listening: "Listening | None", wall: Callable[[], int]
    ) -> None:
        self._bus, self._configuration, self._models, self.listening, self._wall = bus, configuration, models, listening, wall
        self._places: dict[TopicPartition, tuple[InputPartition, Strangers]] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._notices: dict[TopicPartition, list[Output]] = {}
        self._remaining: Remaining | None = None
        self._looked = wall()
        self._totals = {"answered": 0, "refused": 0, "set_aside": 0}
        self._topic = configuration.topics.requests
        self._session = bus.session(ROLE, [self._topic], self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Go on behind what was answered; what retention took in front of that is told."""
        for source, committed in partitions.items():
            first, _ = self._bus.watermarks(source)
            strangers = Strangers.at(self._bus, self._configuration, source)
            self._places[source] = strangers.place, strangers
            self._committed[source] = first if committed is None else max(first, committed.offset)
            if lost := strangers.lost(committed, first):
                self._notices[source] = lost
        return {source: self._committed[source] for source in partitions}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Whoever has them now answers."""
        for source in partitions:
            self._places.pop(source, None)
            self._committed.pop(source, None)
            self._notices.pop(source, None)

    def turn(self, timeout_s: float) -> bool:
        """Answer what has been asked; whether anything was."""
        batches = self._session.consume(MOST_RECORDS, timeout_s)
        if not 0 <= (now := self._wall()) - self._looked < LOOK_EVERY:
            self._looked = now
            self._models.look()
        work = [self._answered(batch) for batch in batches if batch.source in self._places]
        told = {one.source for one in work}
        work += [
            Work(source, outputs, Position(self._committed[source])) for source, outputs in self._notices.items() if source not in told
        ]
        # At its end a partition's position is behind control records, too, which nobody gets.
        ends = self._session.at_end()
        finishing = self._remaining is not None
        work += [
            Work(source, [], Position(end))
            for source, end in ends.items()
            if finishing and source not in told and end > self._committed.get(source, end)
        ]
        for source in self._session.commit(work) if work else ():
            self._committed[source] = max(one.position.offset for one in work if one.source == source)
            self._notices.pop(source, None)
            self._totals["set_aside"] += self._places[source][1].count
            self._places[source][1].count = 0
        return bool(batches)

    def _answered(self, batch: Batch) -> Work:
        from .answering import answered

        strangers = self._places[batch.source][1]
        outputs = list(self._notices.get(batch.source, ()))
        columns = batch.offsets.tolist(), batch.timestamps.tolist(), batch.values, batch.headers()
        for offset, timestamp, value, headers in zip(*columns, strict=True):
            answer = answered(self._configuration, self._models, value, headers, timestamp)
            outputs += answer.outputs
            if answer.refused is not None:
                outputs += strangers.unreadable(offset, timestamp, value, answer.refused)
            self._totals["answered" if answer.refused is None else "refused"] += 1
        return Work(batch.source, outputs, Position(int(batch.offsets[-1]) + 1))

    def finish(self) -> None:
        """Be `done` when all that has been asked on the topic is answered."""
        self._remaining = Remaining(self._bus, f"{self._configuration.application}-{ROLE}", [self._topic])

    @property
    def done(self) -> bool:
        """Here, and by the group."""
        if self._remaining is None or not self._session.joined():
            return False
        ours = all(position >= self._remaining.end(source) for source, position in self._committed.items())
        return ours and not self._remaining.left(besides=self._committed)

    def totals(self) -> Mapping[str, int]:
        """Requests answered, and those that could not be; over HTTP, too."""
        over_http = {} if self.listening is None else self.listening.counts()
        return {name: number + over_http.get(name, 0) for name, number in self._totals.items()}

    def standing(self) -> Standing:
        """How it stands between two turns."""
        return Standing(dict.fromkeys(self._committed), self._session.at_end().keys())

    def close(self) -> None:
        """Answer nobody any more."""
        if self.listening is not None:
            self.listening.close()
        self._session.close()
