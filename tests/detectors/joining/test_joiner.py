"""The joiner against the oracle, over random logs; and what is left of it when it has forgotten all but a bounded past."""

from collections import Counter

import pytest

from ...oracle import labels as oracle
from ...oracle import streams
from .logs import Event, Log, Uneven, fold, fold_by_oracle, joiner, log

#: Logs of each test; of both kinds of buckets together more than three hundred.
BLOCKS, LOGS = 8, 40
#: Of a log, at which a joiner begins anew.
MOMENTS = 4


@pytest.mark.parametrize("block", range(BLOCKS))
def test_it_is_the_oracle(block: int) -> None:
    for number in range(LOGS):
        join, events = log(f"{block}/{number}", uneven=number % 3 == 0)
        told, expected = fold(joiner(join), events), fold_by_oracle(oracle.Joiner(join), events)
        for event, mine, its in zip(events, told, expected, strict=True):
            assert mine == its, (block, number, event.what, event.time)


def test_the_logs_hold_what_they_should() -> None:
    """Else equality proves little: nothing of the rules goes untried."""
    names = Counter[str]()
    for number in range(LOGS):
        join, events = log(f"0/{number}")
        for outcomes in fold_by_oracle(oracle.Joiner(join), events):
            names.update(name for outcome in outcomes for name, by in outcome.sums if outcome.about is not None)
            names.update(f"first: {join.maturity is None}" for outcome in outcomes if outcome.about is None and "n" in dict(outcome.sums))
            names.update("taken back" for outcome in outcomes if outcome.about is not None for name, by in outcome.sums if by < 0)
    expected = (
        "predicted",
        "duplicates",
        "expired",
        "unmatched",
        "n",
        "errors",
        "delays",
        "due",
        "taken back",
        "first: True",
        "first: False",
    )
    assert min(names[name] for name in expected) > LOGS


def test_nothing_is_told_of_a_bucket_that_was_said_to_be_over() -> None:
    for number in range(LOGS):
        join, events = log(f"time/{number}")
        over = -streams.NEVER
        for event, outcomes in zip(events, fold(joiner(join), events), strict=True):
            if event.what == "ended":  # what was there is told, though it was not over, in the last bucket that there was
                assert all(outcome.bucket >= over for outcome in outcomes), (number, event.what, event.time)
                break
            assert all(outcome.bucket > over for outcome in outcomes), (number, event.what, event.time)
            over = max(over, event.time if event.what == "passed" else -streams.NEVER)


def memory(join: oracle.Join) -> int:
    """What lies so long behind does not show."""
    assert isinstance(join.buckets, streams.Every)
    assert isinstance(join.revise, streams.Every)
    return 2 * join.wait + join.early + join.revise.length + 3 * join.buckets.length


def restored(made: Log, remembers: int) -> tuple[int, int]:
    """An empty joiner at moments of the log, folded on: how many of them, and how many differ from the one that never died."""
    join, events = made
    whole = fold(joiner(join), events)
    times = through(join, events)
    tried = differ = 0
    for begin in range(len(times) % MOMENTS, len(times), max(len(times) // MOMENTS, 1)):
        since = times[begin]
        first = next((i for i in range(begin + 1, len(times)) if times[i] - since >= remembers), None)
        if first is not None:
            told = fold(joiner(join, since), events[begin + 1 :])
            tried += 1
            differ += told[first - begin :] != whole[first + 1 :]
    return tried, differ


def through(join: oracle.Join, events: list[Event]) -> list[int]:
    """Behind each event, the bucket through which all has been evaluated."""
    times, now = [], -streams.NEVER
    for event in events:
        now = max(now, join.buckets.start(event.time))
        times.append(now)
    return times


def test_an_empty_one_becomes_it_from_a_bounded_past() -> None:
    tried = 0
    for number in range(40):
        made = log(f"past/{number}")
        moments, differ = restored(made, memory(made.join))
        assert not differ, (number, differ)
        tried += moments
    assert tried > 80


@pytest.mark.parametrize("forgets", ["the other wait", "early, a revision, and three buckets"])
def test_no_less_of_the_past_will_do(forgets: str) -> None:
    """A row needs its own wait, and another to know whether it counts."""
    for number in range(100):
        made = log(f"past/{number}")
        join = made.join
        if restored(made, memory(join) - join.wait if forgets == "the other wait" else 2 * join.wait)[1]:
            return
    pytest.fail("the past need not be so long")


def test_uneven_buckets_tile_time() -> None:
    tiling, time = Uneven(), 0
    for _ in range(20):
        assert tiling.start(time) == time == tiling.start(tiling.end(time) - 1)
        time = tiling.end(time)
