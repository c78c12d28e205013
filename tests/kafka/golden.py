"""Kills evaluators at random moments on a real Kafka: every request has exactly one evaluation, and it is what the topic comes to.

Requests are those of persons, of model events, and, with ``--schedule``, of a detector over live traffic, which is killed too. Who asks
writes each of his requests once.
``python -m tests.kafka.golden --kills 50 [--seed 1] [--schedule]`` starts a broker of its own, and says what it found.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.reference.golden_records import ask, place_of, read, request_of
from driftbus.consumers.reference.golden_sets import announced, announcement
from driftbus.consumers.reference.model_events import tell
from driftbus.detectors.golden.fold import Fold, Said
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.golden import GoldenEvaluation, GoldenRequest
from driftbus.schemas.messages.model_event import ModelEvent

from ..golden.servers import Server, serving
from ..golden.worlds import asking, prepared, rows_of, stored
from .killing import Cast, awaited, configured, parser_of, performed

INSTANCES = ("one", "two")
#: Profiler and detector, which ask by schedule; killed once in so many times.
ASKS, SELDOM = "three", 5
#: Of 48 rows two are hard, and time out now and then.
ROWS = 48
#: Models, one in each partition of the topic at least.
MODELS = ("m", "a", "b", "c")
#: A process lives so long, in seconds, until it is killed; the first of these are its start.
SHORTEST_S, LONGEST_S = 0.3, 3.0
#: Of a request that is asked anew after each so many kills.
EVERY = 2
#: Of the schedule.
EVERY_SLOT = "20s"
#: Nothing more is waited for behind so long without an evaluation.
_LONG_S = 60


class Found(NamedTuple):
    """What a play came to."""

    requests: int
    evaluations: Counter[str]  #: records of evaluations on the topic, by request
    statuses: Counter[str]
    attempts: Counter[int]
    verdicts: Counter[str]
    differing: list[str]  #: requests whose evaluation is not what the records in front of it come to
    calls: int
    causes: Counter[str]  #: of the requests
    again: list[str]  #: requests of slots and model events that were written twice

    @property
    def exact(self) -> bool:
        """Whether each request has one evaluation, and the right one."""
        once = set(self.evaluations.values()) <= {1} and not self.again
        return len(self.evaluations) == self.requests and once and not self.differing


def play(address: str, folder: Path, kills: int, seed: int, *, schedule: bool = False) -> Found:
    """Start evaluators, and kill them; then let them end."""
    draw = random.Random(seed)
    roles = dict.fromkeys(INSTANCES, ("evaluator",)) | ({ASKS: ("profiler", "detector")} if schedule else {})
    with serving() as server, closing(Cast(folder, roles)) as cast:
        settings = _configured(address, folder, server)
        with closing(KafkaBus(settings.kafka, settings.application, "asks")) as bus:
            golden = prepared(bus, settings, rows_of(ROWS))
            scored = settings.streams["predictions"].topics[0]
            bus.create(scored, 2)
            for model in MODELS:
                own = stored(settings, rows_of(ROWS), model)
                bus.publish([announced(settings, announcement(own, 1_000, None, None))])
            persons, events = list[GoldenRequest](), list[GoldenRequest]()
            for number in range(kills):
                if number % EVERY == 0:
                    persons += [asking(settings, golden, str(number), draw.choice("12"), model) for model in draw.sample(MODELS, 2)]
                    ask(bus, settings, persons[-2:] + draw.choices(persons, k=draw.randrange(2)))
                event = ModelEvent(model=draw.choice(MODELS), version=draw.choice("12"), kind="deployed", job=str(number))
                tell(bus, settings, event)
                events.append(request_of(settings, event.model, event.version, None, "model", event.id, 0))
                cast.born()
                time.sleep(draw.uniform(SHORTEST_S, LONGEST_S))
                if schedule:
                    bus.publish([Output(scored, place % 2, None, _predicted(model)) for place, model in enumerate(MODELS)])
                seldom = schedule and number % SELDOM == SELDOM - 1
                cast.kill(ASKS if seldom else draw.choice(INSTANCES))
            if ASKS in cast.alive:
                cast.kill(ASKS)  # what it has written is what was asked for
            cast.born(*INSTANCES)

            def done() -> int:
                return len({one.request for one in _evaluations(bus, settings)})

            awaited(lambda: done() >= len(_asked(bus, settings, [*persons, *events])), done, _LONG_S)
            cast.end()
            return _found(bus, settings, [*persons, *events], len(server.calls))


def _configured(address: str, folder: Path, server: Server) -> Configuration:
    call = {"http": {"url": f"{server.address}/late/{{version}}", "version": "version", "at_once": 2}}
    golden = {"call": call, "deadline": "400ms", "within": "30s", "every": EVERY_SLOT}
    return configured(address, folder, "golden", models={model: {"golden": golden} for model in MODELS})


def _predicted(model: str) -> bytes:
    return json.dumps({"model": model, "version": "1", "features": {"right": 1.0}}).encode()


def _asked(bus: Bus, settings: Configuration, requests: Sequence[GoldenRequest]) -> set[str]:
    """The ids of all requests: these, and those on the topic."""
    return {one.request for one in (*requests, *(one for one in _records(bus, settings) if isinstance(one, GoldenRequest)))}


def _records(bus: Bus, settings: Configuration) -> Iterator[Said | bytes]:
    """All there are, partition by partition; a tombstone by its key."""
    for place in sorted({place_of(settings, model) for model in MODELS}):
        for batch in bus.read(place, *bus.watermarks(place)):
            for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
                said = None if value is None else read(settings.application, key, value, headers)
                yield said if said is not None else key or b""


def _evaluations(bus: Bus, settings: Configuration) -> list[GoldenEvaluation]:
    return [one for one in _records(bus, settings) if isinstance(one, GoldenEvaluation)]


def _found(bus: Bus, settings: Configuration, requests: list[GoldenRequest], calls: int) -> Found:
    fold, expected, written = Fold(), dict[str, GoldenEvaluation](), list[GoldenEvaluation]()
    asked = Counter[tuple[str, str]]()
    for record in _records(bus, settings):
        if isinstance(record, bytes):
            fold.gone(record)
            continue
        if isinstance(record, GoldenEvaluation):
            written.append(record)
        if isinstance(record, GoldenRequest):
            asked[record.request, record.cause] += 1
        expected |= {one.request: one for one in fold.feed(record)}
    return Found(
        len(_asked(bus, settings, requests)),
        Counter(one.request for one in written),
        Counter(one.status for one in written),
        Counter(one.attempt for one in written),
        Counter(one.verdict for one in written),
        [one.request for one in written if expected.get(one.request) != one],
        calls,
        Counter(one.cause for one in written),
        [request for (request, cause), times in asked.items() if times > 1 and cause != "person"],
    )


def main() -> None:
    """What the command line asks for."""
    parser = parser_of(__doc__, 50)
    parser.add_argument("--schedule", action="store_true")
    given = parser.parse_args()

    def played(address: str, folder: Path) -> Found:
        return play(address, folder, given.kills, given.seed, schedule=given.schedule)

    told, took = performed(played, lambda found: found.exact)
    print(f"{given.kills} kills in {took:.0f} s, seed {given.seed}: {told.requests} requests, {told.calls} calls; {dict(told.causes)}")
    print(f"evaluations: {dict(told.statuses)}, by attempt {dict(told.attempts)}, verdicts {dict(told.verdicts)}")
    print("exactly one each, as the topic comes to" if told.exact else f"WRONG: {told}")
    raise SystemExit(not told.exact)


if __name__ == "__main__":
    main()
