"""What is accepted takes the place of the old, and nothing else does; what is no longer known is no longer tested."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.consumers.reference.building.accepted import accepted
from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.columns import Column, Key, UnusableReference
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.episodes.step import Suite
from driftbus.schemas.configuration import Model
from driftbus.schemas.configuration.segments import OTHER
from driftbus.schemas.messages.drift import DriftedSignal, Effect, Histogram
from driftbus.schemas.stored.reference import ProfiledField, Reference

from ..columns import Source

MODEL: dict[str, Any] = {"false_alarms": "1 per 30d", "pairs": {"sample": 1}, "segments": {"by": "country"}}
VOLUME = profile_of(np.random.default_rng(0).poisson(100, size=1_000).astype(np.float64))


def _reference(rows: int, countries: list[float], up: float, seed: int) -> Reference:
    draw = np.random.default_rng(seed)
    common: NDArray[np.float64] = draw.normal(size=rows)
    columns: dict[Key, Column] = {
        Key("feature", "amount"): common + up,
        Key("feature", "age"): common + draw.normal(size=rows),
        Key("feature", "height"): draw.normal(size=rows),
        Key("feature", "country"): draw.choice(["DE", "FR", "IT"], size=rows, p=countries).tolist(),
        Key("feature", "comment"): [" ".join(f"w{chr(97 + w)}" for w in words) for words in draw.integers(0, 20, (rows, 9))],
    }
    return build_reference(Source(columns), "fraud", "1", Model.model_validate(MODEL))


OLD = _reference(8_000, [0.5, 0.3, 0.2], 0.0, 1)
NEW = _reference(2_500, [0.6, 0.3, 0.1], 3.0, 2)  # too few rows for Italy


def drifted(name: str, of: str = "values", segment: str | None = None) -> DriftedSignal:
    role = "row" if name.startswith("(") else "feature"
    nothing: dict[str, Any] = {"effect": Effect(), "reference": Histogram(), "current": Histogram(), "rows": 1}
    return DriftedSignal(name=name, of=of, role=role, segment=segment, share=1, change="", log_evidence=9, **nothing)


def field(of: Reference, name: str) -> ProfiledField:
    return next(field for field in of.fields if field.name == name)


@pytest.mark.parametrize(("name", "of", "segment"), [("amount", "values", None), ("amount", "values", "FR"), ("comment", "words", None)])
def test_a_field_is_taken_and_no_other(name: str, of: str, segment: str | None) -> None:
    merged = accepted(OLD, NEW, [drifted(name, of, segment)])
    for one in merged.fields:
        assert one == field(NEW if one.name == name else OLD, one.name)
    for pair in merged.pairs:
        assert pair in (NEW if name in (pair.first, pair.second) else OLD).pairs
    assert len(merged.pairs) == len(OLD.pairs)
    assert merged.joint == (NEW if name == "amount" else OLD).joint
    assert (merged.rows, merged.rate) == (OLD.rows, OLD.rate)
    assert merged.warnings[-1] == f"accepted as normal: {name}, from 2,500 rows"


def test_a_pair_is_taken_with_the_distance_that_knows_it() -> None:
    name = next(signal.name for signal in layout(OLD).signals if signal.of == "pair")
    merged = accepted(OLD, NEW, [drifted(name, "pair")])
    assert merged.fields == OLD.fields
    assert [pair in NEW.pairs for pair in merged.pairs] == [True] + [False] * (len(OLD.pairs) - 1)
    assert merged.joint == NEW.joint


def test_traffic_is_taken_alone() -> None:
    new = NEW.model_copy(update={"volume": VOLUME})
    merged = accepted(OLD, new, [drifted("(volume)", "volume")])
    assert merged == OLD.model_copy(update={"volume": VOLUME, "warnings": merged.warnings, "segments": merged.segments})


@pytest.mark.parametrize(("name", "of"), [("(volume)", "volume"), ("(ids)", "duplicates"), ("(mood)", "values"), ("amount × mood", "pair")])
def test_what_the_new_rows_do_not_tell_is_refused(name: str, of: str) -> None:
    signal = drifted(name, of).model_copy(update={"role": "row" if of in ("volume", "duplicates") else "feature"})
    with pytest.raises(UnusableReference, match="do not tell what is normal now"):
        accepted(OLD, NEW, [drifted("amount"), signal])


def test_segments_keep_what_is_known_of_them() -> None:
    merged = accepted(OLD, NEW, [drifted("amount")])
    assert merged.segmentation == OLD.segmentation
    assert [one.name for one in merged.segments] == ["DE", "FR", "IT"]
    plan, before = layout(merged), layout(OLD)
    for one, old in zip(merged.segments, OLD.segments, strict=True):
        for signal in plan.signals:
            source = before.find(signal.name, signal.of)
            if signal.name != "amount" and signal.group in ("values", "availability") and source is not None:
                assert one.counts[signal.span] == old.counts[source.span]
    amount = plan.find("amount", "values")
    assert amount is not None
    rows = {one.name: sum(one.counts[amount.span]) for one in merged.segments}
    assert rows["IT"] == 0
    assert rows["DE"] == next(one.rows for one in NEW.segments if one.name == "DE")
    tests = Suite(
        merged, Model.model_validate(MODEL), application="a", stream="s", configuration_hash="sha256:c", reference_hash="sha256:r"
    )
    tested = {signal.key for signal in tests.bets.signals}
    assert ("amount", "values", "DE") in tested
    assert ("amount", "values", "IT") not in tested
    assert ("age", "values", "IT") in tested


def test_the_rest_of_other_segments_is_another_rest() -> None:
    old, new = (_reference(rows, [0.5, 0.3, 0.2], up, rows) for rows, up in ((3_200, 0.0), (2_000, 3.0)))
    assert [[one.name for one in each.segments] for each in (old, new)] == [["DE", "FR", "IT"], ["DE", "FR"]]
    rest = old.segments[2].model_copy(update={"name": OTHER})
    old, new = old.model_copy(update={"segments": (*old.segments[:2], rest)}), new.model_copy(update={"segments": (*new.segments, rest)})
    merged = accepted(old, new, [drifted("amount")])
    amount = layout(merged).find("amount", "values")
    assert amount is not None
    assert [sum(one.counts[amount.span]) > 0 for one in merged.segments] == [True, True, False]


def test_a_segment_of_other_rules_is_another_segment() -> None:
    assert NEW.segmentation is not None
    new = NEW.model_copy(update={"segmentation": NEW.segmentation.model_copy(update={"rules": {"DE": "age < 3"}})})
    merged = accepted(OLD, new, [drifted("amount")])
    amount = layout(merged).find("amount", "values")
    assert amount is not None
    assert not any(sum(one.counts[amount.span]) for one in merged.segments)
