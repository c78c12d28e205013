"""Which episode an alarm belongs to, how severe it is, and when a signal has returned."""

import msgspec
import numpy as np
import pytest

from driftbus.detectors.episodes.episode import Episode, EventIdentity, Suspect, joined, new_episode
from driftbus.detectors.episodes.windows import Bucket, Windows

from .worlds import SECONDS, bucket_of, compiled_for, counts_of, numeric_field, reference_of

REFERENCE = reference_of(numeric_field("a", np.random.default_rng(4).normal(size=5000)))
MEASURES = compiled_for(REFERENCE).measures
IDENTITY = EventIdentity("watch", "scored", "fraud", "1", "sha256:r", "sha256:c", "1 per 30d")
LENGTH = SECONDS * 1000


def _bucket(number: int, shift: float = 0.0, rows: int = 200) -> Bucket:
    values = np.random.default_rng(number).normal(size=rows) + shift
    return bucket_of(number, counts_of(REFERENCE, {"a": values}, rows), rows)


def _episode(opening: int, onset: int) -> Episode:
    return Episode(f"opened at {opening}", opening * LENGTH, onset * LENGTH)


def test_an_alarm_joins_the_latest_episode_that_opened_close_to_its_onset() -> None:
    now = _bucket(100)
    early, late = _episode(50, 48), _episode(90, 70)
    assert joined([early, late], 60 * LENGTH, now) is late
    assert joined([late, early], 52 * LENGTH, now) is late
    assert joined([early], 52 * LENGTH, now) is early  # two buckets behind its opening
    assert joined([early], 53 * LENGTH, now) is None
    assert joined([late], 99 * LENGTH, now) is late  # it took 20 buckets to open: those that follow may be as slow
    assert joined([], 52 * LENGTH, now) is None


def _opened(shift: float) -> tuple[Episode, Windows]:
    windows = Windows()
    for number in range(4):
        bucket = _bucket(number, shift if number == 3 else 0.0)
        windows.add(bucket, bucket.counts)
    episode = new_episode(IDENTITY, _bucket(3), 3 * LENGTH)
    counts = windows.since(3 * LENGTH).counts
    episode.blame([Suspect(0, 1.0, "mean up", 20.0, counts, MEASURES[0].rows(counts))], MEASURES, 4 * LENGTH)
    episode.raise_severity()
    return episode, windows


def _judged(episode: Episode, windows: Windows, bucket: Bucket) -> list[int]:
    windows.add(bucket, bucket.counts)
    return episode.judge(windows, np.array([200, 200]), MEASURES)[0]


def test_a_signal_returns_on_ten_times_the_rows_it_was_found_with() -> None:
    episode, windows = _opened(2.0)
    returned_at = next(number for number in range(4, 40) if _judged(episode, windows, _bucket(number)))
    assert 4 + 10 - 1 <= returned_at <= 4 + 20
    assert not episode.open
    assert episode.followed[0].shown.rows >= 2000


def test_a_signal_stays_while_its_effect_is_important_or_half_of_what_it_was() -> None:
    episode, windows = _opened(2.0)
    assert not any(_judged(episode, windows, _bucket(number, 0.6)) for number in range(4, 60))
    small, windows = _opened(0.25)
    assert small.followed[0].opening < 2
    assert not any(_judged(small, windows, _bucket(number, 0.18)) for number in range(4, 60))


def test_what_was_small_when_it_was_told_and_grew_returns_too() -> None:
    episode, windows = _opened(0.0)
    assert not any(_judged(episode, windows, _bucket(number, 2.0)) for number in range(4, 20))
    assert any(_judged(episode, windows, _bucket(number)) for number in range(20, 60))


def test_the_memory_s_end_stands_in_for_rows_that_do_not_fit() -> None:
    episode, windows = _opened(2.0)
    episode.followed[0].needed = 10**9
    assert not any(_judged(episode, windows, _bucket(number)) for number in range(4, 60))
    windows.runs = [run for run in windows.runs if run.start >= 5 * LENGTH]  # as if they had been forgotten
    assert _judged(episode, windows, _bucket(60)) == [0]


@pytest.mark.parametrize(("ratio", "severity"), [(0.99, "minor"), (1.0, "moderate"), (2.5, "major")])
def test_severity_follows_the_largest_ratio(ratio: float, severity: str) -> None:
    episode, _ = _opened(0.0)
    episode.followed[0].ratio, episode.severity = ratio, "minor"
    assert episode.raise_severity() == (severity != "minor")
    assert episode.severity == severity
    episode.followed[0].ratio = 0.0
    assert not episode.raise_severity()
    assert episode.severity == severity


def test_ids_and_sequences_name_an_event() -> None:
    episode, _ = _opened(2.0)
    again, _ = _opened(2.0)
    events = [episode.event(IDENTITY, "opened", (0, LENGTH), complete=True, clock_decided=False) for _ in range(2)]
    assert events[0].episode == events[1].episode == again.id
    assert [event.sequence for event in events] == [0, 1]
    assert events[0].id != events[1].id
    assert new_episode(IDENTITY, _bucket(4), 0).id != episode.id


def test_an_episode_travels_as_plain_numbers() -> None:
    episode, windows = _opened(1.0)
    restored = Episode.decoded(msgspec.msgpack.decode(msgspec.msgpack.encode(episode.encoded())))
    assert restored == episode
    assert _judged(restored, windows, _bucket(4)) == []
