"""`reference build` names the setting where a column looks as if it were meant otherwise than it is read, and only there."""

from collections.abc import Callable

import numpy as np
import pytest

from driftbus.consumers.reference.building.build import build_reference
from driftbus.schemas.configuration import Model

from .test_build import Lists

DRAW = np.random.default_rng(3)
ROWS = 1_000
TIMES = [1_700_000_000_000 + i * 1_000 for i in range(ROWS)]
PRICES = np.round(DRAW.gamma(2.0, 40.0, ROWS), 2).tolist()


def warned(values: list[object], settings: dict[str, object] | None = None) -> list[str]:
    words = ("ahead of their rows", "since 1970", "are all numbers", "decimal comma", "stood for no value")
    reference = build_reference(Lists({"x": values, "other": list(PRICES)}, TIMES), "m", "1", Model.model_validate(settings or {}))
    return [warning for warning in reference.warnings if any(word in warning for word in words)]


def iso(i: int, hours: float) -> str:
    return str(np.datetime64(TIMES[i] + int(hours * 3_600_000), "ms"))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            lambda i: iso(i, 2 - PRICES[i] / 3600),
            "ahead of their rows': x (by 2 h); if they are local times, name their zone (models.m.zone)",
        ),
        (lambda i: iso(i, 5.5 - PRICES[i] / 60), "models.m.zone"),
        (lambda i: iso(i, 9), "(by 9 h)"),
        (lambda i: 1_699_000_000 + i * 7 % 5_003, "since 1970: x; if they are, say type: timestamp (models.m.features.NAME.type)"),
        (lambda i: 1_699_000_000_000 + i * 7 % 5_003, "since 1970: x;"),
        (lambda i: (1_699_000_000 + i * 7 % 5_003) * (1 if i % 2 else 1_000), "x (in 2 units)"),
        (lambda i: str(PRICES[i]), "these texts are all numbers, and read as such: x; if they are codes, say type: categorical"),
        (lambda i: str(10_000 + i * 7 % 900), "type: categorical"),
        (lambda i: f"{PRICES[i]:.1e}", "type: categorical"),
        (lambda i: f"{PRICES[i]:.2f}".replace(".", ","), "decimal comma"),
        (lambda i: f"1.{i:03},{i % 10}0", "decimal comma"),
        (lambda i: f" -{i},5", "decimal comma"),
        (lambda i: "None" if i % 20 == 0 else f"k{i % 7}", '"None" in 5%'),
        (lambda i: "" if i % 5 == 0 else f"k{i % 7}", '"" in 20%'),
        (lambda i: "NaN" if i % 3 == 0 else PRICES[i], '"NaN" in 33%'),
        (lambda i: "closed" if i % 5 < 2 else PRICES[i], '"closed" in 40%, the others are numbers'),
        (lambda i: -999 if i % 10 == 0 else PRICES[i], "-999 in 10%"),
        (lambda i: 9999 if i % 50 == 0 else PRICES[i], "9999 in 2%"),
    ],
)
def test_what_is_doubtful_is_said_with_its_setting(value: Callable[[int], object], says: str) -> None:
    found = warned([value(i) for i in range(ROWS)])
    assert len(found) == 1
    assert says in found[0]


@pytest.mark.parametrize(
    "value",
    [
        lambda i: iso(i, -PRICES[i]),
        lambda i: PRICES[i],
        lambda i: -PRICES[i],
        lambda i: float(i % 3),
        lambda i: f"k{i % 3}",
        lambda i: f"a,{i % 9}",
        lambda i: i % 2 == 0,
        lambda i: i % 7 - 1,
        lambda i: 0 if i % 3 else PRICES[i],
        lambda i: f"the {i}th remark, with 1,5 of something in it",
    ],
)
def test_nothing_is_said_of_what_is_usual(value: Callable[[int], object]) -> None:
    assert warned([value(i) for i in range(ROWS)]) == []


@pytest.mark.parametrize(
    ("value", "settings"),
    [
        (lambda i: iso(i, 2), {"zone": "Europe/Berlin"}),
        (lambda i: 1_699_000_000 + i * 7 % 5_003, {"features": {"x": {"type": "timestamp"}}}),
        (lambda i: 1_699_000_000 + i * 7 % 5_003, {"features": {"x": {"type": "numeric"}}}),
        (lambda i: str(PRICES[i]), {"features": {"x": {"type": "numeric"}}}),
        (lambda i: -999 if i % 10 == 0 else PRICES[i], {"nulls": [-999]}),
        (lambda i: "None" if i % 20 == 0 else f"k{i % 7}", {"features": {"x": {"nulls": ["None"]}}}),
        (lambda i: f"{PRICES[i]:.2f}".replace(".", ","), {"features": {"x": {"ignore": True}}}),
    ],
)
def test_who_has_answered_is_not_asked_again(value: Callable[[int], object], settings: dict[str, object]) -> None:
    assert warned([value(i) for i in range(ROWS)], settings) == []
