"""Faults, at the layer where they happen: the world, the source of a feature, online serving."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .models import Deployed
from .rows import Column

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Active = list[tuple[dict[str, Any], float]]  # specifications, each with how strong it is now


def standardised(deployed: Deployed, name: str) -> Floats:
    """A numeric feature of the pool, in its sd, within 3."""
    values = np.asarray(deployed.table.features[name][deployed.pool], dtype=np.float64)
    return np.asarray(((values - values.mean()) / values.std(ddof=1)).clip(-3, 3), dtype=np.float64)


def outcome_scale(deployed: Deployed) -> Floats:
    """The pool's outcomes as 0 and 1, or in their sd within 2."""
    y = deployed.table.outcomes[deployed.pool]
    return y if deployed.table.binary else np.asarray(((y - y.mean()) / y.std()).clip(-2, 2), dtype=np.float64)


def weight(deployed: Deployed, fault: dict[str, Any], strength: float) -> Floats:
    """By what the pool's rows come more often."""
    kind, found = fault["kind"], np.ones(len(deployed.pool))
    if kind == "tilt":
        for name, sign in zip(fault["features"], fault.get("signs", [1] * 9), strict=False):
            found *= np.exp(sign * fault["lam"] * strength * standardised(deployed, name))
    elif kind == "cat_mix":
        own = deployed.table.features[fault["features"][0]][deployed.pool] == fault["value"]
        found *= np.where(own, 1 + (fault["factor"] - 1) * strength, 1.0)
    elif kind == "label_shift":
        found *= np.exp(np.log(fault["factor"]) * strength * outcome_scale(deployed))
    return found


def weights(deployed: Deployed, active: Active) -> Floats:
    """Of all faults of the world."""
    found = np.ones(len(deployed.pool))
    for fault, strength in active:
        if fault["layer"] == "world":
            found *= weight(deployed, fault, strength)
    return found


def world(deployed: Deployed, active: Active, columns: dict[str, Column], outcomes: Floats, draw: np.random.Generator) -> Floats:
    """Values and outcomes that really changed."""
    n = len(outcomes)
    for fault, strength in active:
        if fault["layer"] != "world":
            continue
        if fault["kind"] == "concept":
            outcomes = _concept(deployed, fault, strength, columns, outcomes, draw)
        elif fault["kind"] == "inflate":
            for name in fault["features"]:
                columns[name] = np.asarray(columns[name], dtype=np.float64) * (1 + fault["rate"] * strength)
        elif fault["kind"] == "new_category":
            columns[fault["features"][0]][draw.random(n) < fault["share"] * strength] = fault["value"]
    return outcomes


def _concept(
    deployed: Deployed, fault: dict[str, Any], strength: float, columns: dict[str, Column], outcomes: Floats, draw: np.random.Generator
) -> Floats:
    """Outcomes follow from the mirrored rank of a feature."""
    table, mirrored = deployed.table, dict(columns)
    for name in fault["features"]:
        ordered = np.sort(np.asarray(table.features[name], dtype=np.float64))
        rank = np.searchsorted(ordered, np.asarray(columns[name], dtype=np.float64)) / len(ordered)
        mirrored[name] = ordered[((1 - rank) * (len(ordered) - 1)).astype(int).clip(0, len(ordered) - 1)]
    part = fault["strength"] * strength
    if not table.binary:
        return np.asarray(outcomes + part * (deployed.teacher(mirrored) - deployed.teacher(columns)), dtype=np.float64)
    probability = deployed.teacher(mirrored)
    turned = draw.random(len(outcomes)) < part
    outcomes[turned] = draw.random(int(turned.sum())) < probability[turned]
    return outcomes


def at_source(deployed: Deployed, active: Active, columns: dict[str, Column], draw: np.random.Generator) -> None:
    """The owner changes what a feature means, for every consumer."""
    n = len(next(iter(columns.values())))
    for fault, strength in active:
        if fault["layer"] != "source":
            continue
        rows = draw.random(n) < strength
        _changed(deployed, fault, columns, rows, draw)


def in_serving(
    deployed: Deployed, active: Active, columns: dict[str, Column], ages: dict[str, Floats], number: int, draw: np.random.Generator
) -> dict[str, Truths]:
    """What serving does to values; rows of another type, by feature."""
    n, invalid = len(next(iter(columns.values()))), {}
    for fault, strength in active:
        if fault["layer"] != "online":
            continue
        rows = draw.random(n) < fault.get("share", 1.0) * strength
        if fault["kind"] in ("null", "schema"):
            for name in fault["features"]:
                columns[name][rows] = None if columns[name].dtype == object else np.nan
                if fault["kind"] == "schema":
                    invalid[name] = rows
        elif fault["kind"] in ("default", "constant", "stale"):
            _replaced(deployed, fault, columns, ages, rows, number, draw)
        else:
            _changed(deployed, fault, columns, rows, draw)
    return invalid


def _replaced(
    deployed: Deployed,
    fault: dict[str, Any],
    columns: dict[str, Column],
    ages: dict[str, Floats],
    rows: Truths,
    number: int,
    draw: np.random.Generator,
) -> None:
    table = deployed.table
    for name in fault["features"]:
        numeric = name in table.numeric
        if fault["kind"] == "default":
            columns[name][rows] = fault["value"] if numeric else "unknown"
        elif fault["kind"] == "constant":
            columns[name][rows] = np.median(table.features[name]) if numeric else sorted(set(table.features[name]))[0]
        else:  # the last value, seen long ago
            columns[name][rows] = draw.permutation(table.features[name][draw.choice(deployed.pool, int(rows.sum()))])
            ages[name] = np.where(rows, ages[name] + 60 * 24 * (1 + number - fault["onset"]), ages[name])


def _changed(deployed: Deployed, fault: dict[str, Any], columns: dict[str, Column], rows: Truths, draw: np.random.Generator) -> None:
    """Values under another map, or other names, or in each other's place."""
    names = fault["features"]
    if fault["kind"] == "exchange":
        old = {name: columns[name][rows].copy() for name in names}
        for name, other in zip(names, [*names[1:], names[0]], strict=True):
            columns[name][rows] = old[other]
        return
    for name in names:
        if fault["kind"] in ("rename", "upper"):
            form = fault.get("fmt", "<{}>")
            columns[name][rows] = [None if value is None else form.format(value) for value in columns[name][rows]]
        elif fault["kind"] == "permute":
            order = sorted(set(deployed.table.features[name].tolist()))
            following = {value: order[(place + 1) % len(order)] for place, value in enumerate(order)}
            columns[name][rows] = [following.get(value) for value in columns[name][rows]]
        else:
            values = np.asarray(columns[name][rows], dtype=np.float64)
            columns[name][rows] = mapped(fault, values, np.asarray(deployed.table.features[name][deployed.trained], dtype=np.float64), draw)


def mapped(fault: dict[str, Any], x: Floats, training: Floats, draw: np.random.Generator) -> Floats:
    """Values in another form."""
    match fault["kind"]:
        case "scale":
            return np.asarray(x * fault["a"] + fault.get("b", 0.0), dtype=np.float64)
        case "log1p":
            return np.asarray(np.sign(x) * np.log1p(np.abs(x)), dtype=np.float64)
        case "zscore":
            return np.asarray((x - training.mean()) / training.std(), dtype=np.float64)
        case "minmax":
            return np.asarray((x - training.min()) / (training.max() - training.min()), dtype=np.float64)
        case "freq":  # a shorter period of aggregation
            return np.asarray(x * fault["a"] * draw.lognormal(0, 0.12, len(x)), dtype=np.float64)
        case "round":
            return np.asarray(np.floor(x / fault["step"]) * fault["step"], dtype=np.float64)
        case "noise":
            return np.asarray(x + draw.normal(0, fault["sd"] * training.std(), len(x)), dtype=np.float64)
    msg = f"{fault['kind']}: no fault is called so"
    raise ValueError(msg)
