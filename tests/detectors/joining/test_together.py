"""Several steps taken at once tell what they tell one by one, whatever ids come in more than one of them, or leave meanwhile."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.joining import Outcome
from driftbus.detectors.joining.joiner import Joiner
from driftbus.detectors.joining.together import meetings, together

from .logs import Event, in_words, joiner, labels_of, log, predictions_of

BLOCKS, LOGS = 2, 25


def at_once(draw: random.Random, events: list[Event]) -> Iterator[list[Event]]:
    """Takes that follow each other, at random together; what is said of completeness between them is left out, for they say it."""
    found: list[Event] = []
    for event in events:
        if event.what == "ended":
            yield found
            yield [event]
            found = []
        elif event.what == "take":
            found.append(event)
            if draw.random() < 0.1:
                yield found
                found = []
    yield found


def told(folded: Joiner, events: list[Event]) -> list[Outcome]:
    if not events:
        return []
    if events[0].what == "ended":
        return folded.ended(events[0].time)
    ends = [event.time for event in events]
    at, labels_at = (
        np.repeat(ends, [len(rows) for rows in sides])
        for sides in ([event.predictions for event in events], [event.labels for event in events])
    )
    predictions = np.concatenate([predictions_of(event.predictions) for event in events])
    labels = np.concatenate([labels_of(event.labels) for event in events])
    return folded.take_all(ends, predictions, at, labels, labels_at)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_it_is_as_one_by_one(block: int) -> None:
    for number in range(LOGS):
        made = log(f"together/{block}/{number}", uneven=number % 3 == 0, ids=60 if number % 2 else 150)
        draw, one_by_one, folded = random.Random(number), joiner(made.join), joiner(made.join)
        for events in at_once(draw, made.events):
            expected = [in_words(outcome) for event in events for outcome in told(one_by_one, [event])]
            assert [in_words(outcome) for outcome in told(folded, events)] == expected, (block, number)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 6)), max_size=30),
    st.sets(st.integers(1, 6), min_size=1),
    st.integers(0, 7),
    st.integers(0, 7),
)
def test_no_id_is_in_two_of_them(rows: list[tuple[int, int, int]], ends: set[int], behind: int, last: int) -> None:
    hi, lo, times = (np.array([row[place] for row in rows], dtype=np.int64) for place in range(3))
    left = sorted(end for end in ends if end > behind)
    if not left:
        return
    count = together(left, behind, last, meetings(hi.astype(np.uint64), lo.astype(np.uint64), times))
    taken = left[:count]
    assert count == 1 or taken[-1] <= last
    if count > 1:
        met: dict[tuple[int, int], set[int]] = {}
        for high, low, time in rows:
            if behind < time <= taken[-1]:
                met.setdefault((high, low), set()).add(time)
        assert all(len(each) == 1 for each in met.values())
