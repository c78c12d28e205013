"""Each rule of the join, taken away: some of a few worlds notice. What would be equal without it proves nothing of it.

The rules are taken from the oracle: if the product says what they say, and does not say what they say without one, then a product without
it would be noticed too.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from .. import labels, streams
from . import claims, rules, worlds
from .product import Published, halves
from .worlds import Known, Predicted, World

#: Of each of the predictions that come twice, late, for several models, there are some in these.
WORLDS = 24


class Mutant(NamedTuple):
    """What is put in the place of what."""

    of: Any
    name: str
    instead: Callable[..., Any]


def no_alignment() -> Mutant:
    """Rows are taken as they come in their partition."""

    def feed(self: rules.JoinAligner, offset: int, appended: int, fact: streams.Pane | streams.Progress) -> list[Any]:
        if isinstance(fact, streams.Progress):
            return []
        self.evaluated = self.passed = max(self.evaluated, fact.bucket)
        return [(self.evaluated, True, [fact])]

    return Mutant(rules.JoinAligner, "feed", feed)


def one_stream_is_enough() -> Mutant:
    """Nobody waits for the other stream's first word."""
    return Mutant(rules.JoinAligner, "__post_init__", lambda self: None)


def order_by_partition() -> Mutant:
    """Labels of one id are in the order of partition and offset, without the high water."""
    return Mutant(rules.Row, "order", property(lambda self: (0, self.source, self.offset)))  # type: ignore[arg-type]  # it is called by Python


def duplicates_leave_no_trace() -> Mutant:
    """A prediction that comes again does not count, but nor is it remembered."""

    def join(self: labels.Joiner, step: int, predictions: list[Any], known: list[Any], join: Any = labels.Joiner._join) -> None:
        before = dict(self.seen)
        join(self, step, predictions, known)
        self.seen |= before

    return Mutant(labels.Joiner, "_join", join)


def short_memory() -> Mutant:
    """Whether a prediction came before is known for half of `wait`."""

    def expire(self: labels.Joiner, step: int, expire: Any = labels.Joiner._expire) -> None:
        expire(self, step)
        self.seen = {what: last for what, last in self.seen.items() if self._over(last, self.join.wait // 2) > step}

    return Mutant(labels.Joiner, "_expire", expire)


def no_early_labels() -> Mutant:
    """A label in front of its prediction is forgotten with its step."""

    def expire(self: labels.Joiner, step: int, expire: Any = labels.Joiner._expire) -> None:
        expire(self, step)
        self.labels = {}

    return Mutant(labels.Joiner, "_expire", expire)


def labels_leave_when_matched() -> Mutant:
    """One that has met a prediction meets no other."""

    def apply(self: labels.Joiner, waiting: Any, kept: Any, apply: Any = labels.Joiner._apply) -> None:
        if not (kept.matched and kept.row.model == ""):
            apply(self, waiting, kept)

    return Mutant(labels.Joiner, "_apply", apply)


def corrections_are_ignored() -> Mutant:
    """The first label holds."""

    def apply(self: labels.Joiner, waiting: Any, kept: Any, apply: Any = labels.Joiner._apply) -> None:
        if waiting.outcome is None:
            apply(self, waiting, kept)

    return Mutant(labels.Joiner, "_apply", apply)


def last_arrival_wins() -> Mutant:
    """A correction's revision is not looked at."""

    def apply(self: labels.Joiner, waiting: Any, kept: Any, apply: Any = labels.Joiner._apply) -> None:
        other = labels.Kept(kept.row._replace(revision=0), kept.step, kept.order, kept.matched)
        apply(self, waiting, other)
        kept.matched = other.matched

    return Mutant(labels.Joiner, "_apply", apply)


def any_models_label() -> Mutant:
    """A label of one model counts for all."""

    def apply(self: labels.Joiner, waiting: Any, kept: Any, apply: Any = labels.Joiner._apply) -> None:
        other = labels.Kept(kept.row._replace(model=""), kept.step, kept.order, kept.matched)
        apply(self, waiting, other)
        kept.matched = other.matched

    return Mutant(labels.Joiner, "_apply", apply)


def expire_when_looked_at() -> Mutant:
    """What is due expires in the next bucket with rows, not in its own."""

    def passed(self: labels.Joiner, through: int) -> list[labels.Outcome]:
        out: list[labels.Outcome] = []
        if through > self.through:
            out = self._revise(end) if (end := self._interval()) <= through else []
            self.through, self.at = through, max(self.at, through)
        return out

    return Mutant(labels.Joiner, "passed", passed)


def revisions_behind_progress() -> Mutant:
    """Revisions are told when the next interval begins."""

    def to(self: labels.Joiner, step: int) -> list[labels.Outcome]:
        out = self._revise(step) if self._interval() < step else []
        self.at = max(self.at, step)
        return out

    return Mutant(labels.Joiner, "_to", to)


def key_of_id_and_model() -> Mutant:
    """Where rows wait depends on their model: a label of none meets predictions of one of them."""

    def waiting(world: World, hashed: Any, stream: str, waiting: Any = rules.waiting) -> Callable[[Predicted | Known], Any]:
        inner = waiting(world, hashed, stream)

        def place(content: Predicted | Known) -> tuple[str, int] | None:
            found = inner(content)
            return found and (found[0], hashed(f"{content.id}/{content.model}").lo % world.partitions)

        return place

    return Mutant(rules, "waiting", waiting)


def told_again() -> Mutant:
    """A correction is news as a first outcome is."""

    def apply(self: labels.Joiner, waiting: Any, kept: Any, apply: Any = labels.Joiner._apply) -> None:
        before = waiting.outcome
        apply(self, waiting, kept)
        if before not in (None, waiting.outcome):
            waiting.known = None

    return Mutant(labels.Joiner, "_apply", apply)


def a_sample_of_rows() -> Mutant:
    """All wait, whatever is sampled."""

    def waiting(world: World, hashed: Any, stream: str, waiting: Any = rules.waiting) -> Callable[[Predicted | Known], Any]:
        whole = tuple(join._replace(rate=1.0) for join in world.joins)
        return waiting(World(**{**world.__dict__, "joins": whole}), hashed, stream)  # type: ignore[no-any-return]  # as before

    return Mutant(rules, "waiting", waiting)


MUTANTS = (
    *(no_alignment, one_stream_is_enough, order_by_partition, duplicates_leave_no_trace, short_memory, no_early_labels, any_models_label),
    *(labels_leave_when_matched, corrections_are_ignored, last_arrival_wins, expire_when_looked_at, revisions_behind_progress),
    *(key_of_id_and_model, told_again, a_sample_of_rows),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[World, Published]]:
    """What the product says of some worlds; it is what the rules say."""
    artifacts = str(tmp_path_factory.mktemp("artifacts"))
    made = [worlds.world(random.Random(f"mutants/{number}")) for number in range(WORLDS)]
    found = [(one, claims.calm(one, artifacts)) for one in made]
    assert not any(_differs(one, published) for one, published in found)
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_rule_that_is_taken_away_is_missed(
    mutant: Callable[[], Mutant], told: list[tuple[World, Published]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*mutant())
    assert any(_differs(world, published) for world, published in told)


def _differs(world: World, found: Published) -> bool:
    """Whether it is not what the rules say."""
    blocks = claims.blocks_of(world, found)
    made = sorted(fact for facts in blocks.values() for _, fact in facts if isinstance(fact, rules.Block))
    return made != sorted(rules.blocks(world, halves)) or any(_folded(world, found, blocks))


def _folded(world: World, found: Published, blocks: Mapping[int, list[tuple[int, Any]]]) -> Iterator[bool]:
    for join in world.joins:
        told = claims.told_by_product(found, join)
        for number, facts in blocks.items():
            try:
                outcomes, _ = rules.fold(world, join, facts)
            except (AssertionError, IndexError, KeyError):  # it cannot be without the rule
                yield True
            else:
                yield claims._of_rules(told.get(number, [])) != claims.told_by_rules(outcomes)
