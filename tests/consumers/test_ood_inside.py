"""In which bins rows lie whose text is known to be in the core, or an outlier: so that drift of features is told from new requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.detectors.counting.layout import layout
from driftbus.detectors.familiarity import CELLS
from driftbus.detectors.neighbours.bins import KINDS, InBins
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.stored.reference import Reference

from ..streaming import BEGINNING
from .test_ood_stage import World, many, tallied
from .unlike_world import asked, built, settings, written

ROWS = 2_000


def rows(number: int, seed: int, new: float = 0.0) -> Iterator[dict[str, Any]]:
    """Questions with an amount and a shop; who asks something new does so in a shop that few others ask in."""
    draw = np.random.default_rng(seed)
    for row in asked(draw, number, new):
        shop = "airport" if any(word in row["question"] for word in ("flight", "plane", "airport", "rent a")) else f"s{draw.integers(3)}"
        yield {"question": row["question"], "amount": float(draw.normal(100, 30)), "shop": shop, "prediction": row["prediction"]}


def messages(number: int, new: float) -> list[bytes]:
    found = []
    for row in rows(number, 5, new):
        prediction = row.pop("prediction")
        found.append(msgspec.json.encode({"model": "m0", "version": "1", "features": row, "prediction": prediction}))
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("inside")
    training = ({**row, "at": BEGINNING - (3_000 - number) * 1_000} for number, row in enumerate(rows(3_000, 1, 0.002)))
    (folder / "train.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, training)))
    chosen = settings(folder, {"of": "question", "embedder": "sketch"})
    return chosen, built(chosen)


def by_kind(profile: Reference, pane: Pane, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """[kinds, bins] of a feature."""
    bins = InBins(layout(profile))
    return pane.inside.reshape(len(KINDS), bins.size)[:, bins.span(name)]


def test_those_are_counted_that_were_looked_at_exactly(world: World) -> None:
    (pane,), _ = tallied(world, messages(ROWS, 0.2), 5_000)
    looked, outside, outliers = pane.counts[CELLS + 1 : CELLS + 4].tolist()
    assert ROWS / 25 < looked < ROWS / 10
    for name in ("amount", "shop"):
        assert by_kind(world[1], pane, name).sum(axis=1).tolist() == [looked, outside, outliers]
    scored, of_outside, of_outliers = by_kind(world[1], pane, "shop")
    at = int(np.argmax(of_outliers))
    assert of_outliers[at] > 0.5 * outliers > 0, "whoever asks something new asks it there"
    assert scored[at] - of_outside[at] < 0.2 * scored[at], "and in the core hardly anybody does"
    assert (of_outside >= of_outliers).all()


def test_no_batch_shows_in_them(world: World) -> None:
    values = messages(500, 0.3)
    (whole,), _ = tallied(world, values, 5_000)
    assert whole.inside.any()
    for batch in (1, 7, 97):
        (pane,), _ = tallied(world, values, batch)
        assert pane.encoded() == whole.encoded()


def test_without_features_there_are_none(tmp_path: Path) -> None:
    written(tmp_path, 2_000)
    chosen = settings(tmp_path, {"of": ["question", "vector"], "embedder": "sketch"})
    (pane,), _ = tallied((chosen, built(chosen)), many(300, 0.3), 5_000)
    assert len(pane.inside) == 0
