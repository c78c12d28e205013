"""Random logs of aligned steps, for the oracle and as columns for the product; and a ledger that counts row by row."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.joining import ANY, LABEL, NONE, Happening, Joiner, Outcome, Settings, Unmatched, prediction
from driftbus.detectors.joining.pending import Tiling

from ...oracle import labels as oracle
from ...oracle import streams

#: Codes keep the order of what they stand for, so that both sides tell in one order. A label that met nothing has no version and no place.
MODELS = ("k", "m")
VERSIONS = (("", ""), ("k", ""), ("k", "1"), ("m", ""), ("m", "1"), ("m", "2"))
PLACES = ("", "here", "there")
CELLS = 3
NAMES = (
    "predicted",
    "duplicates",
    "expired",
    "unmatched",
    "due",
    "n",
    "delays",
    "errors",
    *(f"cell {c}{of}" for c in range(CELLS) for of in ("", " right")),
)
BINS = 2
BEGIN = 1_000


@dataclass(frozen=True)
class Every(streams.Every):
    def ends(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        return times // self.length * self.length + self.length


@dataclass(frozen=True)
class Uneven:
    """Intervals of 10, 20, 5 and 25, over and over: as months are, of more than one length."""

    cuts = np.array([0, 10, 30, 35, 60])

    def start(self, time: int) -> int:
        return int(time // 60 * 60 + self.cuts[np.searchsorted(self.cuts, time % 60, side="right") - 1])

    def end(self, time: int) -> int:
        return int(time // 60 * 60 + self.cuts[np.searchsorted(self.cuts, time % 60, side="right")])

    def ends(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.array([self.end(time) for time in times.tolist()], dtype=np.int64)


class Event(NamedTuple):
    """A step with its rows; else completeness, or the end of all partitions, at that time."""

    what: str  # take | passed | ended
    time: int
    predictions: tuple[oracle.Prediction, ...] = ()
    labels: tuple[oracle.Label, ...] = ()


class Log(NamedTuple):
    join: oracle.Join
    events: list[Event]


def joins(draw: random.Random, uneven: bool) -> oracle.Join:
    tiling = Uneven() if uneven else Every(10)
    about, revise = Every(draw.choice((10, 30, 50))), Every(draw.choice((10, 20, 60)))
    wait, early = draw.choice((0, 20, 50, 120)), draw.choice((0, 10, 30))
    maturity = draw.choice((None, None, 0, wait // 4, wait // 2, wait - wait // 8, wait))
    return oracle.Join(tiling, about, revise, wait, early, maturity)


def log(seed: str, uneven: bool = False, ids: int = 60) -> Log:
    """Predictions once, twice, in chains; labels late, early, twice, corrected, retracted, set again, of a model or of all, of nothing."""
    draw = random.Random(seed)
    join = joins(draw, uneven)
    rows: list[tuple[int, oracle.Prediction | oracle.Label]] = []
    time = BEGIN
    for number in range(draw.randrange(5, ids)):
        time += draw.choice((0, 1, 2, 3, 5, 8, 12) + (60, 200) * (draw.random() < 0.1))
        rows += _of_one(draw, f"i{number}", time, join)
    if draw.random() < 0.5:  # an id that is always the same
        rows += [(at, _prediction(draw, "test", "m", "1")) for at in range(BEGIN, time, draw.choice((7, 19, 45)))]
        rows += [(at, oracle.Label("test", draw.randrange(2), 0)) for at in range(BEGIN, time, draw.choice((5, 30)))]
    rows += [(BEGIN + draw.randrange(200), oracle.Label(f"foreign{n}", 1, 0, draw.choice(("", "m")))) for n in range(draw.randrange(4))]
    return Log(join, list(_steps(draw, join, rows)))


def _prediction(draw: random.Random, id: str, model: str, version: str) -> oracle.Prediction:
    return oracle.Prediction(id, model, version, draw.choice(PLACES[1:]), 0, draw.randrange(2), draw.randrange(CELLS))


def _of_one(draw: random.Random, id: str, time: int, join: oracle.Join) -> Iterator[tuple[int, oracle.Prediction | oracle.Label]]:
    truth = draw.randrange(2)
    models: tuple[tuple[str, str], ...] = draw.choice(((("m", "1"),),) * 5 + ((("m", "1"), ("m", "2")), (("m", "1"), ("k", "1"))))
    for number, (model, version) in enumerate(models):
        at = time + number * draw.choice((0, 1, 15))
        yield at, _prediction(draw, id, model, version)
        for _ in range(draw.choice((0,) * 6 + (1, 2, 5))):
            at += draw.choice((0, 1, 9, 19, join.wait - 5, join.wait, join.wait + 5, 90))
            yield at, _prediction(draw, id, model, version)
    if draw.random() < 0.1:
        return
    at = time + draw.choice((0, 1, 5, 20, 40, 60, 100, 130, join.wait, -1, -5, -12, -25, -join.early))
    for number in range(draw.choice((1, 1, 1, 1, 2, 2, 3, 4))):
        value = draw.choice((truth, truth, 1 - truth, 2, None)) if number else truth
        model = draw.choice(("",) * 5 + MODELS)
        yield at, oracle.Label(id, value, 0, model, draw.choice((0, 0, 0, 0, 1, number, -1)))
        at += draw.choice((0, 1, 4, 11, 30, 70))


def _steps(draw: random.Random, join: oracle.Join, rows: list[tuple[int, oracle.Prediction | oracle.Label]]) -> Iterator[Event]:
    """The rows by step, in an order within it; some come late, in bursts. Completeness runs ahead of the next step, or not."""
    end, late = join.buckets.end, draw.choice((0, 0, 0.1, 0.4))
    by_step: dict[int, list[oracle.Prediction | oracle.Label]] = {}
    for time, row in rows:
        step = end(time + draw.choice((11, 35, 80)) * (draw.random() < late))
        by_step.setdefault(step, []).append(row._replace(about=end(time)))
    steps = sorted(by_step)
    pause = draw.choice((None, draw.choice(steps)))  # all partitions end, and later others go on
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        taken = draw.sample(by_step[step], len(by_step[step]))
        predictions = tuple(row for row in taken if isinstance(row, oracle.Prediction))
        yield Event("take", step, predictions, tuple(row for row in taken if isinstance(row, oracle.Label)))
        if draw.random() < 0.8:
            yield Event("passed", step)
        if following and draw.random() < 0.5:
            yield Event("passed", join.buckets.start(draw.randrange(step, following)))
        if step == pause or following is None:
            yield Event("ended", step if following else step + draw.choice((0, 5, 60, 400)))


# -- as the product takes and tells it


def halves(id: str) -> tuple[int, int]:
    """The id as all ids of one partition and a sample are: congruent, and below a bound."""
    digest = hashlib.blake2b(id.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little") >> 4, int.from_bytes(digest[8:], "little") // 8 * 8 + 3


def predictions_of(rows: tuple[oracle.Prediction, ...]) -> np.ndarray:
    made = np.zeros(len(rows), prediction(BINS))
    for at, row in zip(made, rows, strict=True):
        at["hi"], at["lo"] = halves(row.id)
        at["model"], at["version"] = MODELS.index(row.model), VERSIONS.index((row.model, row.version))
        at["place"], at["about"], at["value"], at["cell"] = PLACES.index(row.place), row.about, row.predicted, row.cell
        at["bins"] = marks(row)
    return made


def marks(row: oracle.Prediction) -> tuple[int, ...]:
    """What must stay with a row."""
    return row.about // 10 % 256, 16 * row.cell + row.predicted


def labels_of(rows: tuple[oracle.Label, ...]) -> np.ndarray:
    made = np.zeros(len(rows), LABEL)
    for at, row in zip(made, rows, strict=True):
        at["hi"], at["lo"] = halves(row.id)
        at["model"] = MODELS.index(row.model) if row.model else ANY
        at["value"], at["revision"], at["about"] = NONE if row.value is None else row.value, row.revision, row.about
    return made


Place = tuple[int, int, int]  # about, version, place


@dataclass
class RowByRow:
    """A ledger without columns."""

    join: oracle.Join
    arrived: dict[Place, Counter[str]] = field(default_factory=dict)
    revised: dict[Place, Counter[str]] = field(default_factory=dict)

    def add(self, step: int, happening: Happening) -> None:
        for row, before in zip(happening.rows, happening.before.tolist(), strict=True):
            cell, predicted, label = int(row["cell"]), int(row["value"]), int(row["label"])
            assert row["bins"].tolist() == [int(row["about"]) // 10 % 256, 16 * cell + predicted], "bins of another row"
            place = self.join.about.end(int(row["about"]) - 1), int(row["version"]), int(row["place"])
            match happening.what:
                case "predicted":
                    self._count(self.revised, place, {"predicted": 1, f"cell {cell}": 1})
                case "duplicate":
                    self._count(self.revised, place, {"duplicates": 1})
                case "expired":
                    assert label == NONE
                    self._count(self.revised, place, {"expired": 1})
                case "changed":
                    assert label != before
                    for value, sign in ((before, -1), (label, 1)):
                        right = value == predicted
                        if value != NONE:
                            self._count(self.revised, place, {"n": sign, "errors": sign * (not right), f"cell {cell} right": sign * right})
                case "first":
                    assert label != NONE
                    delay = int(row["delay"])
                    self._count(self.arrived, (0, *place[1:]), {"n": 1, "errors": int(label != predicted), "delays": delay})
                    self._count(self.revised, place, {"delays": delay})
                case "due":
                    self._count(self.arrived, (0, *place[1:]), {"due": 1})
                    self._count(self.revised, place, {"due": 1})

    def add_unmatched(self, step: int, unmatched: Unmatched) -> None:
        for about, model in zip(unmatched.about.tolist(), unmatched.model.tolist(), strict=True):
            version = VERSIONS.index(("" if model == ANY else MODELS[model], ""))
            self._count(self.revised, (self.join.about.end(about - 1), version, 0), {"unmatched": 1})

    def arrivals(self, step: int) -> Iterator[tuple[int | None, int, int, NDArray[np.int64]]]:
        for (_, version, place), vector in self._told(self.arrived):
            yield None, version, place, vector

    def revisions(self) -> Iterator[tuple[int | None, int, int, NDArray[np.int64]]]:
        for place, vector in self._told(self.revised):
            yield *place, vector

    def _count(self, table: dict[Place, Counter[str]], place: Place, counts: dict[str, int]) -> None:
        table.setdefault(place, Counter()).update(counts)

    def _told(self, table: dict[Place, Counter[str]]) -> list[tuple[Place, NDArray[np.int64]]]:
        told = [(place, np.array([sums[name] for name in NAMES])) for place, sums in sorted(table.items())]
        table.clear()
        return [(place, vector) for place, vector in told if vector.any()]


def in_words(outcome: Outcome) -> oracle.Outcome:
    sums = tuple(sorted((name, by) for name, by in zip(NAMES, outcome.sums.tolist(), strict=True) if by))
    return oracle.Outcome(outcome.bucket, outcome.about, VERSIONS[outcome.version], PLACES[outcome.place], sums)


def joiner(join: oracle.Join, begin: int | None = None) -> Joiner:
    tiling, revise = cast("Tiling", join.buckets), cast("Tiling", join.revise)  # the oracle asks for less of them
    return Joiner(Settings(tiling, revise, join.wait, join.early, BINS, join.maturity), RowByRow(join), begin)


def fold(folded: Joiner, events: list[Event]) -> list[list[oracle.Outcome]]:
    """What is told of each event."""
    out = []
    for event in events:
        match event.what:
            case "take":
                told = folded.take(event.time, predictions_of(event.predictions), labels_of(event.labels))
            case "passed":
                told = folded.passed(event.time)
            case _:
                told = folded.ended(event.time)
        out.append([in_words(outcome) for outcome in told])
    return out


def fold_by_oracle(folded: oracle.Joiner, events: list[Event]) -> list[list[oracle.Outcome]]:
    out = []
    for event in events:
        match event.what:
            case "take":
                out.append(folded.take(event.time, list(event.predictions), list(event.labels)))
            case "passed":
                out.append(folded.passed(event.time))
            case _:
                out.append(folded.ended(event.time))
    return out
