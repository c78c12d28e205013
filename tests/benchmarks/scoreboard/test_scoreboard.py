"""A tenth of the scoreboard on three cells, with our product and with the originals that every developer has; and its page."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from river import drift as river_drift
from scipy import stats

from driftbus.detectors.counting import Counting
from driftbus.detectors.episodes.step import Bucket, start, step
from driftbus.schemas.stored.reference import Reference

from . import ours, streams
from .cells import KEPT_REFERENCES, QUIET, SECTIONS, Figures
from .measuring import delays, end_of_pane, quiet_runs
from .rules import ADWIN, OURS, OURS_PANES, PAGE_HINKLEY, TUMBLING_KS, WINDOW, Rule
from .run import RESULTS
from .streams import CHANGES, RUNS, TARGET, Change
from .writing import DOCUMENT, document, figures

Floats = NDArray[np.float64]
drift: Any = river_drift  # not all of it is typed

#: A shift, a change of variance, and rows in which nothing changes.
CELLS = (CHANGES[1], CHANGES[3])
#: Of the references' runs: those that the results keep row by row.
TENTH = KEPT_REFERENCES
#: By how much a tenth may differ by chance from the whole.
LESS, MORE = 0.6, 1.6


@pytest.fixture(scope="module")
def kept() -> Figures:
    """What the last full run measured."""
    return figures(RESULTS)


def buckets(reference: Reference, rows: Floats, pane: int) -> Iterator[Bucket]:
    """What a profiler would count of rows, of which some are null, a second each."""
    counting = Counting(reference)
    for begin in range(0, len(rows) // pane * pane, pane):
        counts, sums = counting.count(rows[begin : begin + pane, None], [])
        yield Bucket(begin * 1000, (begin + pane) * 1000, pane, 0, counts, sums, True, False)


@pytest.mark.parametrize("pane", [1, 50])
@pytest.mark.parametrize("change", [CHANGES[0], CHANGES[8]], ids=lambda change: change.name)
def test_the_fold_is_the_products_step(pane: int, change: Change) -> None:
    reference = ours.reference_of(ours.numeric("f0", streams.reference(0)))
    tests, rows = ours.suite_of(reference, "both"), streams.changed(0, change, 2, rows=3_000)[0][0]
    state, alarm = start(tests, 0), len(rows)
    for bucket in buckets(reference, rows, pane):
        state, events = step(tests, state, bucket)
        if events:
            alarm = bucket.end // 1000 - 1
            break
    assert 2_000 <= alarm < len(rows)
    assert ours.Ours(tests).first(rows[None], tests.budget_seconds, pane) == alarm


def alarms_of_tumbling_ks(reference: Floats) -> Callable[[Floats, float], int]:
    """The first window that scipy finds as far from the reference."""

    def first(rows: Floats, threshold: float) -> int:
        for end in range(WINDOW, len(rows) + 1, WINDOW):
            if stats.ks_2samp(rows[end - WINDOW : end], reference, method="asymp").statistic >= threshold:
                return end - 1
        return len(rows)

    return first


def alarms_of(make: Callable[[float], Any]) -> Callable[[Floats], Callable[[Floats, float], int]]:  # river's are not typed
    """The first alarm of one of river's detectors, which saw the reference before."""

    def prepared(reference: Floats) -> Callable[[Floats, float], int]:
        def first(rows: Floats, threshold: float) -> int:
            detector = make(threshold)
            for row in reference.tolist():
                detector.update(row)
            for place, row in enumerate(rows.tolist()):
                detector.update(row)
                if detector.drift_detected:
                    return place
            return len(rows)

        return first

    return prepared


@pytest.mark.parametrize(
    ("rule", "original"),
    [
        (ADWIN, alarms_of(lambda h: drift.ADWIN(delta=10.0**-h))),
        (PAGE_HINKLEY, alarms_of(lambda h: drift.PageHinkley(threshold=h))),
        (TUMBLING_KS, alarms_of_tumbling_ks),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else "",
)
def test_originals_raise_the_alarms_that_are_kept(
    kept: Figures, rule: Rule, original: Callable[[Floats], Callable[[Floats, float], int]]
) -> None:
    cells = kept["single"][rule.name]
    runs = range(RUNS)
    for number in range(TENTH):
        first = original(streams.reference(number))
        quiet = streams.quiet(number)
        for run in runs:
            at = first(quiet[run], cells["threshold"])
            assert cells[QUIET]["1"]["kept"][number][run] == (at + 1 if at < len(quiet[run]) else 0)
        for change in CELLS:
            rows, starts = streams.changed(number, change)
            for run in runs:
                at, begin = first(rows[run], cells["threshold"]), int(starts[run])
                assert cells["delays"][change.name]["50"]["kept"][number][run] == (end_of_pane(at, 50) - begin if at >= begin else 0)


@pytest.mark.parametrize("rule", [OURS, OURS_PANES], ids=lambda rule: rule.name)
def test_ours_is_as_good_as_the_page_says(kept: Figures, rule: Rule) -> None:
    cells, world = kept["single"][rule.name], next(s.world for s in SECTIONS if s.name == "single").of(TENTH)
    at, pane = [(rule, cells["threshold"])], str(rule.pane)
    (runs,) = quiet_runs(at, world)
    assert runs.arl > LESS * TARGET
    for change in CELLS:
        (found,) = delays(at, world, change, 50)
        assert found[rule.pane].alarms > world.references * world.runs / 2
        assert found[rule.pane].by_reference().mean() < MORE * cells["delays"][change.name][pane]["mean"]


def test_the_page_is_made_of_what_was_measured(kept: Figures) -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(kept)
