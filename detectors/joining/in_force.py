"""Labels as they are kept: of those that meet the same the one in force."""

import numpy as np
from numpy.typing import NDArray

from .groups import Rows, grouped
from .rows import ANY, LABEL, Values

#: A label that is kept: of those of one id, model, bucket and step the one in force, and how many there were.
KEPT = np.dtype([*LABEL.descr, ("count", "<u4"), ("older", "<u4"), ("matched", "u1")])


def in_force(labels: Rows, at: Values) -> tuple[Rows, Values]:
    """Of the labels of one id, model and bucket the one in force, and how many there are: they meet the same, and leave together."""
    inorder = np.argsort(labels["revision"], kind="stable")
    groups = grouped(*(labels[name][inorder] for name in ("hi", "lo", "model", "about")))
    latest = inorder[groups.lasts]
    place = np.argsort(latest)
    kept = np.zeros(len(latest), KEPT)
    for name in LABEL.names or ():
        kept[name] = labels[name][latest[place]]
    kept["count"] = groups.sizes[place]
    return kept, at[latest[place]]


def meant_for(of_label: NDArray[np.uint16], of_prediction: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Whether a label is for a prediction of this model."""
    return np.asarray((of_label == ANY) | (of_label == of_prediction), dtype=np.bool_)
