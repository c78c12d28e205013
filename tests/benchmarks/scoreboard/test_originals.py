"""What was written anew raises the alarms of its original. Peers that are not installed here are checked by ``make scoreboard``."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from river import drift as river_drift
from river.drift import binary as river_binary
from scipy import stats
from scipy.spatial.distance import jensenshannon

from . import sequential, windowed
from .rules import histogram, histogram_bins, js_distance, kswin_p_values

Floats = NDArray[np.float64]
drift: Any = river_drift  # not all of it is typed
binary: Any = river_binary

ROWS = 10_000
RNG = np.random.default_rng(1)
#: Rows that change in mean, in variance and in both, and errors that come and go: with alarms of every kind.
VALUES = np.concatenate([RNG.normal(mean, sd, ROWS // 4) for mean, sd in ((0, 1), (0.5, 1), (0, 2), (3, 1))])
ERRORS = (RNG.random(ROWS) < np.repeat([0.1, 0.3, 0.1, 0.5], ROWS // 4)).astype(np.float64)
NOTHING = np.zeros(0)


def alarms(first: Callable[[Floats], int], rows: Floats) -> list[int]:
    """All rows with an alarm, of a rule that starts anew behind each."""
    found, begin = [], 0
    while (at := first(rows[begin:])) < len(rows) - begin:
        found.append(begin + at)
        begin += at + 1
    return found


def alarms_of(detector: Any, rows: Floats) -> list[int]:  # river's detectors share no typed base
    """The same of river's."""
    found = []
    for place, row in enumerate(rows.tolist()):
        detector.update(row)
        if detector.drift_detected:
            found.append(place)
    return found


@pytest.mark.parametrize(
    ("original", "anew", "rows"),
    [
        (drift.ADWIN(), lambda rows: sequential.adwin(NOTHING, rows, -np.log10(0.002), 32), VALUES),
        (drift.ADWIN(delta=0.2, clock=1), lambda rows: sequential.adwin(NOTHING, rows, -np.log10(0.2), 1), VALUES),
        (drift.ADWIN(delta=0.9), lambda rows: sequential.adwin(NOTHING, rows, -np.log10(0.9), 32), ERRORS),
        (drift.PageHinkley(), lambda rows: sequential.page_hinkley(NOTHING, rows, 50.0, 0.005), VALUES),
        (drift.PageHinkley(threshold=10), lambda rows: sequential.page_hinkley(NOTHING, rows, 10.0, 0.005), VALUES),
        (binary.DDM(), lambda rows: sequential.ddm(NOTHING, rows, 3.0), ERRORS),
        (binary.EDDM(), lambda rows: sequential.eddm(NOTHING, rows, 0.1), ERRORS),
        (binary.HDDMA(), lambda rows: sequential.hddm_a(NOTHING, rows, 3.0), ERRORS),
        (binary.HDDMW(), lambda rows: sequential.hddm_w(NOTHING, rows, 3.0), ERRORS),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, np.ndarray) else "",
)
def test_rivers_detectors(original: Any, anew: Callable[[Floats], int], rows: Floats) -> None:  # river's are not typed
    expected = alarms_of(original, rows)
    assert len(expected) > 1
    assert alarms(anew, rows) == expected


def test_a_history_is_the_beginning_of_the_stream() -> None:
    before, behind = VALUES[:4_000], VALUES[4_000:]
    expected = next(at for at in alarms_of(drift.ADWIN(), VALUES) if at >= 4_000)
    assert sequential.adwin(before, behind, -np.log10(0.002), 32) == expected - 4_000


def test_kswin() -> None:
    chooser = random.Random(7)
    chosen = np.array([chooser.sample(range(70), 30) for _ in range(ROWS)])  # it begins anew with its seed behind every alarm
    expected = alarms_of(drift.KSWIN(alpha=0.005, seed=7), VALUES)
    assert expected
    assert alarms(lambda rows: windowed.kswin(rows, chosen, kswin_p_values(), -np.log10(0.005)), VALUES) == expected


def ends_at(statistic: float, rule: Callable[..., int], *before: object, rows: Any, window: int) -> bool:  # rows, ranks or bins
    """Whether a rule, given one window's rows, ends to alarm exactly at this threshold."""
    return rule(*before, rows, statistic - 1e-9, window) < window and rule(*before, rows, statistic + 1e-9, window) == window


def test_kolmogorov_smirnov() -> None:
    reference, window = np.sort(RNG.normal(size=1_000)), 512
    ranks = np.searchsorted(reference, VALUES)
    distances = [stats.ks_2samp(VALUES[end - window : end], reference).statistic for end in range(window, ROWS + 1, 32)]
    for place in range(0, len(distances), 16):
        own = ranks[place * 32 : place * 32 + window]
        assert ends_at(distances[place], windowed.sliding_ks, 1_000, rows=own, window=window)
        assert ends_at(distances[place], windowed.tumbling_ks, 1_000, rows=own, window=window)
    # Sliding: no distance before an alarm reaches the threshold.
    at = windowed.sliding_ks(1_000, ranks, 0.2, window)
    assert stats.ks_2samp(VALUES[at + 1 - window : at + 1], reference).statistic >= 0.2 - 1e-12
    assert all(stats.ks_2samp(VALUES[end - window : end], reference).statistic < 0.2 for end in range(window, at + 1, 5))


def test_wasserstein() -> None:
    reference = np.sort(RNG.normal(size=3_000))
    for begin in range(0, ROWS, 1_000):
        rows = VALUES[begin : begin + 1_000]
        sd = float(np.std(reference))
        expected = stats.wasserstein_distance(reference, rows) / sd
        assert ends_at(expected, windowed.tumbling_wasserstein, reference, sd, rows=rows, window=1_000)


def test_jensen_shannon() -> None:
    reference = RNG.normal(size=10_000)
    edges, shares = histogram(reference)
    for begin in range(0, ROWS, 1_000):
        rows = VALUES[begin : begin + 1_000]
        inside = np.histogram(rows, bins=edges)[0] / len(rows)
        expected = jensenshannon(shares, np.append(inside, 1 - inside.sum()), base=2)
        bins = histogram_bins(edges, rows)
        assert js_distance(shares, np.bincount(bins, minlength=len(shares)) / len(rows)) == pytest.approx(expected)
        assert ends_at(expected, windowed.tumbling_js, shares, rows=bins, window=1_000)


def test_cramer_von_mises() -> None:
    online = pytest.importorskip("alibi_detect.cd", exc_type=ImportError)
    reference, windows = RNG.normal(size=500), [16, 64]
    detector = online.CVMDriftOnline(reference, ert=150, window_sizes=windows, n_bootstraps=1_000, verbose=False)
    ranks = np.searchsorted(np.sort(reference), VALUES)
    highest, checked = -np.inf, 0
    for place, row in enumerate(VALUES):
        statistics = detector.score(np.array([row]))[:, 0]
        if place + 1 >= windows[0] and (largest := float(np.nanmax(statistics))) > highest:
            highest, checked = largest, checked + 1
            assert windowed.sliding_cvm(500, ranks, highest - 1e-3, np.array(windows)) <= place
            assert windowed.sliding_cvm(500, ranks[: place + 1], highest + 1e-3, np.array(windows)) == place + 1
    assert checked > 10


def test_fisher() -> None:
    online = pytest.importorskip("alibi_detect.cd", exc_type=ImportError)
    reference, windows, rows = ERRORS[:500], [16, 64], ERRORS[500:4_000]
    detector = online.FETDriftOnline(reference, ert=150, window_sizes=windows, n_bootstraps=1_000, verbose=False)
    seen = np.arange(65)
    p_values = np.stack([stats.hypergeom.cdf(reference.sum(), 500 + w, reference.sum() + seen, 500) for w in windows])
    least = 1.0
    for place, row in enumerate(rows):
        detector.predict(np.array([row == 1]))
        p = 1 - float(np.nanmax(detector.test_stats[-1])) if place + 1 >= windows[0] else 1.0
        if 1e-3 < p < least * 0.97:  # nearer to 1 its statistic is rounded to single precision
            least = p
            assert windowed.sliding_fet(p_values, rows, -np.log10(least * 1.01), np.array(windows)) <= place
            assert windowed.sliding_fet(p_values, rows[: place + 1], -np.log10(least * 0.99), np.array(windows)) == place + 1


@pytest.mark.parametrize(("name", "threshold", "settings"), [("CUSUM", 50.0, (1.0, 1.0, 0.005)), ("GMA", 0.3, (0.99, 1 - 0.99, -1.0))])
def test_frouros(name: str, threshold: float, settings: tuple[float, float, float]) -> None:
    kind = pytest.importorskip("frouros.detectors.concept_drift", exc_type=ImportError)
    detector = (
        kind.CUSUM()
        if name == "CUSUM"
        else kind.GeometricMovingAverage(config=kind.GeometricMovingAverageConfig(alpha=0.99, lambda_=threshold))
    )
    expected = []
    for place, row in enumerate(VALUES.tolist()):
        detector.update(value=row)
        if detector.drift:
            expected.append(place)
            detector.reset()
    assert expected
    assert alarms(lambda rows: sequential.running_sum(NOTHING, rows, threshold, *settings), VALUES) == expected


@pytest.mark.parametrize("threshold", [5.0, 20.0, 80.0])
def test_menelaus(threshold: float) -> None:
    kind = pytest.importorskip("menelaus.change_detection", exc_type=ImportError)
    detector = kind.CUSUM(target=0.0, sd_hat=1.0, threshold=threshold)
    for place, row in enumerate(VALUES):
        detector.update(X=np.array([[row]]))
        if detector.drift_state == "drift":
            assert sequential.two_sums(0.0, 1.0, VALUES, threshold) == place
            return
    pytest.fail("there was no alarm to compare")
