"""The rows of a step's blocks, in the order in which they hold: by the high water behind each, then topic, partition, offset."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...detectors.agreement.codes import contents
from ...detectors.joining.rows import LABEL, label, prediction
from ...detectors.outcomes.cells import cells_of
from ...detectors.outcomes.products import WITHIN
from ...schemas.messages.block import NO_BIN, NO_OUTLIER, Block, Whose
from ...schemas.outcome import NO_VALUE
from ...schemas.stored.outcomes import OutcomeBasis
from .names import Names

Rows = NDArray[np.void]
#: By a model's name and its reference.
BasisOf = Callable[[str, str], OutcomeBasis]


def predictions(blocks: Sequence[Block], names: Names, basis_of: BasisOf, step: int, bins: int = 0) -> Rows:
    """Of the blocks that hold predictions, with so many binned features. ``basis_of``: how a model's outcomes are counted; ``step``: the
    last one that takes them.
    """
    own = [block for block in blocks if block.side == "predictions"]
    rows = _ordered(own, prediction(bins))
    if not len(rows):
        return rows
    order = _order(own)
    codes = np.concatenate([np.array([names.codes(whose, step) for whose in block.whose])[block.of] for block in own])[order]
    rows["model"], rows["version"], rows["place"] = codes.T
    rows["score"] = np.concatenate([block.scores for block in own])[order]
    rows["flags"] = np.concatenate([_flags(block) for block in own])[order]
    if bins:
        rows["bins"] = np.concatenate([_bins(block, basis_of, bins) for block in own])[order]
    for version, place in np.unique(codes[:, 1:], axis=0).tolist():
        of = (codes[:, 1] == version) & (codes[:, 2] == place)
        basis = basis_of(names.model_of(version), names.place(place).reference)
        rows["cell"][of] = cells_of(basis, rows["value"][of], rows["score"][of])
    return rows


def labels(blocks: Sequence[Block], names: Names) -> Rows:
    """Of the blocks that hold labels."""
    own = [block for block in blocks if block.side == "labels"]
    rows = _ordered(own, LABEL)
    if len(rows):
        models = [np.array([names.model(whose.model) for whose in block.whose])[block.of] for block in own]
        rows["model"] = np.concatenate(models)[_order(own)]
        rows["revision"] = np.concatenate([block.revisions for block in own])[_order(own)]
    return rows


def served(blocks: Sequence[Block], names: Names, known: Callable[[Whose], bool], step: int, width: int) -> Rows:
    """Of the blocks that hold served values, so many a row. ``known``: whether such rows can be counted as things are configured, which
    their flags say; ``step``: the last one that takes them.
    """
    own = [block for block in blocks if block.side == "served"]
    rows = _ordered(own, prediction(0, width))
    if not len(rows):
        return rows
    order = _order(own)
    codes = [np.array([(*names.codes(whose, step), known(whose)) for whose in block.whose])[block.of] for block in own]
    ordered = np.concatenate(codes)[order]
    rows["model"], rows["version"], rows["place"] = ordered[:, :3].T
    rows["served"] = np.concatenate([_widened(block.codes, width) for block in own])[order]
    rows["flags"] = ordered[:, 3]
    return rows


def offline(blocks: Sequence[Block], names: Names, width: int) -> Rows:
    """Of the blocks that hold rows of a feature log, so many values each."""
    own = [block for block in blocks if block.side == "offline"]
    rows = _ordered(own, label(width))
    if len(rows):
        order = _order(own)
        rows["model"] = np.concatenate([np.array([names.model(whose.model) for whose in block.whose])[block.of] for block in own])[order]
        rows["revision"] = np.concatenate([block.revisions for block in own])[order]
        rows["offline"] = np.concatenate([_widened(block.codes, width) for block in own])[order]
        rows["value"] = contents(rows["offline"])
    return rows


def _widened(codes: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """With as many columns as are counted; those that are not there are absent."""
    found = np.full((len(codes), width), NO_VALUE, dtype=np.int64)
    known = min(codes.shape[1], width)
    found[:, :known] = codes[:, :known]
    return found


def in_steps(rows: Rows, blocks: Sequence[Block], ends: Sequence[int], side: str) -> tuple[Rows, NDArray[np.int64]]:
    """The rows that the blocks of one side came to, step by step, and the step of each; ``ends``: of every block."""
    if not len(rows):
        return rows, np.zeros(0, dtype=np.int64)
    own = [(block, end) for block, end in zip(blocks, ends, strict=True) if block.side == side]
    at = np.concatenate([np.full(block.rows, end) for block, end in own])[_order([block for block, _ in own])]
    if (at[1:] < at[:-1]).any():
        order = np.argsort(at, kind="stable")
        rows, at = rows[order], at[order]
    return rows, at


def _flags(block: Block) -> NDArray[np.uint8]:
    """Of a block: which of its rows are known to be no outliers."""
    outliers = np.frombuffer(block.outliers, dtype=np.uint8)
    return np.where(outliers == NO_OUTLIER, WITHIN, 0).astype(np.uint8) if len(outliers) else np.zeros(block.rows, dtype=np.uint8)


def _bins(block: Block, basis_of: BasisOf, bins: int) -> NDArray[np.uint8]:
    """Of a block; none of rows that were grouped by what is no longer configured, or not yet."""
    found = np.full((block.rows, bins), NO_BIN, dtype=np.uint8)
    known = min(block.binned, bins)
    found[:, :known] = block.groups[:, :known]
    same = [bool(whose.grouping) and whose.grouping == basis_of(whose.model, whose.reference).grouping for whose in block.whose]
    found[~np.array(same)[block.of]] = NO_BIN
    return found


def _ordered(blocks: Sequence[Block], dtype: np.dtype[np.void]) -> Rows:
    """With what both sides have."""
    rows = np.zeros(sum(block.rows for block in blocks), dtype=dtype)
    if len(rows):
        order = _order(blocks)
        halves = np.concatenate([block.halves for block in blocks])[order]
        rows["hi"], rows["lo"] = halves.T
        rows["value"] = np.concatenate([block.values for block in blocks])[order]
        rows["about"] = np.concatenate([np.full(block.rows, block.bucket) for block in blocks])[order]
    return rows


def _order(blocks: Sequence[Block]) -> NDArray[np.intp]:
    """Blocks of one source lie in the order of their offsets, so that a source's place stands for topic and partition."""
    if len(blocks) == 1:
        return np.arange(blocks[0].rows)
    sources = sorted({(block.topic, block.partition) for block in blocks})
    place = np.concatenate([np.full(block.rows, sources.index((block.topic, block.partition))) for block in blocks])
    waters = np.concatenate([block.bucket + block.waters for block in blocks])
    offsets = np.concatenate([block.first + block.offsets for block in blocks])
    return np.lexsort((offsets, place, waters))
