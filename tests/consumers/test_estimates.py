"""What answers say of an interval: of cases nobody answered nothing is known, however surely they were drawn."""

from driftbus.consumers.reviewer.estimates import MOST_REASONS, Estimates
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import OTHERS
from driftbus.schemas.messages.review import ReviewAnswer, ReviewRequest, case_of
from driftbus.schemas.messages.reviewed import Reviewed

END = 3_600_000_000


def request(place: int, **other: object) -> ReviewRequest:
    said = {
        **{"case": case_of("a", "m", "t", 0, place), "model": "m", "version": "1", "slot": END, "asked": END, "bucket": END},
        **{"topic": "t", "topic_id": "t", "partition": 0, "offset": place, "prediction": "yes", "weight": 1.0, "probability": 1.0},
        **{"uniform": place < 2, "uniform_probability": 1.0 if place < 2 else None},
    }
    return ReviewRequest.model_validate(said | other)


def told(requests: list[ReviewRequest], labels: list[str], skipped: list[str] | None = None) -> Reviewed:
    """After the first of these requests were answered, or ``skipped`` for these reasons."""
    settings = {"application": "a", "streams": {"s": {"topics": ["t"], "pane": "10s"}}, "models": {"m": {"review": {}}}}
    fold, said = Estimates(Configuration.model_validate(settings)), []
    answers = [ReviewAnswer.of(one, "ann", END, label=label) for one, label in zip(requests, labels, strict=False)]
    answers += [ReviewAnswer.of(one, "ann", END, skipped=why) for one, why in zip(requests, skipped or [], strict=False)]
    facts: list[ReviewRequest | ReviewAnswer] = [*requests, *answers]
    for offset, fact in enumerate(facts):
        said += fold.feed(offset, END, fact)
    assert isinstance(said[-1], Reviewed)
    return said[-1]


def test_all_that_there_was_and_all_answered_is_known() -> None:
    found = told([request(place) for place in range(4)], ["yes", "yes", "no", "yes"]).all
    assert (found.share, found.low, found.high) == (0.75, 0.75, 0.75)


def test_of_rows_that_nobody_answered_nothing_is_known() -> None:
    found = told([request(place) for place in range(20)], ["yes"])
    assert (found.asked, found.answered, found.right, found.unanswered) == (20, 1, 1, 19)
    for of in (found.all, found.uniform):
        assert of.low is not None
        assert of.low < 0.2
        assert (of.cases, of.share, of.high) == (1, 1.0, 1.0)


def test_cases_without_a_prediction_are_none_that_were_not_answered() -> None:
    asked = [request(place, prediction=None if place else "yes") for place in range(5)]
    found = told(asked, ["yes"] * 5).all
    assert (found.cases, found.low, found.high) == (1, 1.0, 1.0)


def test_a_record_holds_as_many_reasons_as_it_has_room_for() -> None:
    reasons = [f"why {place:03}" for place in range(3 * MOST_REASONS)] + ["unclear"] * 5
    found = told([request(place) for place in range(len(reasons))], [], reasons).skipped
    assert len(found) == MOST_REASONS + 1
    assert (found["unclear"], found[OTHERS], sum(found.values())) == (5, 2 * MOST_REASONS + 1, len(reasons))
