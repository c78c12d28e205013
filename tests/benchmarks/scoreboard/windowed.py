"""Rules that compare a window with the reference, written anew and compiled; each is tested against its original.

A row is its rank among the reference's sorted rows: how many of them are not above it. Ties between a row and the reference have
probability 0 on the scoreboard's streams. Every function returns the row of the first alarm, or the number of rows.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .compiling import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@compiled
def sliding_ks(reference_rows: int, ranks: Integers, threshold: float, window: int) -> int:
    """scipy's ks_2samp of the last ``window`` rows and the reference, every row.

    Behind the i-th reference row lies window count / window - i / n; a new row adds to all from its rank on. A tree over the
    ranks keeps the largest and smallest of these differences, in units of 1 / (n window).
    """
    n, leaves = reference_rows, 1
    while leaves < n + 1:
        leaves *= 2
    most, least, added = np.zeros(2 * leaves), np.zeros(2 * leaves), np.zeros(2 * leaves)
    for i in range(leaves):
        most[leaves + i] = -float(i) * window if i <= n else -1e18
        least[leaves + i] = -float(i) * window if i < n else 1e18  # behind the last row nothing is left to come
    for node in range(leaves - 1, 0, -1):
        most[node], least[node] = max(most[2 * node], most[2 * node + 1]), min(least[2 * node], least[2 * node + 1])
    for t in range(len(ranks)):
        for leaving in range(2):
            if leaving and t < window:
                break
            step = -float(n) if leaving else float(n)
            node = leaves + (ranks[t - window] if leaving else ranks[t])
            most[node], least[node], added[node] = most[node] + step, least[node] + step, added[node] + step
            while node > 1:
                if node % 2 == 0:
                    most[node + 1], least[node + 1], added[node + 1] = most[node + 1] + step, least[node + 1] + step, added[node + 1] + step
                node //= 2
                left, right = 2 * node, 2 * node + 1
                most[node] = max(most[left], most[right]) + added[node]
                least[node] = min(least[left], least[right]) + added[node]
        if t + 1 >= window and max(most[1], window - least[1]) >= threshold * n * window:
            return t
    return len(ranks)


@compiled
def tumbling_ks(reference_rows: int, ranks: Integers, threshold: float, window: int) -> int:
    """scipy's ks_2samp of each full window of so many rows and the reference."""
    for end in range(window, len(ranks) + 1, window):
        inside = np.sort(ranks[end - window : end])
        largest = 0.0
        for j in range(window):
            share = inside[j] / reference_rows
            largest = max(largest, share - j / window, (j + 1) / window - share)
        if largest >= threshold:
            return end - 1
    return len(ranks)


@compiled
def sliding_cvm(reference_rows: int, ranks: Integers, threshold: float, windows: Integers) -> int:
    """alibi-detect's online Cramer-von Mises statistic, standardised, the largest over sliding windows of several lengths.

    Both of its sums of squares follow from sums over the window's ranks: of each, of its square, and of the larger of every pair.
    """
    n, kinds = reference_rows, len(windows)
    of_squares = (n + 1.0) * (2.0 * n + 1.0) / (6.0 * n)  # of (i / n)^2 over the reference
    pairs, singles, squares = np.zeros(kinds), np.zeros(kinds), np.zeros(kinds)
    for t in range(len(ranks)):
        new, highest = ranks[t], -np.inf
        for k in range(kinds):
            window = windows[k]
            if t >= window:
                leaving, total = ranks[t - window], 0
                for other in range(t - window + 1, t):
                    total += max(ranks[other], leaving)
                pairs[k] -= total
                singles[k] -= leaving
                squares[k] -= float(leaving) * leaving
            total = 0
            for other in range(max(t - window + 1, 0), t):
                total += max(ranks[other], new)
            pairs[k] += total
            singles[k] += new
            squares[k] += float(new) * new
            if t + 1 < window:
                continue
            # W(i) of the window's rows lie below the i-th reference row: those with a rank below i.
            m = float(window)
            of_i_w = (m * n * (n + 1.0) - squares[k] - singles[k]) / 2.0
            of_w_w = m * m * n - 2.0 * pairs[k] - singles[k]
            on_reference = of_squares - 2.0 * of_i_w / (n * m) + of_w_w / (m * m)
            on_window = squares[k] / (n * n) - 2.0 * (pairs[k] + singles[k]) / (n * m) + (m + 1.0) * (2.0 * m + 1.0) / (6.0 * m)
            both = n + m
            variance = (both + 1.0) * (4.0 * n * m * both - 3.0 * (n * n + m * m) - 2.0 * n * m) / (45.0 * both * both * 4.0 * n * m)
            statistic = (on_reference + on_window) * n * m / (both * both) - 1.0 / 6.0 - 1.0 / (6.0 * both)
            highest = max(highest, statistic / math.sqrt(variance))
        if highest > threshold:
            return t
    return len(ranks)


@compiled
def kswin(rows: Floats, chosen: Integers, p_values: Floats, strictness: float) -> int:
    """river's KSWIN at alpha = 10 ** -strictness: the last 30 rows against 30 drawn from the 70 before; ``chosen`` says which, by turns.

    ``p_values`` has the p-value of every distance in thirtieths.
    """
    recent, older, n, window = np.zeros(30), np.zeros(30), 30, 100
    turn, alpha = 0, 10.0**-strictness
    for t in range(window - 1, len(rows)):
        for i in range(n):
            recent[i] = rows[t - n + 1 + i]
            older[i] = rows[t - window + 1 + chosen[turn, i]]
        turn = (turn + 1) % len(chosen)
        recent.sort()
        older.sort()
        i = j = largest = 0
        while i < n and j < n:
            x = min(recent[i], older[j])
            while i < n and recent[i] <= x:
                i += 1
            while j < n and older[j] <= x:
                j += 1
            largest = max(largest, abs(i - j))
        if largest > 3 and p_values[largest] <= alpha:
            return t
    return len(rows)


@compiled
def tumbling_wasserstein(reference: Floats, sd: float, rows: Floats, threshold: float, window: int) -> int:
    """Evidently's rule: the Wasserstein distance of each full window from the sorted reference, in its standard deviations."""
    n = len(reference)
    for end in range(window, len(rows) + 1, window):
        inside = np.sort(rows[end - window : end])
        i = j = 0
        distance, last = 0.0, min(reference[0], inside[0])
        while i < n or j < window:
            x = reference[i] if j == window or (i < n and reference[i] <= inside[j]) else inside[j]
            distance += abs(i / n - j / window) * (x - last)
            last = x
            if j == window or (i < n and reference[i] <= inside[j]):
                i += 1
            else:
                j += 1
        if distance / sd >= threshold:
            return end - 1
    return len(rows)


@compiled
def tumbling_js(shares: Floats, bins: Integers, threshold: float, window: int) -> int:
    """NannyML's rule: the Jensen-Shannon distance (base 2) of each full chunk's histogram from the reference's; the last bin is outside."""
    counts = np.zeros(len(shares))
    for end in range(window, len(bins) + 1, window):
        counts[:] = 0.0
        for t in range(end - window, end):
            counts[bins[t]] += 1.0
        divergence = 0.0
        for b in range(len(shares)):
            p, q = shares[b], counts[b] / window
            middle = (p + q) / 2.0
            if p > 0.0:
                divergence += p * math.log2(p / middle) / 2.0
            if q > 0.0:
                divergence += q * math.log2(q / middle) / 2.0
        if math.sqrt(max(divergence, 0.0)) > threshold:
            return end - 1
    return len(bins)


@compiled
def sliding_fet(p_values: Floats, rows: Floats, strictness: float, windows: Integers) -> int:
    """alibi-detect's online Fisher exact test for more errors: ``p_values[k, s]`` if window k holds s errors, smoothed as there by .99."""
    sums, smooth = np.zeros(len(windows), dtype=np.int64), np.full(len(windows), -1.0)
    for t in range(len(rows)):
        for k in range(len(windows)):
            sums[k] += int(rows[t]) - (int(rows[t - windows[k]]) if t >= windows[k] else 0)
            if t + 1 >= windows[k]:
                p = p_values[k, sums[k]]
                smooth[k] = p if smooth[k] < 0.0 else 0.01 * smooth[k] + 0.99 * p
                if smooth[k] < 10.0**-strictness:
                    return t
    return len(rows)
