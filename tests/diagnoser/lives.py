"""Facts of two joins, writers that die and come again, and a diagnoser that does."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from driftbus.consumers.diagnoser.exhibit import Fact
from driftbus.consumers.diagnoser.fold import Fold
from driftbus.consumers.reference.agreement import comparisons
from driftbus.detectors.agreement.layout import NUMBERS
from driftbus.detectors.agreement.layout import Layout as AgreementLayout
from driftbus.detectors.diagnosis.reading import Reading, Whose
from driftbus.detectors.diagnosis.sums import MOST_NAMES
from driftbus.schemas.messages.pane import AGREEMENT, Pane
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.stored.reference import Reference

from .facts import KNOWN, PLAN, SETTINGS, Record, Traffic, end, progress, settings, writers

LOG = "warehouse"
BOTH = settings(
    stream={**SETTINGS["stream"], "mapping": {"entity": "trip"}},
    features={LOG: {"topics": ["offline"], "wait": "1h", "early": "1m"}},
    models={"m0": {**SETTINGS["models"]["m0"], "agreement": {"log": LOG}}},
)
#: Two rows a second: causes are looked for by five minutes, so that most of what comes waits for a run.
SLOWER = KNOWN.model_copy(update={"last": KNOWN.rows * 1000 // 2})
COMPARED = comparisons(BOTH)("m0", KNOWN.name, KNOWN.fields)
#: How often a writer dies behind what it says, and how often the diagnoser commits, and dies.
DIES, COMMITS, FOLLOWED = 0.1, 0.3, 0.1


def reading_of(model: str, name: str) -> tuple[Reference, Reading]:
    return SLOWER, Reading(KNOWN, PLAN, lambda _: Whose(), COMPARED)


def begun() -> Fold:
    return Fold(BOTH, reading_of)


def pairs(number: int, known_at: int, differing: int) -> Pane:
    """Of the predictions of a minute those that met the feature log in a later one: ``differing`` of 200 in every feature, with so many
    values that a window keeps not all of them.
    """
    layout = AgreementLayout(COMPARED.features)
    vector = np.zeros(layout.size, dtype=np.int64)
    for feature in layout.places:
        vector[feature.start : feature.start + len(NUMBERS)] = 200, differing, 0
    codes = range(number * MOST_NAMES, (number + 1) * MOST_NAMES)
    values = [(place, code, 1 + code % 3) for place in range(len(layout.places)) for code in codes]
    at = end(known_at)
    return Pane(
        stream=LOG,
        topic="p.joins",
        topic_id="j",
        partition=0,
        first=at,
        last=at,
        bucket=at,
        about=end(number),
        model="m0",
        version="1",
        reference=KNOWN.name,
        since=0,
        rows=0,
        counts=vector[: layout.counts],
        sums=vector[layout.counts :],
        commonest=np.array(values, dtype=np.int64).ravel(),
        grouping=COMPARED.name,
        of=AGREEMENT,
    )


def of_two_joins(traffic: Traffic, minutes: int, *, seed: int, noted: int) -> dict[str, list[Record]]:
    """What `writers` write, and pairs that come as late as they like; each has ended in the end, and dies as often as it likes."""
    choose = random.Random(seed)
    found = writers(traffic, minutes, delays=(0, 1, 4, 11), seed=seed, noted=noted)
    known = {about: about + choose.choice((0, 3, 8)) for about in range(1, minutes + 1)}
    found[LOG] = []
    for number in range(1, minutes + 1):
        found[LOG] += (Record(LOG, pairs(about, number, choose.randrange(100))) for about, at in known.items() if at == number)
        found[LOG].append(Record(LOG, progress(AGREEMENT, LOG, "p.joins", number, topic_id="j"), number))
    return {name: list(_lives(records, choose)) for name, records in found.items()}


def _lives(records: Sequence[Record], choose: random.Random) -> Iterator[Record]:
    """A writer that comes again says what it had said before, or less; at its end, that it has ended, in each life that gets there."""
    said: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        yield record
        if isinstance(record.fact, Progress):
            said.setdefault((record.fact.stream, record.fact.source.topic), []).append(record)
            if choose.random() < DIES:
                yield choose.choice(choose.choice(list(said.values())))
    for _ in range(choose.choice((1, 1, 2))):
        for last in said.values():
            if choose.random() < DIES:
                yield last[-1]
            assert isinstance(last[-1].fact, Progress)
            yield last[-1]._replace(fact=last[-1].fact.model_copy(update={"ended": True}))


def told(records: Iterable[Record], seed: int | None = None) -> list[bytes]:
    """What a fold says of records, and remembers in the end; by a seed, of a process that commits and dies."""
    choose, chosen, events, facts = random.Random(seed), begun(), list[bytes](), dict[int, Fact]()
    for offset, record in enumerate(records):
        if seed is not None:
            chosen = _committed(chosen, offset, facts, choose)
        if not isinstance(record.fact, Progress):
            facts[offset] = record.fact
        events += (one.event.encoded() for one in chosen.feed(offset, offset, record.fact))
    _, parts = chosen.snapshot(0)
    return [*events, *(parts[key] for key in sorted(parts))]


def _committed(chosen: Fold, offset: int, facts: Mapping[int, Fact], choose: random.Random) -> Fold:
    """A snapshot may be taken, and the process may die behind it."""
    if choose.random() >= COMMITS:
        return chosen
    state, parts = chosen.snapshot(offset)
    if choose.random() >= FOLLOWED:
        return chosen
    return Fold.restored(BOTH, reading_of, state, parts, {place: facts[place] for place in state.pending})
