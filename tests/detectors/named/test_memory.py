"""What river's detectors remember: plain, whole, and nothing that could be run."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from river import drift

from driftbus.detectors.named.interface import Plain
from driftbus.detectors.named.memory import Foreign, attributes, restore

Make = Callable[[], Any]  # river gives no types
MADE: tuple[Make, ...] = (
    drift.ADWIN,
    drift.PageHinkley,
    lambda: drift.KSWIN(seed=1),
    drift.binary.DDM,
    drift.binary.EDDM,
    drift.binary.HDDMA,
    drift.binary.HDDMW,
)
every_detector = pytest.mark.parametrize("make", MADE, ids=lambda make: type(make()).__name__)


def _fed(make: Make, rows: int) -> Any:
    detector = make()
    for value in np.random.default_rng(0).random(rows) < 0.3:
        detector.update(float(value))
    return detector


@every_detector
@pytest.mark.parametrize("rows", [0, 1, 31, 450])
def test_one_restored_goes_on_like_the_first(make: Make, rows: int) -> None:
    first, second = _fed(make, rows), make()
    restore(second, attributes(first))
    assert attributes(second) == attributes(first)
    for value in np.random.default_rng(1).random(400) < 0.6:
        first.update(float(value))
        second.update(float(value))
        assert first.drift_detected == second.drift_detected
    assert attributes(second) == attributes(first)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=3) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@every_detector
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_foreign_content_is_refused_or_is_numbers(make: Make, data: st.DataObject, capfd: pytest.CaptureFixture[str]) -> None:
    written = attributes(_fed(make, 40))
    name = data.draw(st.sampled_from(sorted(written)))
    detector = make()
    before = {key: type(value) for key, value in vars(detector).items() if hasattr(value, "__dict__") or callable(value)}
    with contextlib.suppress(Foreign):
        restore(detector, written | {name: data.draw(plain)})
    assert {key: type(value) for key, value in vars(detector).items() if key in before} == before
    capfd.readouterr()  # Rust tells of what it cannot read


@every_detector
def test_other_attributes_are_refused(make: Make) -> None:
    written = attributes(make())
    others: tuple[Plain, ...] = (written | {"update": 1}, {}, {"__class__": "os.system"}, None, [1], b"\x80\x04cos\nsystem\n.")
    for changed in others:
        with pytest.raises(Foreign):
            restore(make(), changed)


def test_cut_bytes_of_a_compiled_class_are_refused(capfd: pytest.CaptureFixture[str]) -> None:
    make, *_ = MADE
    written = attributes(_fed(make, 200))
    numbers = written["_helper"]
    assert isinstance(numbers, bytes)
    for changed in (numbers[:-3], numbers + b"123"):
        with pytest.raises(Foreign):
            restore(make(), written | {"_helper": changed})
    capfd.readouterr()
