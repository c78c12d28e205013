"""Which sums of outcomes go together: those that count in the same cells, whatever reference they are of; and how well they are known."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from ...detectors.outcomes.layout import Layout
from ...schemas.identity import content_hash
from ...schemas.messages.pane import Pane
from ...schemas.stored.outcomes import OutcomeBasis
from ..streams.align import Aligned

#: How the outcomes of a model are laid out that is watched against a reference.
PlanOf = Callable[[str, str], Layout]
#: Of a basis, what decides what a cell is, and a loss.
_CELLS = {"task", "classes", "edges", "losses", "centre", "scale"}


@lru_cache
def cells_of(basis: OutcomeBasis) -> str:
    """What the cells are, as a name."""
    return content_hash(basis.model_dump_json(include=_CELLS).encode())


def held_since(pane: Pane) -> tuple[int, str]:
    """From when on its reference holds, and which that is."""
    return pane.since or 0, pane.reference or ""


def counted_alike(panes: Sequence[Pane], plan_of: PlanOf, before: tuple[int, str] | None) -> list[Pane]:
    """Of one version's panes those that count in the cells of the newest reference, the newest last. Labels of what was predicted against
    the one before it may come for weeks; where that has other cells, they say nothing of its baseline.

    ``before``: from when on the newest holds that was heard of so far, and its cells.
    """
    inorder = sorted(panes, key=held_since)
    cells = [cells_of(plan_of(pane.model, pane.reference or "").basis) for pane in inorder]
    wanted = cells[-1] if before is None or held_since(inorder[-1])[0] >= before[0] else before[1]
    return [pane for pane, own in zip(inorder, cells, strict=True) if own == wanted]


def as_known(step: Aligned[Pane], panes: Sequence[Pane]) -> Aligned[Pane]:
    """The step, no better known than the panes that are counted: with a maturity they are made of steps before it, too."""
    return step._replace(
        complete=step.complete and all(pane.complete for pane in panes),
        clock_decided=step.clock_decided or any(pane.clock_decided for pane in panes),
    )
