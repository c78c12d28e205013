"""The vector that the lane of familiarity looks at: a bucket's counts of all rows, then those of each segment that is watched."""

from ...schemas.stored.familiarity import Cells, FamiliarityProfile
from ...schemas.stored.reference import CategoricalProfile, Reference
from ...schemas.text import CATEGORY, fitted
from ..betting.mixture import FEWEST_ROWS
from ..betting.space import Space
from ..counting.layout import Layout, Signal
from .places import CELLS, WIDTH

#: By name the cells of a subject.
CATEGORIES = ("p <= .005", "p <= .05")
OF = "ood"


def familiarity_space(reference: Reference) -> Space:
    """All that is tested of how alike the training data a version's queries are."""
    subjects = reference.familiarity
    size = WIDTH * len(subjects)
    watched = {part.name for one in subjects for part in one.segments if sum(part.cells) >= FEWEST_ROWS}
    names = tuple(name for name in dict.fromkeys(part.name for one in subjects for part in one.segments) if name in watched)
    signals = [_signal(one, one.cells, WIDTH * place) for place, one in enumerate(subjects)]
    for block, name in enumerate(names, start=1):
        for place, one in enumerate(subjects):
            own = next((part for part in one.segments if part.name == name), None)
            if own is not None:
                share = own.rows / max(reference.rows, 1)
                signals.append(_signal(one, own.cells, block * size + WIDTH * place, fitted(name, CATEGORY), share))
    layout = Layout(tuple(signals[: len(subjects)]), size, 0, (), (), ())
    length = size * (1 + len(names))
    return Space(layout, tuple(signals), tuple(fitted(name, CATEGORY) for name in names), None, length, length)


def _signal(of: FamiliarityProfile, cells: Cells, start: int, segment: str | None = None, share: float = 1.0) -> Signal:
    profile = CategoricalProfile(categories=CATEGORIES, counts=cells, tau=(*of.tau, 1.0))
    role, rows = "row" if of.kind == "row" else "feature", slice(start, start + CELLS)
    return Signal(of.signal, OF, role, "ood", profile, start, CELLS, rows, segment=segment, share=share)
