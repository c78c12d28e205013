"""Which rows are in, with which labels: as a brute force over every pair says it, on random logs."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from driftbus.consumers.bus.log import Recorded
from driftbus.consumers.dataset.build import Ways, build
from driftbus.consumers.dataset.verify import verify
from driftbus.schemas.messages.retrain import Excluded, Included
from driftbus.schemas.stored.dataset import DatasetRows

from ..oracle.joins import batch, rules, worlds
from ..oracle.joins.product import TOPICS, Log, halves
from ..oracle.joins.worlds import BEGINNING, PANE, PREDICTIONS, SECOND, Join, Known, Predicted, World
from ..oracle.streams import Record
from .asked import request, rows, sources

CASES = 60
INCIDENTS = "a" * 32, "b" * 32, "c" * 32


class Line(NamedTuple):
    """A row that is in."""

    id: str
    time: int
    version: str
    label: bool
    known: int
    weight: float
    amount: float | None


class Written(Log):
    """What lies between the rows of a world is none of the model's."""

    def _recorded(self, source: str, number: int, record: Record) -> Recorded:
        if record.kind == "end" or self.world.contents.get((source, record.offset)) is not None:
            return super()._recorded(source, number, record)
        others = {"id": "i1", "model": "idle", "version": "1", "features": {"amount": 1.0}, "score": 0.9}
        value = self._draw.choice((b"{", b"", None, b'{"id": "i1"}', msgspec.json.encode(others), b"[]"))
        return Recorded(number, record.offset, record.timestamp, None, value)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def seen() -> Iterator[Counter[str]]:
    """What rows were left out for, in all cases: else equality proves little."""
    counted = Counter[str]()
    yield counted
    assert min(counted[kind] for kind in ("written", "repeated", "outside", "excluded", "unlabelled", "immature", "doubtful")) >= 5, counted


@pytest.mark.parametrize("number", range(CASES))
def test_rows_and_labels_are_those_of_a_brute_force(number: int, artifacts: str, tmp_path: Path, seen: Counter[str]) -> None:
    draw = random.Random(f"dataset/{number}")
    world = replace(worlds.world(draw), pause=0)
    if draw.random() < 0.5:
        world = replace(world, joins=tuple(join._replace(maturity=join.wait) for join in world.joins))
    model = draw.choice([model for join in world.joins for model in join.models])
    join = world.join_of(model)
    assert join is not None
    last = max(one.timestamp for log in world.logs.values() for one in log[:-1] or log)
    length = max(60, min(last - BEGINNING, 2_000 * SECOND) // SECOND)
    data = windows(draw, length)
    log = Written(world, artifacts)
    log.write(world.logs)
    until = draw.choice((BEGINNING + draw.randrange(length) * SECOND, BEGINNING + 2_000 * SECOND))
    by_times = draw.random() < 0.5
    asked = request(model, until, sources=() if by_times else sources(log.bus, log.settings, model), **data)
    manifest = build(log.bus, log.settings, asked, tmp_path / "data", Ways(sample=join.rate)).manifest
    log.close()
    found = [Line(*(row[name] for name in Line._fields)) for row in rows(tmp_path / "data")]
    expected, counts = brute(world, join, model, until, by_times, data)
    assert found == expected
    told, everything = manifest.rows, all(one.since is None for one in data["include"][:1])
    if everything:  # else what is long in front of the data is not even read
        assert (told.repeated, told.outside) == (counts.repeated, counts.outside)
    assert told.repeated <= counts.repeated
    assert told.outside <= counts.outside
    assert (told.excluded, told.unlabelled, told.immature) == (counts.excluded, counts.unlabelled, counts.immature)
    assert verify(tmp_path / "data") == manifest
    seen.update(repeated=counts.repeated, outside=counts.outside, unlabelled=counts.unlabelled, immature=counts.immature)
    seen.update(written=len(expected), excluded=sum(counts.excluded.values()), doubtful=sum(line.amount is None for line in expected))


def windows(draw: random.Random, length: int) -> dict[str, Any]:
    def some() -> tuple[int, int]:
        since = BEGINNING + draw.randrange(length) * SECOND
        return since, since + draw.choice((length // 20, length // 5, length // 2)) * SECOND

    include: tuple[Included, ...] = ()
    if draw.random() < 0.5:
        since, until = some()
        include = (
            Included(since=since, until=until + length * SECOND),
            Included(since=draw.choice((None, since)), until=until, weight=0.5),
        )
    exclude = []
    for name in draw.sample(INCIDENTS, draw.randrange(4)):
        since, until = some()
        features = draw.choice(((), ("amount",)))
        exclude.append(Excluded(since=since, until=draw.choice((until, until, None)), incident=name, features=features))
    return {"include": include, "exclude": tuple(exclude), "more_excluded": 3 if exclude and draw.random() < 0.2 else 0}


def brute(world: World, join: Join, model: str, until: int, by_times: bool, data: dict[str, Any]) -> tuple[list[Line], DatasetRows]:
    """Row by row, label by label."""
    taken = [row for block in rules.blocks(world, halves) if block.join == join.name for row in block.rows]
    taken = [row for row in taken if not by_times or row.bucket <= until]
    ordered = sorted(taken, key=lambda row: (row.bucket, row.order))
    known = [row for row in ordered if isinstance(row.content, Known)]
    own = [row for row in ordered if isinstance(row.content, Predicted) and row.content.model == model]
    times = {(source, one.offset): one.timestamp for source, log in world.logs.items() for one in log}
    over = until // PANE * PANE
    counts: dict[str, Any] = {"repeated": 0, "outside": 0, "unlabelled": 0, "immature": 0, "excluded": {}}
    found: list[tuple[tuple[str, int], Line]] = []
    last_seen: dict[str, int] = {}
    for row in own:
        content, time = row.content, times[row.source, row.offset]
        assert isinstance(content, Predicted)
        again = content.id in last_seen and batch.alive(row.bucket, last_seen[content.id], join.wait)
        last_seen[content.id] = row.bucket
        if again:
            counts["repeated"] += 1
            continue
        weight, incident, doubtful = placed(time, until, data)
        if weight == 0:
            counts["outside"] += 1
            continue
        if incident is not None:
            counts["excluded"][incident] = counts["excluded"].get(incident, 0) + 1
            continue
        if join.maturity is not None and batch.alive(over, row.bucket, join.maturity):
            counts["immature"] += 1
            continue
        mine = [one for one in known if isinstance(one.content, Known) and batch._meets(join, row, content, one, one.content)]
        value = batch._in_force(mine)
        if value is None:
            counts["unlabelled"] += 1
            continue
        steps = sorted({max(one.bucket, row.bucket) for one in mine})
        first = next(step for step in steps if batch._in_force([one for one in mine if one.bucket <= step]) is not None)
        line = Line(content.id, time, content.version, value, first, weight, None if doubtful else 1.0)
        found.append(((row.source, row.offset), line))
    found.sort(key=lambda each: (TOPICS[PREDICTIONS], int(each[0][0].split("/")[1]), each[0][1]))
    return [line for _, line in found], DatasetRows(**counts)


def placed(time: int, until: int, data: dict[str, Any]) -> tuple[float, str | None, bool]:
    weights = [one.weight for one in data["include"] if (one.since is None or one.since <= time) and time < one.until]
    weight = max(weights, default=0.0) if data["include"] else float(time < until)
    inside = [one for one in data["exclude"] if one.since <= time and (one.until is None or time < one.until)]
    whole = [one.incident for one in inside if not one.features]
    if data["more_excluded"] and time < min(one.since for one in data["exclude"]):
        whole.append("-")
    return weight, next(iter(whole), None), any(one.features for one in inside)
