"""The guard of a trailing reference: what it has slowly followed to is compared with the reference that was built."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..betting.blame import best_bet, log_evidence
from ..betting.mixture import FEWEST_ROWS, Bets
from ..betting.space import MOVING
from ..betting.wording import words
from ..effects import Measure
from .episode import Episode, EventIdentity, Suspect, new_episode
from .trailing import DETECTOR
from .windows import Bucket

__all__ = ["DETECTOR", "look"]


def look(
    identity: EventIdentity, episodes: list[Episode], bucket: Bucket, bets: Bets, window: NDArray[np.int64], anchors: Sequence[Measure]
) -> dict[str, int]:
    """Open an episode for what is important, or change the one that is open; the ids of those changed, and since when their counts reach.

    ``window`` is the past that rows are compared with from now on.
    """
    ratios, _ = bets.log_ratios(window)
    log_e = log_evidence(bets, ratios)
    known = next((episode for episode in episodes if episode.detector == DETECTOR), None)
    followed = {} if known is None else {one.signal: one for one in known.open}
    told = (one for one in followed.values() if window[bets.signals[one.signal].rows].sum() >= FEWEST_ROWS)
    returned = [one for one in told if one.look(anchors[one.signal].on(window))]
    far = [
        Suspect(
            signal,
            0.0,
            words(bets, best_bet(bets, ratios, signal), window[of.span], of.reference_counts),
            float(log_e[signal]),
            window,
            anchors[signal].rows(window),
        )
        for signal, of in enumerate(bets.signals)
        if of.group in MOVING and signal not in followed and window[of.rows].sum() >= FEWEST_ROWS and anchors[signal].on(window).ratio >= 1
    ]
    for one in returned:
        one.give_up()
    if far:
        if known is None:
            known = new_episode(identity, bucket, bucket.start, DETECTOR, number=1)
            episodes.append(known)
        share = 1 / len(far)
        known.blame([replace(one, share=share) for one in far], anchors, bucket.end)
    return {known.id: bucket.start} if known is not None and (known.raise_severity() or far or returned) else {}
