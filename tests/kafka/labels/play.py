"""One run: predictions and their labels are fed, and everybody is killed at random moments; until nothing more comes."""

import random
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import yaml

from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.reference.golden_records import ask
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.golden import GoldenRequest
from driftbus.schemas.messages.progress import Progress

from ...golden.worlds import asking, rows_of, stored
from ...streaming import prepare, reference
from ..chaos.brokers import Brokers
from ..chaos.crew import Crew
from .answers import ASKED, Answering, folded, reference_of_rows
from .left import evaluated
from .world import APPLICATION, CREW, END, GOLDEN, LABELS, LAST, MODELS, PARTITIONS, PREDICTIONS, SECONDS, settings, traffic

#: A process lives so long, in seconds, until another is killed.
SHORTEST_S, LONGEST_S = 0.3, 2.5
_BACK_S = (0.0, 0.3, 1.0, 7.0)
_PATIENCE_S = 600


class Play:
    """A run on brokers of its own."""

    def __init__(self, folder: Path, seed: int, brokers: Brokers, golden: str, count: int) -> None:
        self._folder, self._draw, self._brokers = folder, random.Random(seed), brokers
        self._written = settings(brokers.address, folder, golden, count)
        self.configuration = Configuration.model_validate(self._written)
        (folder / "driftbus.yaml").write_text(yaml.safe_dump(self._written))
        self._sent = traffic(seed)
        self.requests: list[GoldenRequest] = []
        self._to_be_read: tuple[str, ...] = ("detector", "diagnoser")
        self._ends: dict[TopicPartition, int] = {}  #: of the summaries, for the first of these

    def run(self, bus: KafkaBus, kills: int, *, joiner_stopped: bool, brokers_away: bool) -> list[str]:
        """Feed, and kill; who ended by itself. ``joiner_stopped``: until all others have read all there is."""
        prepare(bus, self.configuration, [reference_of_rows(self.configuration), *(reference(model) for model in MODELS if model != ASKED)])
        bus.create(LABELS, PARTITIONS[LABELS], settings={"retention.ms": "-1"})
        golden = stored(self.configuration, rows_of(48), GOLDEN)
        away = {kills // 3: False, 2 * kills // 3: True} if brokers_away else {}
        with closing(Crew(self._folder, self._written)) as crew, closing(Answering(self.configuration)) as desks:
            desks.start()
            names = [name for name in CREW if not (joiner_stopped and name.startswith("joiner"))]
            for name in names:
                crew.start(name)
            for kill in range(kills):
                self._feed(bus, kill, kills)
                if kill % 6 == 0:
                    self.requests.append(asking(self.configuration, golden, str(kill), model=GOLDEN))
                    ask(bus, self.configuration, self.requests[-1:])
                self._let(crew, self._draw.uniform(SHORTEST_S, LONGEST_S))
                crew.kill(self._draw.choice(names), time.monotonic() + self._draw.choice(_BACK_S))
                if kill in away:
                    print(self._brokers.away("1", "", time.monotonic() + 8.0, paused=away[kill]), flush=True)
                    self._let(crew, 0.0)  # until it is back: nobody else brings it
            ends = [one for topic in (PREDICTIONS, LABELS) for one in end_records(APPLICATION, topic, PARTITIONS[topic], END)]
            bus.publish(ends)
            late = self._until(crew, "all is read", lambda: self._all_read(bus))
            for name in {*CREW} - {*names}:
                crew.start(name)
            late += self._until(crew, "nothing more comes", lambda: self._at_rest(bus))
            return late + [f"{death.name} ended with {death.code}: {death.words[-300:]}" for death in crew.deaths] + crew.dismiss()

    def _feed(self, bus: KafkaBus, part: int, parts: int) -> None:
        share = slice(len(self._sent) * part // parts, len(self._sent) * (part + 1) // parts)
        bus.publish(self._sent[share])

    def _let(self, crew: Crew, seconds: float) -> None:
        """Let them work; whoever is to be back is."""
        until = time.monotonic() + seconds
        while time.monotonic() < until or not self._brokers.whole:
            for line in (*crew.look(may_start=self._brokers.whole), *self._brokers.look()):
                if "BY ITSELF" in line:
                    print(line, flush=True)
            time.sleep(0.02)  # the pace of the kills is what a run is about

    def _until(self, crew: Crew, what: str, reached: Callable[[], bool]) -> list[str]:
        """Wait for it; what is wrong where it does not come."""
        began = time.monotonic()
        while not (crew.whole and reached()):
            if time.monotonic() - began > _PATIENCE_S:
                return [f"not so after {_PATIENCE_S} s: {what}"]
            self._let(crew, 0.5)
        print(f"{what}: after {time.monotonic() - began:.0f} s", flush=True)
        return []

    def _all_read(self, bus: KafkaBus) -> bool:
        """Whether predictions and labels have been read to their end: so it is said to the joiner."""
        place, said = TopicPartition(self.configuration.topics.joins, 0), dict[tuple[str, int], int]()
        for batch in bus.read(place, *bus.watermarks(place)):
            for value, headers in zip(batch.values, batch.headers(), strict=True):
                if dict(headers)["ce_type"] == Progress.TYPE.encode():
                    progress = Progress.decoded(value or b"")
                    said[progress.source.topic, progress.source.partition] = progress.through or 0
        return all(said.get((topic, number), 0) > LAST for topic, count in PARTITIONS.items() for number in range(count))

    def _at_rest(self, bus: KafkaBus) -> bool:
        """Nothing more comes: every interval is final, and all requests are answered."""
        records = performance_of(bus, self.configuration)
        intervals = {(one.model, one.about) for one in records if one.final}
        answered = set(evaluated(bus, self.configuration))
        wanted = len(MODELS) * -(-SECONDS // 600)
        final = len(intervals) >= wanted and {one.request for one in self.requests} <= answered and folded(bus, self.configuration, LAST)
        return final and self._diagnosed(bus) and self._learnt(bus)

    def _learnt(self, bus: KafkaBus) -> bool:
        """Whether the learner has read the last example."""
        topics = self.configuration.topics
        places = [TopicPartition(topics.examples, number) for number in range(topics.partitions)]
        at = bus.committed(f"{APPLICATION}-learner", places)
        ends = {place: int(batch.offsets[-1]) + 1 for place in places for batch in bus.read(place, *bus.watermarks(place))}
        return all(place in at and at[place].offset >= end for place, end in ends.items())

    def _diagnosed(self, bus: KafkaBus) -> bool:
        """Whether detectors are behind all that was there when the last interval was told, and diagnosers behind what these said."""
        topics = self.configuration.topics
        places = [TopicPartition(topics.summaries, number) for number in range(topics.partitions)]
        while self._to_be_read:
            role = self._to_be_read[0]
            self._ends = self._ends or {place: bus.watermarks(place)[1] for place in places}
            at = bus.committed(f"{APPLICATION}-{role}", places)
            if any(place not in at or at[place].offset < end for place, end in self._ends.items()):
                return False
            self._to_be_read, self._ends = self._to_be_read[1:], {}
        return True
