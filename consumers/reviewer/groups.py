"""Which cases of a slot are near-duplicates: shown together, answered together, and each of them stays in the sample."""

from collections.abc import Sequence

import numpy as np

from ...detectors.neighbours.alike import leaders
from ...schemas.messages.candidates import Candidate


def leaders_of(cases: Sequence[tuple[str | None, Candidate]]) -> list[int]:
    """Of each case, given with its reference, the place of the first that shows a reviewer the same, but for case and spaces; or else whose
    vector is nearly the same. Vectors of two references may be of two embedders, and say nothing of each other.
    """
    words: dict[str, int] = {}
    same = [words.setdefault(_shown(one), place) for place, (_, one) in enumerate(cases)]
    alike = {place: place for place in words.values()}
    kinds: dict[tuple[str | None, int], list[int]] = {}
    for place in alike:
        if cases[place][1].vector:
            kinds.setdefault((cases[place][0], len(cases[place][1].vector)), []).append(place)
    for places in kinds.values():
        vectors = np.stack([np.frombuffer(cases[place][1].vector, dtype="<i2") for place in places]).astype(np.int16)
        alike.update(zip(places, (places[leader] for leader in leaders(vectors)), strict=True))
    return [alike[place] for place in same]


def _shown(one: Candidate) -> str:
    return repr(
        [(name, " ".join(value.casefold().split()) if isinstance(value, str) else value) for name, value in sorted(one.shown.items())]
    )
