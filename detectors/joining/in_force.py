"""Labels as they are kept: of those that meet the same the one in force."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .groups import Rows, grouped
from .rows import ANY, Values


def kept(label: np.dtype[Any]) -> np.dtype[Any]:  # fields of any type
    """A label that is kept: of those of one id, model, bucket and step the one in force, and how many there were."""
    return np.dtype([*label.descr, ("count", "<u4"), ("older", "<u4"), ("matched", "u1")])


def in_force(labels: Rows, at: Values) -> tuple[Rows, Values]:
    """Of the labels of one id, model and bucket the one in force, and how many there are: they meet the same, and leave together."""
    inorder = np.argsort(labels["revision"], kind="stable")
    groups = grouped(*(labels[name][inorder] for name in ("hi", "lo", "model", "about")))
    latest = inorder[groups.lasts]
    place = np.argsort(latest)
    found = np.zeros(len(latest), kept(labels.dtype))
    for name in labels.dtype.names or ():
        found[name] = labels[name][latest[place]]
    found["count"] = groups.sizes[place]
    return found, at[latest[place]]


def meant_for(of_label: NDArray[np.uint16], of_prediction: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Whether a label is for a prediction of this model."""
    return np.asarray((of_label == ANY) | (of_label == of_prediction), dtype=np.bool_)
