"""Everybody on the scoreboard, behind one form: from a reference, a function that finds the first alarm at a threshold."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from . import ours, sequential, windowed
from .streams import Change

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
#: The row of the first alarm in rows [feature, row] at this threshold, or the number of rows.
First = Callable[[Floats, float], int]

#: Of the sliding KS test and of the tumbling ones, of Evidently's and NannyML's batches, of alibi-detect's sliding windows.
WINDOW, BATCH = 512, 1_000
SLIDING = np.array([32, 128, 512])
_DRAWS = 1_000


@dataclass(frozen=True)
class Rule:
    """A detector with one threshold: the higher, the fewer alarms."""

    name: str
    package: str  #: empty for ours and for the bound
    threshold: str  #: what is tuned
    low: float  #: less than any threshold that is sought
    high: float
    default: float | None  #: what its users get, if they are told
    of: Callable[[Floats], First]  #: from the reference's rows [feature, row]
    pane: int = 1  #: rows that it takes at a time
    note: str = ""
    knows: str = ""  #: the change that a bound is told


def each(of: Callable[[Floats], Callable[[Floats, float], int]]) -> Callable[[Floats], First]:
    """A rule for one series watches every feature by itself, as its users do; the first alarm of any counts. Nulls are dropped."""

    def prepared(reference: Floats) -> First:
        singles = [of(column) for column in reference]

        def first(rows: Floats, threshold: float) -> int:
            at = int(rows.shape[1])
            for single, column in zip(singles, rows, strict=True):
                present = np.flatnonzero(np.isfinite(column[:at]))
                found = single(column[present], threshold)
                at = int(present[found]) if found < len(present) else at
            return at

        return first

    return prepared


def learning(rule: Callable[..., int], *settings: float) -> Callable[[Floats], First]:
    """A rule that sees the reference as the beginning of its stream."""
    return each(lambda reference: lambda rows, threshold: rule(reference, rows, threshold, *settings))


def _ranked(rule: Callable[..., int], setting: int | Integers) -> Callable[[Floats], First]:
    def of(reference: Floats) -> Callable[[Floats, float], int]:
        ordered = np.sort(reference)
        return lambda rows, threshold: rule(len(ordered), np.searchsorted(ordered, rows), threshold, setting)

    return each(of)


def _kswin(reference: Floats) -> Callable[[Floats, float], int]:
    rng = np.random.default_rng(0)
    chosen = np.stack([rng.permutation(70)[:30] for _ in range(_DRAWS)])
    p_values = kswin_p_values()
    return lambda rows, threshold: windowed.kswin(np.concatenate((reference[-99:], rows)), chosen, p_values, threshold) - 99


def kswin_p_values() -> Floats:
    """Of two times 30 rows at every distance in thirtieths, as scipy's ks_2samp gives them."""
    thirty = np.arange(30.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where its exact p-value cannot be told, it takes the asymptotic one
        return np.array([stats.ks_2samp(thirty, thirty + (k - 0.5 if k else 0.0)).pvalue for k in range(31)])


def _wasserstein(reference: Floats) -> Callable[[Floats, float], int]:
    ordered, sd = np.sort(reference), max(float(np.std(reference)), 0.001)
    return lambda rows, threshold: windowed.tumbling_wasserstein(ordered, sd, rows, threshold, BATCH)


def histogram(reference: Floats) -> tuple[Floats, Floats]:
    """NannyML's bins of a continuous reference (numpy's by Doane's rule), and their shares, a last one of 0 for what lies outside."""
    edges = np.histogram_bin_edges(reference, bins="doane")
    return edges, np.append(np.histogram(reference, bins=edges)[0] / len(reference), 0.0)


def histogram_bins(edges: Floats, rows: Floats) -> Integers:
    """The bin of each row, as numpy's histogram counts: the last edge belongs to the last bin."""
    places = np.searchsorted(edges, rows, side="right") - 1
    places[rows == edges[-1]] = len(edges) - 2
    return np.where(places < 0, len(edges) - 1, places)


def _js(reference: Floats) -> Callable[[Floats, float], int]:
    """Its threshold is in standard deviations of the reference's own chunks above their mean, 3 by default."""
    edges, shares = histogram(reference)
    chunks = reference[: len(reference) // BATCH * BATCH].reshape(-1, BATCH)
    own = np.array([js_distance(shares, np.bincount(histogram_bins(edges, chunk), minlength=len(shares)) / BATCH) for chunk in chunks])
    mean, sd = float(own.mean()), float(own.std())
    return lambda rows, threshold: windowed.tumbling_js(shares, histogram_bins(edges, rows), mean + threshold * sd, BATCH)


def js_distance(p: Floats, q: Floats) -> float:
    """Jensen-Shannon distance, base 2."""
    middle = (p + q) / 2
    divergence = sum(float((a[a > 0] * np.log2(a[a > 0] / middle[a > 0])).sum()) for a in (p, q)) / 2
    return float(np.sqrt(max(divergence, 0.0)))


def _two_sums(reference: Floats) -> Callable[[Floats, float], int]:
    mean, sd = float(np.mean(reference)), float(np.std(reference))
    return lambda rows, threshold: sequential.two_sums(mean, sd, rows, threshold)


def _fet(reference: Floats) -> Callable[[Floats, float], int]:
    n, errors = len(reference), int(reference.sum())
    p_values = np.ones((len(SLIDING), SLIDING.max() + 1))
    for k, window in enumerate(SLIDING):
        seen = np.arange(window + 1)
        p_values[k, : window + 1] = stats.hypergeom.cdf(errors, n + window, errors + seen, n)
    return lambda rows, threshold: windowed.sliding_fet(p_values, rows, threshold, SLIDING)


def _ours(pane: int, errors: bool = False) -> Callable[[Floats], First]:
    def of(reference: Floats) -> First:
        field, direction = (ours.boolean, "up") if errors else (ours.numeric, "both")
        fields = (field(f"f{place}", rows) for place, rows in enumerate(reference))
        model = ours.Ours(ours.suite_of(ours.reference_of(*fields), direction))
        return lambda rows, threshold: model.first(rows, threshold, pane)

    return of


def _adwin(clock: int) -> Callable[[Floats], First]:
    return learning(sequential.adwin, clock)


def bound(change: Change) -> Rule:
    """The CUSUM that is told both laws of one change, and in which direction it goes."""
    ratio = change.log_ratio
    assert ratio is not None
    of = partial(_told, ratio)
    return Rule(f"both laws known: {change.name}", "", "log likelihood ratio", 0.5, 25.0, None, of, knows=change.name)


def _told(ratio: Callable[[Floats], Floats], reference: Floats) -> First:
    return lambda rows, threshold: sequential.cusum(ratio(rows[0]), threshold)


OURS = Rule("driftbus", "", "budget", 30.0, 300_000.0, 10_000.0, _ours(1))
OURS_PANES = Rule("driftbus, panes of 50", "", "budget", 30.0, 300_000.0, 10_000.0, _ours(50), pane=50)
ADWIN = Rule("ADWIN", "river", "-log10 delta", 0.0, 12.0, -np.log10(0.002), _adwin(32))
PAGE_HINKLEY = Rule("Page-Hinkley", "river", "threshold", 1.0, 2_000.0, 50.0, learning(sequential.page_hinkley, 0.005))
CVM = Rule("CVM online, windows 32, 128, 512", "alibi-detect", "statistic", 1.0, 60.0, None, _ranked(windowed.sliding_cvm, SLIDING))
SLIDING_KS = Rule("KS, sliding 512", "scipy", "distance", 0.02, 0.6, None, _ranked(windowed.sliding_ks, WINDOW))
TUMBLING_KS = Rule("KS, tumbling 512", "scipy", "distance", 0.02, 0.6, None, _ranked(windowed.tumbling_ks, WINDOW))
PEERS = (
    ADWIN,
    Rule("ADWIN, clock 1", "river", "-log10 delta", 0.0, 12.0, -np.log10(0.002), _adwin(1), note="looks at every row, not every 32nd"),
    PAGE_HINKLEY,
    Rule("KSWIN", "river", "-log10 alpha", 0.5, 14.0, -np.log10(0.005), each(_kswin)),
    CVM,
    Rule(
        "CUSUM",
        "frouros",
        "lambda",
        1.0,
        2_000.0,
        50.0,
        learning(sequential.running_sum, 1.0, 1.0, 0.005),
        note="sees increases only",
    ),
    Rule(
        "geometric moving average",
        "frouros",
        "lambda",
        0.01,
        3.0,
        1.0,
        learning(sequential.running_sum, 0.99, 1 - 0.99, -1.0),
        note="sees increases only",
    ),
    Rule("CUSUM, both directions", "menelaus", "threshold", 1.0, 2_000.0, 5.0, each(_two_sums)),
    SLIDING_KS,
    TUMBLING_KS,
    Rule("Wasserstein / sd, batches of 1,000", "Evidently's rule", "distance", 0.005, 3.0, 0.1, each(_wasserstein)),
    Rule("Jensen-Shannon, chunks of 1,000", "NannyML's rule", "sd of the reference's chunks", -5.0, 60.0, 3.0, each(_js)),
)
MANY = (ADWIN, PAGE_HINKLEY, CVM, SLIDING_KS)
OURS_ON_ERRORS = Rule("driftbus", "", "budget", 30.0, 300_000.0, 10_000.0, _ours(1, errors=True), note="sees increases only")
ON_ERRORS = (
    ADWIN,
    PAGE_HINKLEY,
    Rule("DDM", "river", "threshold", 0.5, 12.0, 3.0, learning(sequential.ddm)),
    Rule("EDDM", "river", "1 - beta", 0.02, 0.98, 0.1, learning(sequential.eddm)),
    Rule("HDDM_A", "river", "-log10 confidence", 0.05, 14.0, 3.0, learning(sequential.hddm_a)),
    Rule("HDDM_W", "river", "-log10 confidence", 0.05, 14.0, 3.0, learning(sequential.hddm_w)),
    Rule("Fisher online, windows 32, 128, 512", "alibi-detect", "-log10 p", 0.5, 12.0, None, each(_fet), note="sees increases only"),
)
