"""What is true of an incident: the cause of each of its faults, the features it touches, and those that really moved."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .faults import weight
from .models import Deployed

Floats = NDArray[np.float64]

_OF_KIND = {
    **dict.fromkeys(("null", "schema", "default", "constant", "stale"), "feature_unavailability"),
    **dict.fromkeys(("tilt", "cat_mix", "new_category", "label_shift", "inflate"), "data_drift"),
    "novel": "prediction_label_bias",
    "concept": "feature_drift",
}
_OF_LAYER = {"source": "feature_recalibration", "online": "training_serving_skew", "model": "model_broken"}
#: Of a feature's distribution function, or of its frequencies in total variation: then its population moved.
_MOVED = 0.06


def truth_of(spec: dict[str, Any], deployed: Deployed) -> list[dict[str, Any]]:  # as the truth's files have it
    """Of every fault that is none by design."""
    found = []
    for fault in spec["faults"]:
        if fault.get("benign"):
            continue
        cause = _OF_KIND.get(fault["kind"]) if fault["layer"] in ("world", "online") else None
        cause = cause or _OF_LAYER[fault["layer"]]
        features = list(fault.get("features", []))
        moved = [*features, *(name for name in _moved(deployed, fault) if name not in features)] if cause == "data_drift" else features
        part = {"cause": cause, "kind": fault["kind"], "features": features, "moved": moved, "onset": fault["onset"]}
        found.append({**part, "ramp": fault.get("ramp", 0), "severity": fault.get("sev", "strong")})
    return found


def _moved(deployed: Deployed, fault: dict[str, Any]) -> list[str]:
    mass = weight(deployed, fault, 1.0)
    mass, even = mass / mass.sum(), 1 / len(mass)
    found = []
    for name, column in deployed.table.features.items():
        values = column[deployed.pool]
        if name in deployed.table.numeric:
            order = np.argsort(np.asarray(values, dtype=np.float64))
            distance = float(np.abs(np.cumsum(mass[order]) - np.arange(1, len(order) + 1) * even).max())
        else:
            _, codes = np.unique(values.astype(str), return_inverse=True)
            distance = float(np.abs(np.bincount(codes, weights=mass) - np.bincount(codes) * even).sum() / 2)
        if distance > _MOVED:
            found.append(name)
    return found
