"""A slot's pool: what it says where there is more than a message holds."""

import msgspec
import numpy as np
import pytest

from driftbus.consumers.reviewer.pool import Pool
from driftbus.consumers.streams.buckets import Every
from driftbus.consumers.streams.slots import Slots
from driftbus.detectors.sampling.chance import draws, unit
from driftbus.detectors.sampling.slot import needed
from driftbus.schemas.configuration import Configuration, Review
from driftbus.schemas.messages.candidates import Candidate, Candidates
from driftbus.schemas.messages.review import MOST_DRIFTING, ReviewRequest, ReviewSlot

END = 600_000


def candidates(rows: int, slots: Slots) -> Candidates:
    """What is kept of so many rows that weigh the same."""
    chances, weights = unit(draws("t", 0, np.arange(rows))), np.full(rows, 0.5)
    kept = [Candidate(offset=row, weight=0.5) for row in np.flatnonzero(needed(chances, weights, *slots.most, 1.0)).tolist()]
    place = {"stream": "s", "topic": "t", "topic_id": "t", "partition": 0, "first": 0, "last": rows - 1, "bucket": END}
    most = {"cases": slots.most[0], "uniform": slots.most[1]}
    return Candidates.model_validate({**place, **most, "model": "m", "version": "1", "rows": rows, "kept": kept})


@pytest.mark.parametrize("restored", [False, True])
def test_no_more_is_drawn_than_was_kept_for_when_the_budget_has_grown(restored: bool) -> None:
    """Else all that was kept were drawn for sure, as if there were no other rows."""
    before, after = (Slots(Review.model_validate({"budget": budget}), Every(END)) for budget in ("60 per hour", "6000 per hour"))
    pool = Pool()
    pool.add(candidates(5_000, before), before)
    if restored:
        pool = Pool.restored(msgspec.msgpack.decode(msgspec.msgpack.encode(pool.plain())))
    requests = [one for one in pool.drawn("a", "m", (0, END), after, ()) if isinstance(one, ReviewRequest)]
    assert len(requests) == before.most[0]
    assert all(one.probability < 0.01 for one in requests)
    assert sum(one.uniform for one in requests) == before.most[1]
    assert {one.uniform_probability for one in requests if one.uniform} == {before.most[1] / 5_000}
    few = Pool()
    few.add(candidates(10, before), before)
    assert len(few.drawn("a", "m", (0, END), after, ())) == 11  # all rows are there: all may be drawn


def test_a_slot_is_said_though_more_segments_drift_than_it_can_name() -> None:
    """Of two versions with their own: all of them are drawn more often."""
    slots, pool, last = Slots(Review(), Every(END)), Pool(), f"s{2 * MOST_DRIFTING}"
    row = Candidate(offset=0, weight=0.5, segment=last)
    pool.add(candidates(1, slots).model_copy(update={"kept": (row,)}), slots)
    request, slot = pool.drawn("a", "m", (0, END), slots, sorted(f"s{number}" for number in range(2 * MOST_DRIFTING + 1)))
    assert isinstance(request, ReviewRequest)
    assert isinstance(slot, ReviewSlot)
    assert request.weight == 1.0
    assert len(slot.drifting) == MOST_DRIFTING


@pytest.mark.parametrize(
    ("pane", "review", "fits"),
    [
        ("10s", {}, True),
        ("1d", {}, True),
        ("10s", {"budget": "60000 per hour"}, True),
        ("10s", {"budget": "999999 per hour"}, False),
        ("10s", {"slot": "1d", "budget": "600 per hour"}, False),
        ("month", {"budget": "100 per hour"}, False),
    ],
)
def test_a_slot_has_a_bound_of_cases(pane: str, review: dict[str, str], fits: bool) -> None:
    settings = {"application": "a", "streams": {"s": {"topics": ["t"], "pane": pane}}, "models": {"m": {"review": review}}}
    if fits:
        assert Configuration.model_validate(settings).models["m"].review is not None
        return
    with pytest.raises(ValueError, match=r"models\.m\.review\.budget: [0-9,]+ cases in one slot"):
        Configuration.model_validate(settings)
