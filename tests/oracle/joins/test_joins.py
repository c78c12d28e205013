"""The claims of the join on a few worlds; `python -m tests.oracle.joins` tries them on as many as one likes."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from ..streams import Record
from . import claims, worlds
from .crew import Crew, Fate, Wall
from .product import Log, published
from .worlds import SECOND, Known, Predicted, World

#: Cases of the gate.
CASES = 5


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """What happened in all cases."""
    return Counter()


@pytest.mark.parametrize("number", range(CASES))
def test_whatever_happens_the_same_comes_of_a_log_and_it_is_what_the_rules_say(number: int, artifacts: str, seen: Counter[str]) -> None:
    seen += claims.case(number, "gate", artifacts)


def test_what_is_yet_to_be_told_behind_a_late_bucket_rests_on_it_in_every_schedule(artifacts: str) -> None:
    """A later run goes back in time, and one schedule hears of it in two parts, another at once."""
    claims.case(147, "0", artifacts)


def small(events: list[tuple[int, worlds.Content]], about: int = 10) -> World:
    """A world of one partition of each topic, with these events at these seconds."""
    logs: dict[str, list[Record]] = {"predictions/0": [], "known/0": []}
    contents: dict[tuple[str, int], worlds.Content] = {}
    for time, content in sorted(events, key=lambda event: event[0]):
        source = "predictions/0" if isinstance(content, Predicted) else "known/0"
        contents[source, len(logs[source])] = content
        logs[source].append(Record(len(logs[source]), worlds.BEGINNING + time * SECOND))
    join = worlds.Join("known", ("k", "m", "n"), 20 * SECOND, 0, about * SECOND, 1.0, None)
    return World((join,), 1, logs, contents, worlds.BEGINNING + 3_600 * SECOND, 0, {"predictions": 1, "known": 1})


def test_nothing_is_told_of_a_bucket_behind_progress_that_passed_it(artifacts: str) -> None:
    draw = random.Random("time")
    for _ in range(2):
        claims.in_time(claims.wild(worlds.world(draw), artifacts, Fate(draw)))


def test_whoever_begins_at_a_mark_knows_all_that_shows(artifacts: str) -> None:
    """An id that comes again as long as it is remembered: the past has no end, and whoever forgot it counts a row anew."""
    again = [(20 * number, Predicted("a", "m", "1", 0.9)) for number in range(14)]
    others = [(5 * number, Predicted(f"x{number}", "m", "1", 0.9)) for number in range(54)]
    world = small([*again, *others, *((5 * number, Known(f"x{number}", True)) for number in range(54))])
    log, fate = Log(world, artifacts), Fate(random.Random(0), most=8)
    log.write(world.logs)
    crew = Crew(log, fate, Wall(worlds.BEGINNING))
    while fate.seen["from a mark"] < 6:
        crew.begin("one")
        for _ in range(3):
            crew.all_turn(1_000)
        crew.there.pop("one").die()
    crew.finish()
    found = published(log)
    log.close()
    assert found.events == claims.calm(world, artifacts).events


def test_the_worlds_hold_what_they_should() -> None:
    """Else equality proves little: nothing of the rules goes untried."""
    kinds = Counter[str]()
    for number in range(60):
        made = worlds.world(random.Random(f"kinds/{number}"))
        kinds.update(_kinds(made))
    assert min(kinds[kind] for kind in KINDS) >= 5, kinds


KINDS = (
    *("two joins", "a first run", "ends", "a sample", "several partitions of joins", "poison", "gaps", "quiet", "late", "a wrong clock"),
    *("again", "several models", "several versions", "early", "long behind", "several labels", "taken back", "of one model", "revisions"),
    *("of nothing", "another reference"),
)


def _kinds(world: World) -> Iterator[str]:
    records = {source: [one for one in log if one.kind != "end"] for source, log in world.logs.items()}
    pairs = [pair for log in records.values() for pair in pairwise(log)]
    predicted = [(content, source, offset) for (source, offset), content in world.contents.items() if isinstance(content, Predicted)]
    known = [content for content in world.contents.values() if isinstance(content, Known)]
    first = {content.id: offset for content, _, offset in reversed(predicted)}
    times = {(source, one.offset): one.timestamp for source, log in records.items() for one in log}
    made = {content.id: times[source, offset] for content, source, offset in reversed(predicted)}
    gone = [
        times[place] - made[content.id] for place, content in world.contents.items() if isinstance(content, Known) and content.id in made
    ]
    whose = {(content.id, content.model, content.version) for content, *_ in predicted}
    found = {
        "two joins": len(world.joins) > 1,
        "a first run": world.pause > 0,
        "ends": any(one.kind == "end" for log in world.logs.values() for one in log),
        "a sample": any(join.rate < 1 for join in world.joins),
        "several partitions of joins": world.partitions > 1,
        "poison": any(one.kind == "poison" for log in records.values() for one in log),
        "gaps": any(b.offset > a.offset + 1 for a, b in pairs),
        "quiet": any(b.timestamp - a.timestamp > 6 * worlds.PANE for a, b in pairs),
        "late": any(b.timestamp < a.timestamp for a, b in pairs),
        "a wrong clock": any(abs(b.timestamp - a.timestamp) > worlds.RULES.max_jump for a, b in pairs),
        "again": len(whose) < len(predicted),
        "several models": len({id for id, model, _ in whose if model == "k"} & {id for id, model, _ in whose if model == "m"}) > 0,
        "several versions": len(whose) > len({(id, model) for id, model, _ in whose}),
        "early": any(delay < -worlds.PANE for delay in gone),
        "long behind": any(delay > 9 * worlds.PANE for delay in gone),
        "several labels": len(known) > len({one.id for one in known}),
        "taken back": any(one.value is None for one in known),
        "of one model": any(one.model for one in known),
        "revisions": len({one.revision for one in known}) > 1,
        "of nothing": any(one.id not in first for one in known),
        "another reference": any(one.timestamp > world.changed for log in records.values() for one in log),
    }
    return (kind for kind, there in found.items() if there)
