"""A model that people were asked about, and what they said: all of it is there when a world begins."""

from typing import Any

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.reference.reviews import Review, output
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.review import ReviewAnswer, ReviewRequest, ReviewSlot, case_of

from ..streaming import BEGINNING

#: In another partition than m0: where requests are on the topic, what is drawn is only compared with them.
ASKED = "asked"
#: Slots, and cases of each.
SLOTS, CASES, SLOT = 31, 3, 600_000


def answered(settings: Configuration) -> list[Output]:
    """What a model's people were asked, and said in the slot behind it."""
    said, before = list[Review](), list[ReviewRequest]()
    for number in range(1, SLOTS + 1):
        end = BEGINNING + number * SLOT
        now = [request(ASKED, CASES * number + one, end) for one in range(CASES)]
        slot = ReviewSlot(application=settings.application, model=ASKED, slot=end, start=end - SLOT, rows=CASES, cases=CASES)
        said += [*now, slot, *(ReviewAnswer.of(one, "ann", end, label="yes" if one.offset % 4 else "no") for one in before)]
        before = now
    return [output(settings, one) for one in said]


def request(model: str, place: int, slot: int, **changes: object) -> ReviewRequest:
    """One case of a slot, drawn uniformly."""
    said: dict[str, Any] = {
        **{"case": case_of("test", model, "t", 0, place), "model": model, "version": "1", "slot": slot, "asked": slot, "bucket": slot},
        **{"topic": "scored", "topic_id": "t", "partition": 0, "offset": place, "prediction": "yes", "weight": 1.0, "probability": 0.1},
        **{"uniform": True, "uniform_probability": 0.1},
    }
    return ReviewRequest.model_validate(said | changes)
