"""References and buckets to test with: ordinary ones, and the degenerate ones that a uniform strategy would miss."""

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.counting.bins import bins_of, profile_of
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.episodes.step import Bucket, Offsets, Suite
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile, ProfiledField, Reference

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

SECONDS = 10
MONTH = Model.model_validate({"false_alarms": "1 per 30d", "rate": 10})


def numeric_field(name: str, values: Floats, nulls: int = 0) -> ProfiledField:
    """A numeric feature profiled from these values."""
    states = AvailabilityProfile(counts=(len(values), nulls, 0, 0))
    return ProfiledField(name=name, type="numeric", values=profile_of(values), availability=states)


def categorical_field(name: str, counts: Sequence[int], other: int = 0) -> ProfiledField:
    """A categorical feature with so many rows of each category."""
    names = tuple(f"c{place}" for place in range(len(counts)))
    states = AvailabilityProfile(counts=(sum(counts) + other, 0, 0, 0))
    return ProfiledField(
        name=name, type="categorical", values=CategoricalProfile(categories=names, counts=(*counts, other)), availability=states
    )


def reference_of(*fields: ProfiledField) -> Reference:
    """A reference of these fields."""
    return Reference(model="fraud", version="1", rows=max(sum(field.availability.counts) for field in fields), fields=fields)


def compiled_for(reference: Reference, settings: Model = MONTH) -> Suite:
    """Compiled."""
    return Suite(reference, settings, application="watch", stream="scored", configuration_hash="sha256:c", reference_hash="sha256:r")


def counts_of(reference: Reference, columns: dict[str, Floats], rows: int) -> Counts:
    """What a profiler would count: a column shorter than ``rows`` has nulls; a name that is not given has none but nulls."""
    plan = layout(reference)
    counts = np.zeros(plan.size + plan.wide, dtype=np.int64)
    for signal in plan.signals:
        values = columns.get(signal.name, np.zeros(0))
        if signal.of == "availability":
            counts[signal.span] = len(values), rows - len(values), 0, 0
            continue
        profile = signal.profile
        places = bins_of(profile, values) if isinstance(profile, NumericProfile) else values.astype(np.int64)
        counts[signal.span] = np.bincount(places, minlength=signal.size)
    return counts


def bucket_of(number: int, counts: Counts, rows: int) -> Bucket:
    """The bucket of that number, counted from one partition."""
    start = number * SECONDS * 1000
    offsets = (Offsets("scored", 0, number * rows, (number + 1) * rows - 1),)
    return Bucket(start, start + SECONDS * 1000, rows, 0, counts, np.zeros(0, dtype=np.int64), True, False, offsets)


_columns: tuple[Callable[[np.random.Generator], Floats], ...] = (
    lambda rng: rng.normal(size=700),
    lambda rng: rng.exponential(size=900) * 1e9,
    lambda rng: np.round(rng.normal(size=600)),
    lambda rng: np.full(500, 3.0),
    lambda rng: np.repeat([0.0, 1.0], [599, 1]),
    lambda rng: np.repeat([-1e-9, 5.0], [300, 300]),
    lambda rng: np.where(rng.random(800) < 0.9, 0.0, rng.normal(size=800)),
    lambda rng: np.array([7.0]),
)


@st.composite
def references(draw: st.DrawFn) -> Reference:
    """Up to four fields: any mixture of smooth, discrete, constant, nearly constant, categorical, and without values."""
    fields: list[ProfiledField] = []
    for place in range(draw(st.integers(1, 4))):
        rng = np.random.default_rng(draw(st.integers(0, 9)))
        name = f"f{place}"
        match draw(st.sampled_from(("numeric", "categorical", "none"))):
            case "numeric":
                fields.append(numeric_field(name, draw(st.sampled_from(_columns))(rng), nulls=draw(st.sampled_from((0, 1, 400)))))
            case "categorical":
                counts = draw(st.lists(st.sampled_from((0, 1, 30, 500, 10**7)), min_size=1, max_size=5))
                fields.append(categorical_field(name, counts, draw(st.sampled_from((0, 1, 200)))))
            case _:
                states = AvailabilityProfile(counts=(600, draw(st.sampled_from((0, 5000))), 0, 3), tau=(40.0, 1.0, 1.0, 2.0))
                fields.append(ProfiledField(name=name, type="numeric", availability=states))
    return reference_of(*fields)


@st.composite
def panes(draw: st.DrawFn, reference: Reference) -> Counts:
    """Counts in the reference's layout: empty, all in one bin, spread, huge, or less than nothing after a correction."""
    plan = layout(reference)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    counts = np.zeros(plan.size + plan.wide, dtype=np.int64)
    for signal in plan.signals:
        match draw(st.sampled_from(("empty", "one", "spread", "huge", "like", "corrected"))):
            case "one":
                counts[signal.start + draw(st.integers(0, signal.size - 1))] = draw(st.sampled_from((1, 50, 10**12)))
            case "spread":
                counts[signal.span] = rng.integers(0, 20, signal.size)
            case "huge":
                counts[signal.span] = rng.integers(0, 10**12, signal.size)
            case "like":
                known = signal.reference_counts
                counts[signal.span] = rng.multinomial(200, known / known.sum()) if known.sum() else 0
            case "corrected":
                counts[signal.span] = rng.integers(-2, 3, signal.size)
            case _:
                pass
    return counts
