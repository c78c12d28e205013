"""What is claimed of the join, each tried on a random world on the bus."""

import random
from collections import Counter
from collections.abc import Hashable, Iterable

from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.messages.block import Block as Written
from driftbus.schemas.messages.pane import ARRIVALS, Pane
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.outcome import NO_VALUE

from .. import labels, streams
from . import batch, rules, worlds
from .crew import Crew, Fate, Wall
from .product import ROLES, Log, Published, halves, named, published
from .worlds import BEGINNING, SECOND, Join, Known, Predicted, World

#: Sums that the rules of the join have; the batch computation has them all.
_OF_RULES = ("predicted", "duplicates", "expired", "unmatched", "due", "n", "errors")
#: The product's name for a label that met nothing and names no model, and for a version that there is not.
NOBODY = "-"
Told = tuple[int, bool, int, str, str, str, tuple[tuple[str, int], ...]]


class Broken(AssertionError):
    """A claim does not hold."""

    def __init__(self, claim: str, what: object) -> None:
        super().__init__(f"{claim}: {str(what)[:1500]}")
        self.claim = claim


def ensure(claim: str, holds: bool, *what: object) -> None:
    if not holds:
        raise Broken(claim, what)


def same(claim: str, mine: Iterable[Hashable], theirs: Iterable[Hashable]) -> None:
    """One by one, in this order."""
    one, other = list(mine), list(theirs)
    if one != other:
        raise Broken(claim, [*sorted(map(str, {*one} - {*other})), "|", *sorted(map(str, {*other} - {*one}))])


# -- what was published, in the words of the rules


def blocks_of(world: World, found: Published) -> dict[int, list[tuple[int, rules.Block | streams.Progress]]]:
    """The joins topic by partition. Each row is compared with the record that it was made of."""
    return {
        number: [(offset, _progress(fact) if isinstance(fact, Progress) else _block(world, fact, number)) for offset, fact in facts]
        for number, facts in found.facts.items()
    }


def _progress(said: Progress) -> streams.Progress:
    partitions = tuple(f"{said.stream}/{number}" for topic in said.topics for number in range(topic.partitions))
    return streams.Progress(f"{said.stream}/{said.source.partition}", said.through, said.ended, partitions)


def _block(world: World, block: Written, number: int) -> rules.Block:
    source, rows = f"{block.stream}/{block.partition}", []
    for row in range(block.rows):
        offset, (hi, lo) = block.first + int(block.offsets[row]), block.halves[row].tolist()
        content, whose = world.contents[source, offset], block.whose[int(block.of[row])]
        mine: tuple[object, ...]
        if isinstance(content, Predicted):
            place = world.place(block.bucket)
            own = content.model, content.version, int(content.score >= 0.5), round(content.score * (1 << 20))
            mine = whose.model, whose.version, int(block.values[row]), int(block.scores[row])
            ensure("rows", (whose.since >= BEGINNING) == bool(place.reference), source, offset)
        else:
            ensure("rows", content is not None, "nothing was to wait", source, offset)
            assert isinstance(content, Known)
            own = content.model, "", NO_VALUE if content.value is None else int(content.value), content.revision
            mine = whose.model, whose.version, int(block.values[row]), int(block.revisions[row])
        ensure("rows", own == mine and halves(content.id) == (hi, lo), source, offset, content, mine)
        rows.append(rules.Row(block.bucket + int(block.waters[row]), source, offset, block.bucket, content))
    ensure("rows", block.number == number, block)
    return rules.Block(block.join, source, block.first, block.last, block.bucket, number, tuple(rows))


def told_by_product(found: Published, join: Join) -> dict[int, list[Told]]:
    """By partition of the joins topic."""
    told: dict[int, list[Told]] = {}
    for said in found.panes.values():
        for pane in said:
            if isinstance(pane, Pane) and pane.stream == join.name:
                place = "" if pane.since is None else str(worlds.Place(1, pane.since) if pane.since >= BEGINNING else worlds.Place(0, 0))
                model, version = ("" if name == NOBODY else name for name in (pane.model, pane.version))
                sums = tuple(sorted(named(pane).items()))
                about = pane.bucket if pane.of == ARRIVALS else pane.about
                told.setdefault(pane.partition, []).append((pane.bucket, pane.of == ARRIVALS, about, model, version, place, sums))
    return {number: sorted(one) for number, one in told.items()}


def told_by_rules(outcomes: Iterable[labels.Outcome]) -> list[Told]:
    told = [
        (one.bucket, one.about is None, one.bucket if one.about is None else one.about, *one.version, one.place, _counted(one.sums))
        for one in outcomes
    ]
    return sorted(one for one in told if one[6])


def _counted(sums: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Without the sum of the delays, of which the product has bins."""
    return tuple((name, by) for name, by in sums if name != "delays")


def _of_rules(told: list[Told]) -> list[Told]:
    """Without the sums that the rules of the join do not have."""
    found = [(*one[:6], tuple((name, by) for name, by in one[6] if _has(name))) for one in told]
    return sorted(one for one in found if one[6])


def _has(name: str) -> bool:
    return name in _OF_RULES or (name.startswith("cell") and not name.endswith(_FURTHER))


_FURTHER = " labelled", " expired", " scores"


def totals(told: Iterable[Told]) -> batch.Totals:
    revised: Counter[tuple[int, str, str, str, str]] = Counter()
    arrived: Counter[tuple[int, str, str, str, str]] = Counter()
    for _, first, about, model, version, place, sums in told:
        for name, by in sums:
            (arrived if first else revised)[about, model, version, place, name] += by
    return batch.Totals(*({key: by for key, by in sums.items() if by} for sums in (revised, arrived)))


# -- runs


def calm(world: World, artifacts: str) -> Published:
    """One process to which nothing happens."""
    log = Log(world, artifacts)
    for part in world.parts():
        log.write(part)
        pipeline = Pipeline(log.bus.as_instance("calm"), log.settings, ROLES)
        for _ in pipeline.run_until_end():
            pass
        pipeline.close()
    found = published(log)
    log.close()
    return found


def wild(world: World, artifacts: str, fate: Fate) -> Published:
    """Up to two processes, at any speed, that die anywhere."""
    log = Log(world, artifacts)
    for part in world.parts():
        log.write(part)
        crew = Crew(log, fate, Wall(BEGINNING))
        deadly, fate.deadly = fate.deadly, fate.deadly
        crew.turns(fate.draw.randrange(60))
        fate.deadly /= 4
        crew.finish()
        fate.deadly = 0.0
        crew.leave()
        fate.deadly = deadly
    found = published(log)
    log.close()
    return found


def live(world: World, artifacts: str, fate: Fate) -> Published:
    """The same by the wall clock, while records come."""
    log, wall = Log(world, artifacts, live=True), Wall(BEGINNING - 60 * SECOND)
    crew, draw = Crew(log, fate, wall), fate.draw
    delay = {source: draw.choice((0, 0, 2, 15)) * SECOND for source in world.logs}

    def come() -> None:
        wall.now += draw.choice((0, 2, 6)) * SECOND
        log.write(world.before(wall.now, delay))

    last = max(one.timestamp for all_ in world.logs.values() for one in all_)
    while wall.now < last + 60 * SECOND:
        crew.turns(1, come)
    fate.deadly = 0.0
    if not crew.there:
        crew.begin("one")
    for _ in range(20):
        crew.all_turn(5 * SECOND)
    fate.most = 10_000  # what is left
    for _ in range(3):
        crew.all_turn(1)
    crew.leave()
    found = published(log)
    log.close()
    return found


# -- claims


def in_record_time(world: World, artifacts: str, fate: Fate) -> None:
    """A log that is read by its own times: whoever reads it, however, the same comes of it, and it is what the rules say."""
    one, other = calm(world, artifacts), wild(world, artifacts, fate)
    expected = rules.blocks(world, halves)
    for found in (one, other):
        made = sorted(fact for facts in blocks_of(world, found).values() for _, fact in facts if isinstance(fact, rules.Block))
        same("blocks", made, sorted(expected))
    taken(one)
    ensure("blocks", _as_written(one) == _as_written(other))
    ensure("schedules", one.events == other.events, _differing(one, other))
    for join in world.joins:
        told = told_by_product(one, join)
        for number, facts in blocks_of(world, one).items():
            outcomes, over = rules.fold(world, join, facts)
            mine, theirs = _of_rules(told.get(number, [])), told_by_rules(outcomes)
            same("rules", mine, theirs)
            fate.seen.update(name if by > 0 else "taken back" for *_, sums in theirs for name, by in sums if not name.startswith("cell"))
            rows = [row for block in expected if (block.join, block.number) == (join.name, number) for row in block.rows]
            got, wanted = totals(told.get(number, [])), batch.totals(world, join, rows, over)
            if world.pause:
                continue  # all that was there at the end of the first run was told, though it was not over everywhere
            same("arrivals", sorted(got.arrived.items()), sorted(wanted.arrived.items()))
            same("batch", sorted(got.revised.items()), sorted(wanted.revised.items()))


def in_any_partitions(pair: tuple[World, World], artifacts: str) -> None:
    """In one partition or in several: the same sums, but for what depends on how far completeness passes at the end."""
    sums = []
    for world in pair:
        found = calm(world, artifacts)
        both = totals(told for join in world.joins for of in told_by_product(found, join).values() for told in of)
        sums.append([{key: by for key, by in part.items() if not key[-1].endswith(("expired", "unmatched"))} for part in both])
    ensure("partitions", sums[0] == sums[1], [one.items() ^ other.items() for one, other in zip(*sums, strict=True)])


def in_live_time(world: World, artifacts: str, fate: Fate) -> None:
    """By the wall clock: outcomes are a function of the joins topic, and each record waits once, in a bucket that was open."""
    found = live(world, artifacts, fate)
    facts = blocks_of(world, found)
    rows = [row for of in facts.values() for _, fact in of if isinstance(fact, rules.Block) for row in fact.rows]
    waits = {source: rules.waiting(world, halves, source.split("/")[0]) for source in world.logs}
    expected = sorted((source, offset) for (source, offset), one in world.contents.items() if one is not None and waits[source](one))
    ensure("each once", sorted((row.source, row.offset) for row in rows) == expected)
    times = {(source, one.offset): one.timestamp for source, log in world.logs.items() for one in log}
    for row in rows:
        bucket = worlds.RULES.buckets.end(max(times[row.source, row.offset], row.water - worlds.GRACE))
        ensure("bucket", row.bucket == bucket, row, bucket)
    for join in world.joins:
        told = told_by_product(found, join)
        for number, of in facts.items():
            mine, theirs = _of_rules(told.get(number, [])), told_by_rules(rules.fold(world, join, of)[0])
            same("live rules", mine, theirs)


def in_time(found: Published) -> None:
    """Nothing is told of a bucket behind progress that passed it."""
    for said in found.panes.values():
        over: dict[tuple[str, int], int] = {}
        for one in said:
            if isinstance(one, Progress):
                if one.ended:
                    continue  # of the last that there is; a later run goes on where each partition stopped
                key = one.stream, one.source.partition
                over[key] = max(over.get(key, -streams.NEVER), -streams.NEVER if one.through is None else one.through)
            else:
                ensure(
                    "in time",
                    one.bucket > over.get((one.stream, one.partition), -streams.NEVER),
                    lambda one=one: (one.bucket, one.of, named(one)),
                )


def taken(found: Published) -> None:
    """Whoever aligns outcomes takes all of them: none has the id of another, or stands in front of where its partition was."""
    for (_, partition, number), events in found.events.items():
        ids = [dict(event.headers)["ce_id"] for event in events]
        firsts = [Pane.decoded(event.value).first for event in events]
        ensure("taken", len(set(ids)) == len(ids) and firsts == sorted(firsts), partition, number)


def _as_written(found: Published) -> dict[int, list[bytes]]:
    return {number: sorted(fact.encoded() for _, fact in facts if isinstance(fact, Written)) for number, facts in found.facts.items()}


def _differing(one: Published, other: Published) -> object:
    for key in sorted({*one.events, *other.events}):
        mine, theirs = ([Pane.decoded(event.value) for event in found.events.get(key, [])] for found in (one, other))
        for a, b in zip([*mine, None], [*theirs, None], strict=False):
            if a is not b and (a is None or b is None or a.encoded() != b.encoded()):
                return key, a and (a.bucket, a.of, a.about, a.model, named(a)), b and (b.bucket, b.of, b.about, b.model, named(b))
    return "order"


def case(number: int, seed: str, artifacts: str) -> Counter[str]:
    """All claims, on worlds that depend on these alone; returns what happened."""
    draw = random.Random(f"{seed}/{number}")
    fate = Fate(draw, deadly=draw.choice((0.0, 0.05, 0.15)))
    in_record_time(worlds.world(draw), artifacts, fate)
    if number % 4 == 0:
        in_any_partitions(worlds.spread(draw), artifacts)
    if number % 4 == 1:
        in_live_time(worlds.world(draw, live=True), artifacts, fate)
    return fate.seen
