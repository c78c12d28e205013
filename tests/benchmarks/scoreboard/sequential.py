"""Rules that keep a running state, written anew from their descriptions and compiled; each is tested row by row against its original.

Every function returns the row of the first alarm in ``rows``, or their number. A rule that learns from the stream sees ``history`` (the
reference) first; an alarm there is not counted, but starts it anew as it would its user's.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .compiling import compiled

Floats = NDArray[np.float64]

_ROWS, _CELLS = 40, 6


@compiled
def adwin(history: Floats, rows: Floats, strictness: float, clock: int) -> int:
    """river's ADWIN at delta = 10 ** -strictness (Bifet and Gavalda, *Learning from time-changing data with adaptive windowing*, 2007)."""
    least, grace, delta = 5.0, 10.0, 10.0**-strictness
    totals, variances = np.zeros((_ROWS, _CELLS)), np.zeros((_ROWS, _CELLS))
    filled = np.zeros(_ROWS, dtype=np.int64)
    depth, width, total, variance, tick = 1, 0.0, 0.0, 0.0, 0
    for t in range(len(history) + len(rows)):
        x = history[t] if t < len(history) else rows[t - len(history)]
        totals[0, filled[0]], variances[0, filled[0]] = x, 0.0
        filled[0] += 1
        width += 1.0
        if width > 1.0:
            variance += (width - 1.0) * (x - total / (width - 1.0)) ** 2 / width
        total += x
        # Six buckets of one size: the two oldest become one of the next.
        size, row = 1.0, 0
        while filled[row] == _CELLS:
            depth = max(depth, row + 2)
            place, difference = filled[row + 1], totals[row, 0] / size - totals[row, 1] / size
            totals[row + 1, place] = totals[row, 0] + totals[row, 1]
            variances[row + 1, place] = variances[row, 0] + variances[row, 1] + size * size * difference * difference / (2.0 * size)
            filled[row + 1] += 1
            for cell in range(_CELLS - 2):
                totals[row, cell], variances[row, cell] = totals[row, cell + 2], variances[row, cell + 2]
            filled[row] -= 2
            size, row = 2.0 * size, row + 1
        tick += 1
        if tick % clock or width <= grace:
            continue
        n_old, sum_old, found = 0.0, 0.0, False
        log_term = math.log(2.0 * math.log(width) / delta)
        spread = variance / width
        for level in range(depth - 1, -1, -1):
            size = 2.0**level
            for cell in range(filled[level]):
                n_old += size
                sum_old += totals[level, cell]
                n_new = width - n_old
                if n_new >= least and n_old >= least:
                    inverse = 1.0 / (n_old - least + 1.0) + 1.0 / (n_new - least + 1.0)
                    bound = math.sqrt(2.0 * inverse * spread * log_term) + 2.0 / 3.0 * log_term * inverse
                    if abs(sum_old / n_old - (total - sum_old) / n_new) > bound:
                        found = True
                        break
            if found:
                break
        if found:
            if t >= len(history):
                return t - len(history)
            filled[:] = 0
            depth, width, total, variance, tick = 1, 0.0, 0.0, 0.0, 0
    return len(rows)


@compiled
def page_hinkley(history: Floats, rows: Floats, threshold: float, delta: float) -> int:
    """river's Page-Hinkley test, in both directions."""
    alpha = 1 - 0.0001
    n, mean, up, down, least, most = 0, 0.0, 0.0, 0.0, np.inf, -1.0
    for t in range(len(history) + len(rows)):
        x = history[t] if t < len(history) else rows[t - len(history)]
        n += 1
        mean += (x - mean) / n
        up = alpha * up + (x - mean) - delta
        down = alpha * down + (x - mean) + delta
        least, most = min(least, up), max(most, down)
        if n >= 30 and (up - least > threshold or most - down > threshold):
            if t >= len(history):
                return t - len(history)
            n, mean, up, down, least, most = 0, 0.0, 0.0, 0.0, np.inf, -1.0
    return len(rows)


@compiled
def running_sum(history: Floats, rows: Floats, threshold: float, keep: float, gain: float, delta: float) -> int:
    """frouros' CUSUM (keep 1, gain 1) and geometric moving average (keep .99, gain .01, delta < 0: no floor); both see increases only."""
    n, mean, sum_ = 0, 0.0, 0.0
    for t in range(len(history) + len(rows)):
        x = history[t] if t < len(history) else rows[t - len(history)]
        n += 1
        mean += (x - mean) / n
        sum_ = keep * sum_ + gain * (x - mean)
        if delta >= 0.0:
            sum_ = max(0.0, sum_ - delta)
        if n >= 30 and sum_ > threshold:
            if t >= len(history):
                return t - len(history)
            n, mean, sum_ = 0, 0.0, 0.0
    return len(rows)


@compiled
def two_sums(mean: float, sd: float, rows: Floats, threshold: float) -> int:
    """menelaus' CUSUM in both directions, which is told the reference's mean and standard deviation."""
    up = down = 0.0
    for t in range(len(rows)):
        z = (rows[t] - mean) / sd
        up, down = max(0.0, up + z - 0.005), max(0.0, down - z - 0.005)
        if t + 1 > 30 and (up > threshold or down > threshold):
            return t
    return len(rows)


@compiled
def cusum(log_ratios: Floats, threshold: float) -> int:
    """The CUSUM of one who knows both laws (Page 1954): with as few false alarms none has a smaller worst delay (Moustakides 1986)."""
    sum_ = 0.0
    for t in range(len(log_ratios)):
        sum_ = max(0.0, sum_ + log_ratios[t])
        if sum_ >= threshold:
            return t
    return len(log_ratios)


@compiled
def ddm(history: Floats, rows: Floats, threshold: float) -> int:
    """river's DDM on errors (Gama et al. 2004)."""
    n, mean, p_least, s_least, least = 0, 0.0, 0.0, 0.0, np.inf
    for t in range(len(history) + len(rows)):
        x = history[t] if t < len(history) else rows[t - len(history)]
        n += 1
        mean += (x - mean) / n
        deviation = math.sqrt(max(mean * (1.0 - mean), 0.0) / n)
        if n <= 30:
            continue
        if mean + deviation <= least:
            p_least, s_least, least = mean, deviation, mean + deviation
        if mean + deviation > p_least + threshold * s_least:
            if t >= len(history):
                return t - len(history)
            n, mean, p_least, s_least, least = 0, 0.0, 0.0, 0.0, np.inf
    return len(rows)


@compiled
def eddm(history: Floats, rows: Floats, strictness: float) -> int:
    """river's EDDM on errors at beta = 1 - strictness (Baena-Garcia et al. 2006)."""
    beta = 1.0 - strictness
    n, last, errors, mean, squares, most = 0, 0, 0, 0.0, 0.0, -1.0
    for t in range(len(history) + len(rows)):
        x = history[t] if t < len(history) else rows[t - len(history)]
        n += 1
        if x != 1.0:
            continue
        errors += 1
        distance = float(n - last)
        before = mean
        mean += (distance - before) / errors
        squares += (distance - before) * (distance - mean)
        last = n
        if n <= 30:
            continue
        level = mean + 2.0 * (math.sqrt(squares / (errors - 1)) if errors > 1 else 0.0)
        if level > most:
            most = level
        elif errors > 30 and level / most < beta:
            if t >= len(history):
                return t - len(history)
            n, last, errors, mean, squares, most = 0, 0, 0, 0.0, 0.0, -1.0
    return len(rows)


@compiled
def hddm_a(history: Floats, rows: Floats, strictness: float) -> int:
    """river's HDDM_A, for increases, at confidence 10 ** -strictness (Frias-Blanco et al. 2015)."""
    confidence = 10.0**-strictness
    n, mean, n_cut, mean_cut = 0, 0.0, 0, 0.0
    for t in range(len(history) + len(rows)):
        x = history[t] if t < len(history) else rows[t - len(history)]
        n += 1
        mean += (x - mean) / n
        if n_cut == 0:
            n_cut, mean_cut = n, mean
        log_term = math.log(1.0 / confidence)
        if mean_cut + math.sqrt(1.0 / (2.0 * n_cut) * log_term) >= mean + math.sqrt(1.0 / (2.0 * n) * log_term):
            n_cut, mean_cut = n, mean
        if n_cut == n:
            continue
        share = (n - n_cut) / n_cut * (1.0 / n)
        if mean - mean_cut >= math.sqrt(share / 2.0 * math.log(2.0 / confidence)):
            if t >= len(history):
                return t - len(history)
            n, mean, n_cut, mean_cut = 0, 0.0, 0, 0.0
    return len(rows)


@compiled
def hddm_w(history: Floats, rows: Floats, strictness: float) -> int:
    """river's HDDM_W, for increases, at confidence 10 ** -strictness and lambda .05 (Frias-Blanco et al. 2015)."""
    fade, log_term = 0.05, math.log(1.0 / 10.0**-strictness)
    n, mean, bound = 0, 0.0, 1.0
    old_mean, old_bound, n_new, new_mean, new_bound, cut = 0.0, 1.0, 0, 0.0, 1.0, np.inf
    for t in range(len(history) + len(rows)):
        x = history[t] if t < len(history) else rows[t - len(history)]
        n += 1
        mean = x if n == 1 else fade * x + (1.0 - fade) * mean
        bound = fade * fade + (1.0 - fade) ** 2 * bound
        upper = mean + math.sqrt(bound * log_term / 2.0)
        if upper < cut:
            cut, old_mean, old_bound, n_new, new_mean, new_bound = upper, mean, bound, 0, 0.0, 1.0
        else:
            n_new += 1
            new_mean = x if n_new == 1 else fade * x + (1.0 - fade) * new_mean
            new_bound = fade * fade + (1.0 - fade) ** 2 * new_bound
        if n_new and new_mean - old_mean > math.sqrt((old_bound + new_bound) * log_term / 2.0):
            if t >= len(history):
                return t - len(history)
            n, mean, bound = 0, 0.0, 1.0
            old_mean, old_bound, n_new, new_mean, new_bound, cut = 0.0, 1.0, 0, 0.0, 1.0, np.inf
    return len(rows)
