"""The join itself: which prediction counts, which label is in force for it, and what a step changed. No loop over rows.

A prediction counts if its (id, model, version) was not seen in the `wait` before it; every sighting, counted or not, starts that `wait`
again. What was seen again has a *ghost*, which blocks repetitions and does nothing else: there are two rows of it at most, however often it
comes.

A label is for every living prediction of its id, and of its model if it names one. In force is the one of the greatest (revision, step,
order); as labels are taken in order, a row need keep but the revision of its own. A retraction is a label without value.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .groups import Ids, Rows, Spots, grouped
from .in_force import in_force, kept, meant_for
from .pending import Pending, Tiling
from .rows import NONE, Happening, Unmatched, Values, What, happening_of, label, some_of, told, waiting

#: What was seen again, and in which step the last time.
_GHOST = np.dtype([("hi", "<u8"), ("lo", "<u8"), ("last", "<i8"), ("version", "<u4"), ("older", "<u4")])


class Over(NamedTuple):
    """What leaves without having met what it waited for."""

    expired: Happening
    unmatched: Unmatched


class Leaving(NamedTuple):
    """Rows whose time will be over, and when."""

    hi: Ids
    lo: Ids
    times: Values


#: Values that rows carry, shape [n, carried]; None where they carry nothing.
Carried = NDArray[np.int64] | None


class _Changes(NamedTuple):
    spots: Spots
    before: Values  # outcome before the step
    steps: Values
    former: Carried  # what the label before the step carried


class Matching:
    """The predictions and labels of one partition that wait for each other.

    Parameters
    ----------
    wait, early
        How long behind its prediction a label counts, and how long before it.
    tiling
        The buckets: all spans are counted in steps, which are buckets.
    bins
        Binned features of a prediction.
    maturity
        So long behind a prediction its outcome is told as the *first*, if there is one; at most `wait`. None: when it becomes known.
    carried
        Values that a prediction carries, and as many a label.
    """

    def __init__(self, wait: int, early: int, tiling: Tiling, bins: int, maturity: int | None = None, carried: int = 0) -> None:
        self._wait, self._tiling, self._maturity, self._carried = wait, tiling, maturity, carried
        self._told = told(bins, carried)
        self._predictions = Pending(waiting(bins, carried, matures=maturity is not None), wait, tiling, maturity)
        self._ghosts = Pending(_GHOST, wait, tiling)
        self._labels = Pending(kept(label(carried)), early, tiling)

    @property
    def waiting(self) -> int:
        """Predictions that are there."""
        return self._predictions.store.waiting

    @property
    def kept(self) -> int:
        """Rows of all kinds that are there."""
        return self.waiting + self._ghosts.store.waiting + self._labels.store.waiting

    @property
    def nbytes(self) -> int:
        """Of all that is kept."""
        return self._predictions.nbytes + self._ghosts.nbytes + self._labels.nbytes

    def known(self, hi: int, lo: int) -> Rows:
        """The predictions of an id that are there, with the label in force for each: of `rows.told`."""
        found = self._predictions.store.find(np.array([hi], dtype=np.uint64), np.array([lo], dtype=np.uint64))
        return self._rows(found.spots)

    def beside(self, rows: Rows) -> tuple[Rows, Rows]:
        """Of predictions whose first outcome is told now, each with those of its id and model by other versions whose outcome is known and
        has been told, or is told now; each two once.
        """
        store, kept = self._predictions.store, self._predictions.rows
        asked, spots = store.find(rows["hi"], rows["lo"])
        told = kept["known"][spots] == 1 if self._maturity is None else self._predictions.ripe(spots)
        other = (kept["version"][spots] != rows["version"][asked]) & (kept["model"][spots] == rows["model"][asked])
        there = told & other & (kept["label"][spots] != NONE)
        asked, spots = asked[there], spots[there]
        first, second = rows[asked], self._rows(spots)
        low, high = np.minimum(first["version"], second["version"]), np.maximum(first["version"], second["version"])
        once = np.sort(grouped(first["hi"], first["lo"], low, high).firsts)
        return first[once], second[once]

    def due(self) -> int | None:
        """The next bucket in which something is due of which `ripen` or `expire` could tell."""
        return min((end for end in (self._predictions.due(), self._labels.due()) if end is not None), default=None)

    def ghost_due(self) -> int | None:
        """The next bucket in which it is asked whether a ghost stays."""
        return self._ghosts.due()

    def ripen(self, step: int) -> list[Happening]:
        """Predictions whose maturity is over in this step, each once: what is known of them counts from before the step."""
        rows = self._rows(self._predictions.ripening(step))
        return some_of("due", rows) + some_of("first", rows[rows["label"] != NONE])

    def expire(self, step: int) -> Over:
        """Let go what is due in this step or before it, behind `ripen`; a ghost that was seen since it was kept stays on."""
        spots = self._predictions.leaving(step)
        expired = self._rows(spots[self._predictions.rows["label"][spots] == NONE])
        self._predictions.leave(len(spots))
        spots = self._labels.leaving(step)
        labels = self._labels.rows[spots]
        unmet = labels[labels["matched"] == 0]
        self._labels.leave(len(spots))
        spots = self._ghosts.leaving(step)
        ghosts = self._ghosts.rows[spots]
        self._ghosts.leave(len(spots))
        ghosts = ghosts[self._alive(ghosts["last"], step)]
        self._haunt(np.full(len(ghosts), step), ghosts)
        unmatched = Unmatched(np.repeat(unmet["about"], unmet["count"]), np.repeat(unmet["model"], unmet["count"]))
        return Over(happening_of("expired", expired), unmatched)

    def leaving(self, step: int) -> Leaving:
        """What `expire` of this step would let go, but for ghosts, each with its own step."""
        halves, times = [], []
        for pending in (self._predictions, self._labels):
            spots, ends = pending.leaving_at(step)
            halves.append(pending.rows[["hi", "lo"]][spots])
            times.append(ends)
        found = np.concatenate(halves)
        return Leaving(found["hi"], found["lo"], np.concatenate(times))

    def step(self, step: int, predictions: Rows, labels: Rows) -> list[Happening]:
        """Take what came in this step, predictions before labels, each in its order; `expire` of the step goes before.

        What happened comes back without kinds of which there is nothing; rows in the order in which predictions were taken: by step,
        bucket, and as they came.
        """
        taken = self.steps(predictions, labels, np.full(len(predictions), step), np.full(len(labels), step))
        return [happening for _, happening in taken]

    def steps(self, predictions: Rows, labels: Rows, at: Values, labels_at: Values) -> list[tuple[int, Happening]]:
        """Take several steps at once, in order, of which no two have an id in common; the steps of the rows are ``at`` and ``labels_at``.

        What happened comes back with its step where outcomes became known, and else with the last one.
        """
        happenings: list[Happening] = []
        new = early = none = np.zeros(0, dtype=np.int64)
        new_at = none
        if len(predictions):
            firsts = np.sort(grouped(predictions["hi"], predictions["lo"], predictions["version"]).firsts)
            repeated = np.ones(len(predictions), dtype=bool)
            repeated[firsts] = self._again(at[firsts], predictions[firsts])
            counting, new_at = (predictions[~repeated], at[~repeated]) if repeated.any() else (predictions, at)
            if ((counting["about"][1:] < counting["about"][:-1]) & (new_at[1:] == new_at[:-1])).any():
                order = np.lexsort((counting["about"], new_at))
                counting, new_at = counting[order], new_at[order]
            happenings += self._happened("predicted", counting) + self._happened("duplicate", predictions[repeated])
            new, early = self._enter(new_at, counting)
        early_at, early = new_at[early], new[early]
        if len(labels):
            changes = self._meet(labels, labels_at, new, early, early_at)
        else:
            changes = _Changes(early, np.full(len(early), NONE), early_at, self._nothing(len(early)))
        last = max((int(times[-1]) for times in (at, labels_at) if len(times)), default=0)
        found = [(last, happening) for happening in happenings]
        if len(changes.spots):
            changed = self._rows(changes.spots)
            if changes.former is not None:
                changed["former"] = changes.former
            found.append((last, Happening("changed", changed, changes.before)))
            found += self._known(changes, changed)
        return found

    # -- predictions

    def _again(self, steps: Values, rows: Rows) -> NDArray[np.bool_]:
        """Which of these, one of each (id, model, version), were seen in the `wait` before; that starts again with them."""
        again = np.zeros(len(rows), dtype=bool)
        asked, spots = self._predictions.store.find(rows["hi"], rows["lo"])
        again[asked[self._predictions.rows["version"][spots] == rows["version"][asked]]] = True
        return self._blocked(steps, rows, again) if self._ghosts.store.waiting or again.any() else again

    def _blocked(self, steps: Values, rows: Rows, again: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The same, with those that a ghost blocks; all of them have a ghost then."""
        asked, spots = self._ghosts.store.find(rows["hi"], rows["lo"])
        same = self._ghosts.rows["version"][spots] == rows["version"][asked]
        asked, spots = asked[same], spots[same]
        again[asked[self._alive(self._ghosts.rows["last"][spots], steps[asked])]] = True
        self._ghosts.rows["last"][spots[again[asked]]] = steps[asked[again[asked]]]
        unknown = again.copy()
        unknown[asked] = False
        ghosts = np.zeros(np.count_nonzero(unknown), _GHOST)
        _copy(rows[unknown], ghosts, ("hi", "lo", "version"))
        ghosts["last"] = steps[unknown]
        self._haunt(steps[unknown], ghosts)
        return again

    def _alive(self, last: Values, step: Values | int) -> NDArray[np.bool_]:
        return np.asarray(self._tiling.ends(last + self._wait) > step, dtype=np.bool_)

    def _haunt(self, steps: Values, ghosts: Rows) -> None:
        """Keep ghosts for another `wait`: whether one still blocks is asked when its like comes."""
        if len(ghosts):
            self._ghosts.enter(steps, steps, ghosts)

    def _enter(self, steps: Values, new: Rows) -> tuple[Spots, Spots]:
        """Keep predictions that count, under the labels that came before them; returns where they lie, and which have an outcome."""
        made = np.zeros(len(new), self._predictions.rows.dtype)
        _copy(new, made, [name for name in new.dtype.names or () if name != "about"])
        made["label"] = made["revision"] = NONE
        if self._labels.store.waiting:
            self._meet_earlier(made)
        entered = self._predictions.enter(steps, new["about"], made)
        return entered, np.flatnonzero(made["label"] != NONE)

    def _meet_earlier(self, made: Rows) -> None:
        """Let predictions meet the labels that are kept."""
        asked, spots = self._labels.store.find(made["hi"], made["lo"])
        labels = self._labels.rows
        meant = meant_for(labels["model"][spots], made["model"][asked])
        asked, spots = asked[meant], spots[meant]
        labels["matched"][spots] = 1
        inorder = np.lexsort((self._labels.store.ages(spots), labels["revision"][spots]))
        asked, spots = asked[inorder], spots[inorder]
        latest = grouped(asked).lasts
        made["label"][asked[latest]] = labels["value"][spots[latest]]
        made["revision"][asked[latest]] = labels["revision"][spots[latest]]
        if self._carried:
            made["offline"][asked[latest]] = labels["offline"][spots[latest]]

    # -- labels

    def _meet(self, labels: Rows, at: Values, new: Spots, early: Spots, early_at: Values) -> _Changes:
        """Let labels meet what is there; ``early`` are those of the ``new`` ones that had an outcome when they came."""
        inforce, at = in_force(labels, at)
        store, rows = self._predictions.store, self._predictions.rows
        asked, spots = store.find(inforce["hi"], inforce["lo"])
        meant = meant_for(inforce["model"][asked], rows["model"][spots])
        asked, spots = asked[meant], spots[meant]
        inforce["matched"][asked] = 1
        self._labels.enter(at, at, inforce)
        inorder = np.lexsort((asked, inforce["revision"][asked]))
        asked, spots = asked[inorder], spots[inorder]
        latest = grouped(spots).lasts
        asked, spots = asked[latest], spots[latest]
        later = inforce["revision"][asked] >= rows["revision"][spots]
        asked, spots = asked[later], spots[later]
        before = np.where(store.ages(spots) < store.waiting - len(new), rows["label"][spots], NONE)
        former = rows["offline"][spots] if self._carried else None
        rows["label"][spots], rows["revision"][spots] = inforce["value"][asked], inforce["revision"][asked]
        if self._carried:
            rows["offline"][spots] = inforce["offline"][asked]
        other = ~np.isin(early, spots)
        others, steps = early[other], np.concatenate((at[asked], early_at[other]))
        spots, before = np.concatenate((spots, others)), np.concatenate((before, np.full(len(others), NONE)))
        changed = np.flatnonzero(rows["label"][spots] != before)
        changed = changed[np.argsort(store.ages(spots[changed]))]  # as they were taken, whatever the index made of them
        if former is not None:
            former = np.concatenate((former, np.zeros((len(others), self._carried), dtype=np.int64)))[changed]
        return _Changes(spots[changed], before[changed], steps[changed], former)

    def _nothing(self, rows: int) -> Carried:
        return np.zeros((rows, self._carried), dtype=np.int64) if self._carried else None

    def _known(self, changes: _Changes, changed: Rows) -> list[tuple[int, Happening]]:
        """Which of these have their first outcome; with a maturity it is told when that is over, and its delay is kept until then."""
        rows, spots = self._predictions.rows, changes.spots
        first = (changed["label"] != NONE) & (rows["known"][spots] == 0)
        rows["known"][spots[first]] = 1
        known, at = changed[first], changes.steps[first]
        known["delay"] = at - known["about"]
        if self._maturity is None:
            return [(step, happening_of("first", known[at == step])) for step in np.unique(at).tolist()]
        rows["delay"][spots[first]] = known["delay"]
        return []

    # -- what is told

    def _rows(self, spots: Spots) -> Rows:
        kept = self._predictions.rows[spots]
        rows = np.zeros(len(spots), self._told)
        _copy(kept, rows, [name for name in self._told.names or () if name in (kept.dtype.names or ())])
        rows["about"] = self._predictions.abouts(spots)
        return rows

    def _happened(self, what: What, predictions: Rows) -> list[Happening]:
        rows = np.zeros(len(predictions), self._told)
        if not len(rows):
            return []
        _copy(predictions, rows, predictions.dtype.names or ())
        rows["label"] = NONE
        return [happening_of(what, rows)]


def _copy(source: Rows, target: Rows, names: Any) -> None:
    for name in names:
        target[name] = source[name]
