"""Segments through the product: a change in one of them is said to be there, a change of all rows is global."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from driftbus.consumers.command.main import main
from driftbus.schemas.configuration.segments import OTHER
from driftbus.schemas.messages.drift import DriftEvent

from ..replaying import Columns, replayed

COUNTRIES = ["DE", "FR", "US", "IT"]


def rows(draw: np.random.Generator, number: int, shifted: tuple[str, ...] = (), by: float = 0.0) -> Columns:
    country = draw.choice(COUNTRIES, size=number, p=[0.5, 0.3, 0.19, 0.01])
    amount = draw.normal(size=number) + by * np.isin(country, shifted)
    return {"country": country.tolist(), "amount": amount.tolist(), "age": draw.integers(18, 60, number).tolist()}


def run(folder: Path, shifted: tuple[str, ...], by: float, segments: dict[str, Any]) -> list[DriftEvent]:
    draw = np.random.default_rng(7)
    quiet, live = rows(draw, 10_000), rows(draw, 4_000, shifted, by)
    return replayed(folder, quiet, live, segments=segments, false_alarms="1 per 30d").events


@pytest.mark.parametrize("segments", [{"by": "country"}, {"rules": {"US": "country == US", "young": "age < 25 and country != US"}}])
def test_a_change_in_one_segment_is_local(tmp_path: Path, segments: dict[str, Any]) -> None:
    opened = run(tmp_path, ("US",), 0.6, segments)[0]
    assert opened.status == "opened"
    assert opened.scope == "local"
    assert {(s.name, s.segment or s.only_in) for s in opened.signals} <= {("amount", "US"), ("amount", ("US",))}


@pytest.mark.parametrize("by", [0.6, 1.5])
def test_what_all_rows_show_of_it_later_is_local_too(tmp_path: Path, by: float) -> None:
    opened, *later = run(tmp_path, ("FR",), by, {"by": "country"})
    assert {event.scope for event in (opened, *later)} == {"local"}
    assert {event.episode for event in later} <= {opened.episode}


@pytest.mark.parametrize(("by", "segments"), [(0.6, {"by": "country"}), (2.0, {"rules": {"young": "age < 39"}})])  # at once in each
def test_a_change_of_all_rows_is_global_and_said_once(tmp_path: Path, by: float, segments: dict[str, Any]) -> None:
    opened, *later = run(tmp_path, tuple(COUNTRIES), by, segments)
    assert opened.scope == "global"
    assert [(s.name, s.segment) for s in opened.signals] == [("amount", None)]
    assert not any(event.status == "opened" for event in later)


def test_nothing_changes_nothing_is_said(tmp_path: Path) -> None:
    assert run(tmp_path, (), 0.0, {"by": "country"}) == []


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ({"by": "age"}, "models.m.segments.by: age: it is numeric; write rules, or set its type: categorical"),
        ({"by": "region"}, "models.m.segments.by: region: there is no such field"),
        ({"rules": {"a": "region == 1"}}, "models.m.segments.rules.a: there is no field 'region'"),
        ({"rules": {"a": "country < 3"}}, "models.m.segments.rules.a: country is not numeric: only == and != can be asked"),
        ({"rules": {"a": "age"}}, '"age" is not a condition'),
        ({"rules": {OTHER: "age < 3"}}, "that name is taken"),
        ({}, "write either by"),
    ],
)
def test_what_makes_no_segments_is_refused(tmp_path: Path, segments: dict[str, Any], reason: str) -> None:
    draw = np.random.default_rng(7)
    run = replayed(tmp_path, rows(draw, 1_000), rows(draw, 10), segments=segments, check=False)
    assert reason in run.output


def test_segments_with_few_rows_are_told(tmp_path: Path) -> None:
    rules = {"rare": "age == 18 and country == IT", "US": "country == US"}
    draw = np.random.default_rng(7)
    replayed(tmp_path, rows(draw, 10_000), rows(draw, 10), segments={"rules": rules})
    built = CliRunner().invoke(main, ["reference", "build", "m", "--from-start", "--dry-run", "--config", str(tmp_path / "driftbus.yaml")])
    assert "warning: segments with fewer than 500 rows are not watched by themselves: rare" in built.output
