"""By which features outcomes are summed where there are more than can be: those that the model's output depends on."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.columns import Chunk, Key
from driftbus.detectors.outcomes.grouping import Grouping
from driftbus.schemas.messages.block import MOST_BINNED
from driftbus.schemas.stored.reference import Reference

from .test_build import Lists

ROWS, FEATURES = 2_000, 40
DRAW = np.random.default_rng(5)
NUMBERS = DRAW.normal(size=(ROWS, FEATURES))
KIND = np.array(["a", "b", "c"])[DRAW.integers(3, size=ROWS)]
SCORES = 1 / (1 + np.exp(-(2 * NUMBERS[:, 39] - 0.7 * NUMBERS[:, 31] ** 2 + (KIND == "b"))))


class Answered(Lists):
    """With what a model said of them."""

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        for chunk in super().chunks(keys):
            columns = {Key("prediction" if key.name == "said" else "feature", key.name): column for key, column in chunk.columns.items()}
            yield Chunk(chunk.rows, chunk.times, columns)


def built(features: int, said: Any = SCORES) -> Reference:
    columns: dict[str, list[object]] = {f"f{number}": NUMBERS[:, number].tolist() for number in range(features)}
    return build_reference(Answered({**columns, "kind": KIND.tolist(), "said": said.tolist()}, rows=500), "m", "1")


@pytest.mark.parametrize("said", [SCORES, np.where(SCORES > 0.5, "yes", "no")], ids=["a number", "a category"])
def test_what_the_output_depends_on_is_among_them(said: Any) -> None:
    reference = built(FEATURES, said)
    related = {field.name: field.related for field in reference.fields if field.role == "feature"}
    assert sorted(related, key=lambda name: -(related[name] or 0.0))[:3] == ["f39", "f31", "kind"]
    chosen = [one.name for one in Grouping(reference.fields, MOST_BINNED).features]
    assert len(chosen) == MOST_BINNED
    assert {"f39", "f31", "kind"} <= {*chosen}
    assert [one.name for one in Grouping(reference.fields, 1).features] == ["f39"]


def test_where_all_are_taken_nothing_is_asked_and_the_reference_keeps_its_name() -> None:
    assert {field.related for field in built(MOST_BINNED - 1).fields} == {None}
