"""``clock: live`` under kills: the wall clock completes buckets, and still every row is counted once, in a bucket evaluated once."""

from itertools import pairwise

import pytest

from driftbus.consumers.streams.align import Aligned, Aligner
from driftbus.consumers.streams.buckets import Every
from driftbus.consumers.streams.high_water import NEWEST
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane

from . import live
from .conftest import LIVE_KILLS, Runs
from .outcome import Input
from .run import Run
from .world import PARTITIONS, POISON, YEAR_MS

pytestmark = pytest.mark.kafka


def evaluated(run: Run) -> list[list[Aligned]]:
    """The buckets that the published summaries make ready, by partition of the summaries."""
    patience = Configuration.model_validate(live.settings("nowhere:1", "artifacts")).streams["predictions"].patience
    aligners = [Aligner(Every(live.PANE_MS), patience) for _ in run.outcome.summaries]
    return [
        [ready for one in arrived for ready in aligner.feed(*one)] for aligner, arrived in zip(aligners, run.outcome.summaries, strict=True)
    ]


def surely_late(log: list[Input]) -> int:
    """Rows whose bucket had been completed by what five rows in a row had reached; single ones and the clock may have completed others."""
    waters, late = dict.fromkeys(range(PARTITIONS), 0), 0
    newest: dict[int, list[int]] = {partition: [] for partition in range(PARTITIONS)}
    for partition, _, time, value in log:
        if time > log[0].timestamp + YEAR_MS // 2:
            continue  # of a wrong clock
        newest[partition] = [*newest[partition], time][-NEWEST:]
        if len(newest[partition]) == NEWEST:
            waters[partition] = max(waters[partition], min(newest[partition]))
        late += value not in POISON and time // live.PANE_MS < (waters[partition] - live.GRACE_MS) // live.PANE_MS
    return late


def test_every_good_row_is_in_one_evaluated_bucket(runs: Runs) -> None:
    run = runs.live.result()
    assert run.kills == LIVE_KILLS
    buckets = evaluated(run)
    panes = [pending.pane for partition in buckets for ready in partition for pending in ready.panes]
    assert sum(pane.rows for pane in panes) == runs.traffic.good
    assert len({pane.id for pane in panes}) == len(panes) == len(run.outcome.panes)
    assert sum(pane.late for pane in panes) >= surely_late(run.outcome.input) > 0
    assert any(ready.clock_decided for partition in buckets for ready in partition)


def test_no_bucket_is_evaluated_twice_or_out_of_order(runs: Runs) -> None:
    for partition in evaluated(runs.live.result()):
        assert all(before.end < after.end for before, after in pairwise(partition))


def test_runs_of_the_log_follow_one_another(runs: Runs) -> None:
    """Whoever cut them, before and after a death: no record is in two runs."""
    runs_of: dict[int, set[tuple[int, int]]] = {}
    for _, value in runs.live.result().outcome.panes:
        pane = Pane.decoded(value)
        runs_of.setdefault(pane.partition, set()).add((pane.first, pane.last))
    assert len(runs_of) == 4
    for cut in runs_of.values():
        assert all(before[1] < after[0] for before, after in pairwise(sorted(cut)))


def test_the_published_events_are_what_the_summaries_lead_to(runs: Runs) -> None:
    left = runs.live.result().outcome
    assert left.again == left.events
    assert {"m0", "unknown"} <= left.events.keys()
