"""Rules of segments: numbers are compared as numbers, everything else as the text that it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.layout import Layout, layout
from driftbus.detectors.counting.segments import Coded, Segmenter, unusable
from driftbus.schemas.configuration.segments import OTHER, conditions
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, ProfiledField, Reference
from driftbus.schemas.stored.segmentation import Segmentation

PRESENT = AvailabilityProfile(counts=(1_000, 0, 0, 0))
CODES = CategoricalProfile(categories=("01234", "99999"), counts=(500, 500, 0))
NUMBERS = profile_of(np.arange(1_000, dtype=np.float64))
PLAN: Layout = layout(
    Reference(
        model="m",
        version="1",
        rows=1_000,
        fields=(
            ProfiledField(name="zip", type="categorical", values=CODES, availability=PRESENT),
            ProfiledField(name="amount", type="numeric", values=NUMBERS, availability=PRESENT),
        ),
    )
)
#: Codes that are not numbers, however Python reads them.
TEXTS = ("01234", "1_000", "INF", "-inf", "nan", "NaN", "Infinity", "1.", "+7", "0x10", "1e999", "٣", "007", "-01", "00", "1__0", "'25'")


def segment(rule: str, *, zip_: str = "99999", amount: float = 0.0) -> str:
    segmenter = Segmenter(Segmentation(rules={"a": rule}, names=("a", OTHER)), PLAN)
    return segmenter.names[int(segmenter.of(np.array([[amount]]), Coded([np.array([0])], [[zip_]]))[0])]


@pytest.mark.parametrize("written", [*TEXTS, "1e3", "25", "25.0", "1.50", ".5", "1e+16", "-0"])
def test_a_category_is_compared_as_it_is_written(written: str) -> None:
    text = written.strip("'")
    assert segment(f"zip == {written}", zip_=text) == "a"
    assert segment(f"zip != {written}", zip_=text) == OTHER
    others = {"1234", "1000", "inf", "25", "0.5", "1.5", "1e16", "0", "7", "16", "3"} - {text}
    assert {segment(f"zip == {written}", zip_=other) for other in others} == {OTHER}


@pytest.mark.parametrize("written", TEXTS)
def test_a_code_is_no_number(written: str) -> None:
    assert unusable(f"amount == {written}", PLAN)
    assert unusable(f"amount != {written}", PLAN)
    assert unusable(f"zip == {written}", PLAN) is None
    with pytest.raises(ValueError, match="needs a number"):
        conditions(f"amount < {written}")


@pytest.mark.parametrize(("written", "number"), [("25", 25), ("-0.5", -0.5), (".5", 0.5), ("1e3", 1_000), ("2E-3", 0.002), ("0", 0)])
def test_a_number_is_compared_as_a_number(written: str, number: float) -> None:
    assert unusable(f"amount == {written}", PLAN) is None
    assert segment(f"amount == {written}", amount=number) == "a"
    assert segment(f"amount >= {written}", amount=number + 1) == "a"
    assert segment(f"amount < {written}", amount=number) == OTHER


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_every_number_as_json_writes_it_is_one(number: float) -> None:
    (condition,) = conditions(f"amount == {number!r}")
    assert condition.value == number
    assert condition.text == repr(number)


def test_quotes_go_in_pairs() -> None:
    for written, text in (('"it\'s"', "it's"), ("'x'", "x"), ("6'", "6'"), ("'a\"", "'a\""), ("''", "")):
        assert [one.text for one in conditions(f"a == {written}")] == [text]
