"""References from data in which names, categories and other models' messages are of any text."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.reference.building.build import UnusableReference
from driftbus.consumers.reference.building.left_out import MOST_REASONS, LeftOut
from driftbus.consumers.reference.building.source import reference_of
from driftbus.schemas.stored.reference import CategoricalProfile, Reference
from driftbus.schemas.text import CATEGORY, UNKNOWN_FIELD, fitted

from ..streaming import configuration

HALF, LOW, LONG = "\ud800", "\udfff", "n" * 10_000
ROWS = 600


def built(file: Path, messages: list[dict[str, object]], **table: object) -> Reference:
    """From JSON lines, and read again from what is stored."""
    file.write_text("\n".join(map(json.dumps, messages)), encoding="utf-8")
    settings = configuration(models={"m": {"reference": {"file": str(file), **table}}})
    return Reference.decoded(reference_of(settings, "m", "1").encoded())


def rows(**odd: object) -> list[dict[str, object]]:
    draw = np.random.default_rng(0)
    return [
        {"model": "m", "version": "1", "time": 1_700_000_000_000 + i * 1000, "features": {"amount": draw.normal(), **odd}}
        for i in range(ROWS)
    ]


@pytest.mark.parametrize("name", [HALF, f"a{LOW}", LONG], ids=["half", "low", "long"])
def test_a_column_whose_name_cannot_be_written_is_ignored_and_said(tmp_path: Path, name: str) -> None:
    reference = built(tmp_path / "rows.jsonl", rows(**{name: 0.5}))
    assert [field.name for field in reference.fields] == ["amount"]
    [(ignored, reason)] = reference.ignored.items()
    assert ignored == fitted(name, UNKNOWN_FIELD)
    assert "rename it" in reason


def test_messages_of_models_of_any_name_are_left_out(tmp_path: Path) -> None:
    others: list[dict[str, object]] = [{**rows()[0], "model": name} for name in (HALF, LOW, LONG, "\x00")]
    reference = built(tmp_path / "rows.jsonl", [*rows(), *others])
    assert reference.rows == ROWS
    assert sum("left out" in warning for warning in reference.warnings) == 3
    assert max(map(len, reference.warnings)) < 2_000


def test_reasons_are_bounded() -> None:
    left_out = LeftOut()
    for number in range(10 * MOST_REASONS):
        left_out.note(f"of request-{number}")
    assert len(left_out) == MOST_REASONS + 1
    assert left_out.most_common(1) == [("for other reasons", 9 * MOST_REASONS)]


def test_categories_of_a_megabyte_are_cut_and_stay_apart(tmp_path: Path) -> None:
    values = [LONG + end for end in "ab"]
    messages = [{**row, "features": {"amount": i % 7, "kind": values[i % 2]}} for i, row in enumerate(rows())]
    reference = built(tmp_path / "rows.jsonl", messages)
    kind = next(field.values for field in reference.fields if field.name == "kind")
    assert isinstance(kind, CategoricalProfile)
    assert sorted(kind.categories) == sorted(fitted(value, CATEGORY) for value in values)
    assert kind.counts == (ROWS // 2, ROWS // 2, 0)
    assert len(reference.encoded()) < 20_000


def test_a_file_whose_name_is_no_unicode_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"rows-\xff.jsonl")
    assert any("rows-\\udcff" in warning for warning in built(file, rows()).warnings)


@pytest.mark.parametrize("name", [HALF, "a\nb", "n" * 501])
def test_no_reference_is_built_for_a_model_that_no_message_can_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableReference, match="can be so called"):
        reference_of(configuration(), name, "1")
    with pytest.raises(UnusableReference, match="can be so called"):
        reference_of(configuration(), "m", name)
