"""The online learner against models that stand still, and against wrong labels: ``python -m tests.benchmarks.learner [PART ...] [RUNS]``.

Flights without their delay at departure, one in six; and a glucose sensor, whose current means less and less of the glucose. Each with its
labels as they are, and with 30 % of two weeks' turned round, of which people review 3 %. And how often equal models change places, in RUNS
runs (1,000) of sixty days. Without a bus: what is measured is `driftbus.detectors.learning`. Parts: flights, sensor, contest.
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import duckdb
import numpy as np
from xxhash import xxh3_64_intdigest

from driftbus.consumers.demo.data import CATEGORICAL, NUMERIC, year
from driftbus.consumers.reference.building.messages import epoch_ms
from driftbus.consumers.reference.files import sql_file
from driftbus.detectors.learning.candidates import CERTAIN, FAST, Candidate, Value
from driftbus.detectors.learning.contest import ENOUGH, OF_WINDOWS, Contest
from driftbus.detectors.learning.learner import Learner, Settings
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.messages.contest import STAKES

from ..detectors.learning.streams import BACKTEST, BEGINS, DAYS, ROWS, Floats, advantages
from ..real.worlds import DATA
from .world import RESULTS, Result, machine, table

DAY = 86_400_000
REVIEWED, FLIPPED, POISONED = 0.03, 0.3, 14 * DAY
SAID = ("frozen", "slow", "fast", "served")
RUNS = 1_000
#: Of the draws: no form of the bet was chosen on these.
SEED = 4_000


class Row(NamedTuple):
    """A prediction and its label."""

    at: int
    known: int | None  #: when its label comes
    id: str
    features: dict[str, Value]
    label: bool


class Stream(NamedTuple):
    """Rows, until when the model learns that is frozen then, and when labels are wrong."""

    rows: Sequence[Row]
    frozen: int
    poison: int
    wait: int


class Played(NamedTuple):
    """By row behind the training: when it was made, what was said of it, its label; and what changed."""

    at: Floats
    said: Floats
    label: Floats
    changes: list[str]
    found: int | None


def flights() -> Stream:
    """One in six, by a hash of the id; the label comes when it has landed."""
    found, numeric = year(), [name for name in NUMERIC if name != "dep_delay"]
    rows = []
    for row in range(len(found)):
        if xxh3_64_intdigest(found.id[row].encode()) % 6 == 0:
            numbers = {name: float(found.numbers[name][row]) for name in numeric}
            features: dict[str, Value] = {name: None if math.isnan(value) else value for name, value in numbers.items()}
            features |= {name: str(found.categories[name][row]) for name in CATEGORICAL}
            known = int(found.landed[row]) if found.known[row] else None
            rows.append(Row(int(found.scheduled[row]), known, found.id[row], features, bool(found.late[row])))
    return Stream(rows, epoch_ms("2013-02-01T05:00Z"), epoch_ms("2013-06-03"), 2 * DAY)


def sensor() -> Stream:
    """Whether glucose is above 180, by the current of the sensor; it is known half an hour later."""
    query = f"""select epoch_ms(strptime(datetime, '%Y-%m-%d %H:%M:%S')), try_cast(isig as double), glucose
        from {sql_file(DATA / "cgm_2010.parquet")} where glucose is not null order by all"""
    with duckdb.connect() as sql:
        found = sql.execute(query).fetchall()
    rows, last = list[Row](), (0, 0.0)
    for at, current, glucose in found:
        features: dict[str, Value] = {"current": current, "hour": float(at // 3_600_000 % 24)}
        if current is not None:
            features["change"] = current - last[1] if at - last[0] <= 600_000 else None
            last = at, current
        rows.append(Row(at, at + 1_800_000, f"{len(rows)}", features, glucose > 180))
    begin = rows[0].at
    return Stream(rows, begin + 14 * DAY, begin + 150 * DAY, 3_600_000)


def abrupt() -> Stream:
    """Made: 500 rows a day, each labelled an hour later; what speaks for a positive label speaks against it from day 40 of 60 on."""
    draw, rows, begin, change = np.random.default_rng(3), list[Row](), 1_600_000_000_000 // DAY * DAY, 40
    for day in range(60):
        for place in range(500):
            amount, beside = draw.normal(), draw.normal()
            chance = 1 / (1 + math.exp(-(2 * amount if day < change else -2 * amount) - beside))
            at = begin + day * DAY + place * DAY // 500
            features: dict[str, Value] = {"amount": float(amount), "beside": float(beside)}
            rows.append(Row(at, at + 3_600_000, f"{len(rows)}", features, bool(draw.random() < chance)))
    return Stream(rows, begin + 10 * DAY, begin + change * DAY, 2 * 3_600_000)


STREAMS = {"flights": flights, "sensor": sensor, "abrupt": abrupt}


def _in_order(rows: Sequence[Row]) -> Iterator[tuple[int, bool, int]]:
    """Predictions and labels by time."""
    made = [(row.at, False, number) for number, row in enumerate(rows)]
    yield from sorted(made + [(row.known, True, number) for number, row in enumerate(rows) if row.known is not None])


class Moment(NamedTuple):
    """A prediction, or the label that is given of it."""

    now: int
    number: int  #: of the row
    row: Row
    given: bool | None = None  #: None: the prediction
    training: bool = False  #: the frozen model learns from it
    looked_at: bool = False  #: people say what is right


def moments(stream: Stream, *, poisoned: bool, reviewed: float = REVIEWED) -> Iterator[Moment]:
    """In the order of time; which labels are wrong, and which people look at, is the same in every way that a stream is played."""
    draw = np.random.default_rng(1)
    for now, labelled, number in _in_order(stream.rows):
        row = stream.rows[number]
        if not labelled:
            yield Moment(now, number, row)
            continue
        wrong, looked_at = draw.random() < FLIPPED, draw.random() < reviewed
        given = row.label ^ (poisoned and wrong and stream.poison <= now < stream.poison + POISONED)
        yield Moment(now, number, row, given, now < stream.frozen, looked_at)


def played(stream: Stream, *, poisoned: bool, reviewed: float = REVIEWED) -> Played:
    """The stream through a learner, beside a model of its fast kind that learns no more once the training is over."""
    learner, frozen = Learner(Settings(wait=stream.wait)), Candidate("logistic", FAST, 0)
    at, said, labels, changes, found = list[int](), list[list[float]](), list[bool](), list[str](), None
    waiting: dict[int, list[float]] = {}
    for now, number, row, given, training, looked_at in moments(stream, poisoned=poisoned, reviewed=reviewed):
        if given is None:
            scores = learner.predicted(now, row.id, row.features)
            assert scores is not None
            waiting[number] = [frozen.score(row.features), scores.slow, scores.fast, scores.served]
            continue
        if training:
            frozen.learn(row.features, row.label)
        changed = learner.labelled(now, row.id, given).changes
        if looked_at:
            changed += learner.labelled(now, row.id, row.label, reviewed=True).changes
        for change in changed:
            changes.append(f"{iso(now)[:16]} {change.what}: {change.why}")
            found = now if found is None and change.what == "held" else found
        if row.at >= stream.frozen:
            at.append(row.at)
            said.append(waiting.pop(number))
            labels.append(row.label)
    return Played(np.array(at), np.array(said), np.array(labels, dtype=float), changes, found)


def losses(one: Played, first: int = 0, last: int = 1 << 62) -> dict[str, float]:
    """The mean log loss of whoever said something of the predictions of a time."""
    some = (one.at >= first) & (one.at < last)
    said, label = np.clip(one.said[some], CERTAIN, 1 - CERTAIN), one.label[some, None] > 0
    return dict(zip(SAID, (-np.log(np.where(label, said, 1 - said))).mean(axis=0).round(4).tolist(), strict=True))


def of_stream(stream: Stream) -> Result:
    """Clean, poisoned, and poisoned where nobody reviews: the slow one is then the anchor that learns everything."""
    clean, poisoned, alone = played(stream, poisoned=False), played(stream, poisoned=True), played(stream, poisoned=True, reviewed=0.0)
    span = stream.poison, stream.poison + POISONED + 7 * DAY
    behind = span[1] if poisoned.found is None else poisoned.found
    return {
        "labels": len(clean.label),
        "clean": losses(clean),
        "clean, the three weeks": losses(clean, *span),
        "poisoned": losses(poisoned),
        "poisoned, the three weeks": losses(poisoned, *span),
        "poisoned, behind the audit": losses(poisoned, behind, span[1]),
        "nobody reviews, behind the audit": losses(alone, behind, span[1]),
        "nobody reviews, the three weeks": losses(alone, *span),
        "changes, clean": clean.changes,
        "changes, poisoned": poisoned.changes,
    }


def hopeless(found: Floats) -> bool:
    """Whether it cannot win, even if all rows were independent: nothing need be bet then. So it is in most runs of equal models."""
    rows = found[found != 0][BACKTEST * ROWS // 4 :]
    wealth = [np.cumsum(np.log1p(rows * stake))[BACKTEST * ROWS - 1 :] for stake in STAKES]
    rise = max((one - np.minimum.accumulate(one)).max() for one in wealth)  # no less than what a window can gain
    return bool(max(one.max() for one in wealth) < math.log(ENOUGH) and rise < OF_WINDOWS * math.log(ENOUGH))


def won(found: Floats) -> float:
    """The day behind the first bet on which another one serves."""
    if hopeless(found):
        return math.inf
    contest = Contest(BACKTEST * ROWS)
    for row, one in enumerate(found.tolist()):
        if contest.take(one):
            return row / ROWS - BEGINS
    return math.inf


def of_worlds(runs: int) -> Result:
    """How often equal models change places in so many days, and after how many one that is better serves."""
    worlds = {
        "independent": (0.0, 0.0, 1),
        "days of their own": (0.3, 0.0, 1),
        "weeks of their own": (0.3, 0.0, 7),
        "days that follow one another": (0.3, 0.8, 1),
        "strongly": (0.6, 0.9, 1),
        "more strongly": (0.6, 0.95, 1),
    }
    days = int(BEGINS + DAYS)
    equal = {
        name: [won(one) for one in advantages(SEED, runs, days, sway, follows, 0.0, length=length)]
        for name, (sway, follows, length) in worlds.items()
    }
    better = {part: [won(one) for one in advantages(SEED + 1, max(runs // 5, 1), days, 0.0, 0.0, part)] for part in (0.03, 0.05, 0.08)}
    return {
        "runs": runs,
        "equal, changed places": {name: round(float(np.mean(np.isfinite(days))), 4) for name, days in equal.items()},
        "better by this part, median day": {str(part): round(float(np.median(days)), 1) for part, days in better.items()},
        "better by this part, served": {str(part): round(float(np.mean(np.isfinite(days))), 4) for part, days in better.items()},
    }


def main() -> None:
    """Play, print, keep; what is not named stays as it was."""
    runs = next((int(word) for word in sys.argv[1:] if word.isdecimal()), RUNS)
    file, parts = RESULTS / "learner.json", [word for word in sys.argv[1:] if not word.isdecimal()] or ["flights", "sensor", "contest"]
    found: Result = json.loads(file.read_text(encoding="utf-8")) | {"machine": machine()}
    for part in parts:
        if part == "contest":
            found[part] = of_worlds(runs)
            print(found[part])
        else:
            told = found[part] = of_stream(STREAMS[part]())
            losses_of = {which: value for which, value in told.items() if isinstance(value, dict)}
            print(f"{part}, {told['labels']} labels")
            print(table(["log loss", *SAID], [[which, *value.values()] for which, value in losses_of.items()]))
            print(*told["changes, clean"], *told["changes, poisoned"], sep="\n", flush=True)
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
