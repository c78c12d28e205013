"""A slot's pool: what it says where there is more than a message holds."""

from driftbus.consumers.reviewer.pool import Pool
from driftbus.consumers.streams.buckets import Every
from driftbus.consumers.streams.slots import Slots
from driftbus.schemas.configuration import Review
from driftbus.schemas.messages.candidates import Candidate, Candidates
from driftbus.schemas.messages.review import MOST_DRIFTING, ReviewRequest, ReviewSlot

END = 600_000


def test_a_slot_is_said_though_more_segments_drift_than_it_can_name() -> None:
    """Of two versions with their own: all of them are drawn more often."""
    slots, pool, last = Slots(Review(), Every(END)), Pool(), f"s{2 * MOST_DRIFTING}"
    place = {
        "stream": "s",
        "topic": "t",
        "topic_id": "t",
        "partition": 0,
        "first": 0,
        "last": 0,
        "bucket": END,
        "model": "m",
        "version": "1",
    }
    pool.add(Candidates.model_validate({**place, "rows": 1, "kept": (Candidate(offset=0, weight=0.5, segment=last),)}), slots)
    request, slot = pool.drawn("a", "m", END, slots, sorted(f"s{number}" for number in range(2 * MOST_DRIFTING + 1)))
    assert isinstance(request, ReviewRequest)
    assert isinstance(slot, ReviewSlot)
    assert request.weight == 1.0
    assert len(slot.drifting) == MOST_DRIFTING
