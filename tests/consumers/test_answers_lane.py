"""The lane of answers by itself: whatever losses come, its state can be written down, and what it says is finite."""

import math
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.consumers.detector.answers import Answers
from driftbus.consumers.detector.keys import Published
from driftbus.consumers.detector.outcomes import CountedBy
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.pane import REVIEWED
from driftbus.schemas.messages.progress import InputPartition, Progress
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ..streaming import configuration

SLOT, PLACE = 600_000, InputPartition(topic="reviews", topic_id="r", partition=0)


class Basis:
    """Numbers, in a scale of their own."""

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        return OutcomeBasis(task="number", scale=3.0, losses=tuple(2**power for power in range(6, 31)))

    def metrics(self, model: str) -> tuple[()]:
        return ()


def chosen(outcome: str = "number", **model: object) -> Configuration:
    models: dict[str, Any] = {"m": {"labels": "known", "review": {"slot": "10m"}, "false_alarms": "1 per 3d"} | model}
    return configuration(stream={"pane": "1m"}, models=models, labels={"known": {"topics": ["known"], "outcome": outcome}})


def lane(of: Configuration) -> Answers:
    basis: CountedBy = Basis()
    return Answers(of, basis)


def answered(number: int, losses: list[float], *, numeric: bool = True) -> list[Evidence | Progress]:
    """What is said of one slot."""
    end = (number + 1) * SLOT
    place = {"topic": PLACE.topic, "topic_id": PLACE.topic_id, "partition": PLACE.partition}
    said: list[Evidence | Progress] = [
        Evidence.model_validate(
            place
            | {"of": REVIEWED, "stream": "predictions", "offset": number, "bucket": end, "about": end, "model": "m", "version": "1"}
            | {"fact_id": f"{number}/{one}", "fact": {"reference": "r", "numeric": numeric, "loss": loss}}
        )
        for one, loss in enumerate(losses)
    ]
    return [*said, Progress(stream="m", source=PLACE, through=end, of=REVIEWED)]


def fed(answers: Answers, facts: list[Evidence | Progress]) -> list[Published]:
    return [one for offset, fact in enumerate(facts) for one in answers.feed(offset, 0, fact)]


def events(said: list[Published]) -> list[DriftEvent]:
    return [one.event for one in said if isinstance(one.event, DriftEvent)]


def again(answers: Answers, of: Configuration) -> Answers:
    """Written down, and restored."""
    other = lane(of)
    numbers = {str(one): aligner.numbers() for one, aligner in answers.lanes().items()}
    plain, kept = msgspec.msgpack.decode(msgspec.msgpack.encode([answers.plain(), numbers]))
    other.restore(plain, kept, {})
    return other


def test_larger_losses_are_told_in_the_unit_of_the_outcome() -> None:
    quiet = [one for number in range(150) for one in answered(number, [(number * 7 + place * 3) % 11 for place in range(10)])]
    more = [one for number in range(150, 200) for one in answered(number, [3.0 + (number * 7 + place * 3) % 11 for place in range(10)])]
    answers = lane(chosen())
    assert events(fed(answers, quiet)) == []
    answers = again(answers, chosen())
    [opened] = [one for one in events(fed(answers, more)) if one.status == "opened"]
    assert opened.performance is not None
    assert (opened.performance.by, opened.performance.metric) == ("reviews", "mae")
    assert opened.performance.was is not None
    assert abs(opened.performance.was - 5) < 0.1
    assert opened.performance.now is not None
    assert 7 < opened.performance.now < 9


def test_what_is_open_ends_where_nobody_is_asked_any_more() -> None:
    answers, one = lane(chosen("binary")), chosen("binary")
    quiet = [one for number in range(150) for one in answered(number, [0.0] * 9 + [1.0], numeric=False)]
    worse = [one for number in range(150, 170) for one in answered(number, [0.0] * 5 + [1.0] * 5, numeric=False)]
    fed(answers, [*quiet, *worse])
    assert answers.open_now() == 1
    without = again(answers, configuration(stream={"pane": "1m"}, models={"m": {}}))
    assert without.open_now() == 0
    same = again(answers, one)
    assert not same.changed
    assert list(same.resumed()) == []


def test_other_settings_go_on_with_what_is_open() -> None:
    answers = lane(chosen("binary"))
    quiet = [one for number in range(150) for one in answered(number, [0.0] * 9 + [1.0], numeric=False)]
    worse = [one for number in range(150, 170) for one in answered(number, [0.0] * 5 + [1.0] * 5, numeric=False)]
    fed(answers, [*quiet, *worse])
    changed = again(answers, chosen("binary", false_alarms="1 per 30d", review={"slot": "1h"}))
    assert changed.changed
    list(changed.resumed())
    assert (changed.open_now(), changed.changed) == (1, False)
    assert changed.aligners["m"].buckets.end(0) == 6 * SLOT


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 1e-300, 1.0, 17.0, 1e12, 1.7e308]), min_size=1, max_size=3), min_size=1, max_size=6),
    st.booleans(),
)
def test_no_losses_break_it(few: list[list[float]], numeric: bool) -> None:
    slots = [one * 120 for one in few] * 3
    kept = slots if numeric else [[min(loss, 1.0) // 1 for loss in one] for one in slots]
    of, facts = (
        chosen("number" if numeric else "binary"),
        [one for n, losses in enumerate(kept) for one in answered(n, losses, numeric=numeric)],
    )
    whole, halves = lane(of), lane(of)
    said = events(fed(whole, facts))
    before = [one for offset, fact in enumerate(facts[: len(facts) // 2]) for one in halves.feed(offset, 0, fact)]
    rest = again(halves, of) if isinstance(facts[len(facts) // 2 - 1], Progress) else halves
    behind = [one for offset, fact in enumerate(facts[len(facts) // 2 :]) for one in rest.feed(offset, 0, fact)]
    assert [one.encoded() for one in events(before + behind)] == [one.encoded() for one in said]
    for event in said:
        told = event.performance
        assert told is not None
        assert told.now is None or math.isfinite(told.now)
