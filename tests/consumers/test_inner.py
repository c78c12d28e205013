"""Products of those rows that are known to be no outliers: what a loop over blocks finds, and only where somebody asks for them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.reference.outcomes import Bases
from driftbus.detectors.outcomes.layout import layout, products
from driftbus.detectors.outcomes.values import UNIT
from driftbus.schemas.configuration import Model
from driftbus.schemas.messages.block import MOST_BINNED, NO_BIN, NO_OUTLIER, Block
from driftbus.schemas.messages.pane import REVISIONS, Pane

from ..battery.known import familiar_reference
from ..battery.worlds import LABELS, World, fill, settings_of
from ..streaming import everything

Integers = NDArray[np.int64]


def blocks(world: World) -> Iterator[Block]:
    for events in everything(world.opened[0], world.settings.topics.joins).values():
        for event in events:
            if dict(event.headers)["ce_type"] == b"io.driftbus.block":
                yield Block.decoded(event.value)


def revised(world: World, size: int) -> Integers:
    """What all revisions of m0 add up to."""
    found = [event for event in world.outcome().panes if dict(event.headers)["ce_type"] == b"io.driftbus.pane"]
    panes = [pane for pane in (Pane.decoded(event.value) for event in found) if pane.of == REVISIONS and pane.reference]
    assert {len(pane.counts) for pane in panes} == {size}
    return np.asarray(sum(pane.counts for pane in panes))


def test_rows_that_are_no_outliers_are_summed_apart(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "inner")
    with closing(EmbeddedBus(":memory:", "inner", "log")) as log:
        world = World(log.as_instance, settings, tmp_path, [log])
        fill(world)
        world.finish(world.bus(), "profiler", "joiner")
        profile = familiar_reference(settings)
        basis = Bases(settings, lambda _: profile)("m0", profile.name, LABELS)
        plan = layout(basis)
        found = revised(world, plan.size)
        labels = [one for one in blocks(world) if one.side == "labels"]
        known = {tuple(half): value for one in labels for half, value in zip(one.halves.tolist(), one.values.tolist(), strict=True)}
        every, inner = expected(list(blocks(world)), known, plan.groups, [feature.groups for feature in basis.features])
    assert basis.inner
    assert [feature.name for feature in basis.features] == ["amount", "age", "colour"]
    assert 0 < inner[0] < every[0]
    for part, (rows, y, matrix) in (("", every), ("inner ", inner)):
        assert plan.number(found, f"{part}rows") == rows
        assert plan.number(found, f"{part}y") == y * UNIT
        upper = plan.take(found, f"{part}hh")
        assert upper.tolist() == matrix[np.triu_indices(plan.groups)].tolist()
    assert products(plan, found).tolist() == every[2].tolist()


def expected(found: list[Block], known: dict[tuple[int, ...], int], width: int, groups: list[int]) -> list[tuple[int, int, Integers]]:
    """Rows, positive outcomes and products of groups: of all rows with an outcome, and of those that are no outliers."""
    first = np.cumsum([0, *groups[:-1]])
    told: list[tuple[int, int, Integers]] = []
    for inner in (False, True):
        rows, positive, matrix = 0, 0, np.zeros((width, width), dtype=np.int64)
        for block in (one for one in found if one.side == "predictions"):
            flags = np.frombuffer(block.outliers, dtype=np.uint8) if block.outliers else np.zeros(block.rows, dtype=np.uint8)
            for row, half in enumerate(block.halves.tolist()):
                if tuple(half) in known and block.whose[block.of[row]].reference and (not inner or flags[row] == NO_OUTLIER):
                    rows, positive = rows + 1, positive + known[tuple(half)]
                    columns = [at + code for at, code in zip(first, block.groups[row].tolist(), strict=False) if code != NO_BIN]
                    matrix[np.ix_(columns, columns)] += 1
        told.append((rows, positive, matrix))
    return told


ASKED: dict[str, tuple[dict[str, Any], int | tuple[str, ...], bool]] = {
    "labels alone": ({"labels": "l"}, MOST_BINNED, False),
    "compared, too": ({"labels": "l", "ood": {}}, MOST_BINNED, True),
    "no diagnosis": ({"labels": "l", "ood": {}, "diagnosis": "off"}, 0, False),
    "as configured": ({"labels": "l", "ood": {}, "outcomes": {"features": ["a"]}}, ("a",), True),
    "none": ({"labels": "l", "ood": {}, "outcomes": {"features": 0}}, 0, False),
    "as configured, without diagnosis": ({"labels": "l", "diagnosis": "off", "outcomes": {"features": 3}}, 3, False),
    "no labels": ({"ood": {}}, 0, False),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_summed_follows_from_what_is_asked(case: str) -> None:
    written, grouped, inner = ASKED[case]
    model = Model.model_validate(written)
    assert (model.grouped, model.inner) == (grouped, inner)
