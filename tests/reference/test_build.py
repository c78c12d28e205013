"""References: what is built says what numpy says of the same rows, and what the live path counts of them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.reference.building.build import UnusableReference, build_reference
from driftbus.consumers.reference.building.columns import Chunk, Key, column_of
from driftbus.consumers.reference.building.tables import TableSource, open_table
from driftbus.consumers.replay.canonical import messages
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import bins_of
from driftbus.detectors.counting.layout import layout
from driftbus.schemas.configuration import Model, Table
from driftbus.schemas.configuration.mapping import Mapping as Places
from driftbus.schemas.stored.reference import CategoricalProfile, NumericProfile, ProfiledField, Reference


class Lists:
    """Columns of Python's values as a source, in chunks of any length."""

    label = "lists"

    def __init__(self, columns: Mapping[str, Sequence[object]], times: Sequence[int] | None = None, rows: int = 1_000) -> None:
        self._columns, self._times, self._rows = columns, times, rows
        self._length = max(map(len, columns.values()), default=0)

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        names = [key.name for key in keys] if keys is not None else list(self._columns)
        for first in range(0, self._length, self._rows):
            part = slice(first, first + self._rows)
            columns = {Key("feature", name): column_of(list(self._columns[name][part])) for name in names}
            times = None if self._times is None else np.array(self._times[part], dtype=np.int64)
            yield Chunk(min(self._rows, self._length - first), times, columns)

    def remarks(self) -> Sequence[str]:
        return []


def built(values: Sequence[object], settings: dict[str, object] | None = None) -> ProfiledField:
    (field,) = of({"x": values}, {"x": settings or {}}).fields
    return field


def of(columns: Mapping[str, Sequence[object]], features: Mapping[str, object] | None = None) -> Reference:
    return build_reference(Lists(columns), "m", "1", Model.model_validate({"features": features or {}}))


DRAW = np.random.default_rng(0)


def test_numbers_are_those_of_numpy() -> None:
    values = np.random.default_rng(1).gamma(2, 3, 5_000)
    field = built(values.tolist())
    assert isinstance(field.values, NumericProfile)
    assert field.values.mean == pytest.approx(values.mean())
    assert field.values.sd == pytest.approx(values.std())
    assert field.values.quantiles[3] == np.quantile(values, 0.5, method="inverted_cdf")
    assert field.availability.counts == (5_000, 0, 0, 0)


def test_an_integer_is_a_number_and_a_boolean_a_category() -> None:
    reference = of({"n": DRAW.integers(0, 9, 900).tolist(), "b": (DRAW.random(900) < 0.3).tolist()})
    assert [field.type for field in reference.fields] == ["numeric", "boolean"]
    flag = reference.fields[1].values
    assert isinstance(flag, CategoricalProfile)
    assert (flag.categories, flag.boolean, flag.counts[-1]) == (("false", "true"), True, 0)


def test_texts_of_numbers_are_numbers_and_nil_is_invalid() -> None:
    texts = [f"{value:.2f}" for value in DRAW.normal(25, 4, 2_000)]
    field = built([*texts, *["nil"] * 15, *[None] * 5])
    assert isinstance(field.values, NumericProfile)
    assert field.values.parse
    assert field.values.mean == pytest.approx(np.mean([float(text) for text in texts]))
    assert field.availability.counts == (2_000, 5, 15, 0)


def test_too_many_nils_are_said_and_overruled() -> None:
    texts = [f"{value:.3f}" for value in DRAW.normal(25, 4, 2_000)] + ["nil"] * 60
    reference = of({"isig": texts, "y": list(range(2_060))})
    assert reference.ignored == {"isig": "97.1% of its texts are numbers, too few to be sure; set its type: numeric to watch them"}
    field = built(texts, {"type": "numeric"})
    assert isinstance(field.values, NumericProfile)
    assert field.availability.counts == (2_000, 0, 60, 0)


def test_an_outage_is_dependent() -> None:
    field = built([None if i % 10_000 < 400 else value for i, value in enumerate(DRAW.normal(size=50_000).tolist())])
    assert field.availability.tau[1] == pytest.approx(400, rel=0.5)
    assert isinstance(field.values, NumericProfile)
    assert field.values.tau == (1, 1, 1, 1)


def test_a_column_of_nulls_is_watched_for_its_availability_alone() -> None:
    reference = of({"empty": [None] * 600, "rare": [None] * 200 + [1.5] * 400, "full": DRAW.normal(size=600).tolist()})
    empty, rare, full = reference.fields
    assert (empty.values, empty.availability.counts) == (None, (0, 600, 0, 0))
    assert (rare.values, rare.availability.counts) == (None, (400, 200, 0, 0))
    assert full.values is not None
    assert "fewer than 500 rows have a value, only availability is watched: empty (0), rare (400)" in reference.warnings


def test_a_constant_column_is_one_bin() -> None:
    field = built([3] * 700)
    assert isinstance(field.values, NumericProfile)
    assert field.values.counts == (0, 700, 0)


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([*[1.5] * 900, *["a"] * 50, *[True] * 20, *[[1]] * 10, *[None] * 10, *[UNSET] * 10], (900, 10, 80, 10)),
        ([*[float("nan")] * 100, *[float("inf")] * 100, *[0.5] * 800], (800, 100, 100, 0)),
    ],
)
def test_of_mixed_types_the_commonest_counts(values: list[object], counts: tuple[int, ...]) -> None:
    field = built(values)
    assert (field.type, field.availability.counts) == ("numeric", counts)


def test_categories_are_the_commonest_and_other() -> None:
    texts = [f"c{min(i % 211, i % 97)}" for i in range(20_000)]
    field = built(texts)
    assert isinstance(field.values, CategoricalProfile)
    values, counts = np.unique(texts, return_counts=True)
    commonest = sorted(zip((-counts).tolist(), values.tolist(), strict=True))[:64]
    assert [(-rows, text) for rows, text in commonest] == list(zip(field.values.counts[:-1], field.values.categories, strict=True))
    assert sum(field.values.counts) == 20_000
    assert field.values.distinct == 97
    assert len(field.values.tau) == 65


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            lambda i: f"2026-03-01T10:{i % 60:02}:{i // 60:02}Z",
            "times are watched by their age, and the time of these rows is not known; name it: time",
        ),
        (lambda i: f"id-{i}", "ids: 600 different texts in 600 rows; if not, set its type: categorical"),
        (lambda i: {"a": i}, "objects or lists; name the paths of single values in the mapping"),
        (lambda i: [{"a": i}], "objects or lists; name the paths of single values in the mapping"),
        (lambda i: [i], "lists of 1 numbers; vectors of 2 to 4,096 are watched"),
        (lambda i: [i] * (2 + i % 3), "200 of 600 lists of numbers have 2 of them; vectors are watched that have one size"),
    ],
)
def test_what_is_not_watched_is_said(value: Callable[[int], object], reason: str) -> None:
    reference = of({"x": [value(i) for i in range(600)], "y": list(range(600))})
    assert [field.name for field in reference.fields] == ["y"]
    assert re.fullmatch(reason, reference.ignored["x"])


def test_settings_overrule_the_rows() -> None:
    columns: dict[str, list[object]] = {"id": [f"i{i}" for i in range(600)], "code": [i % 7 for i in range(600)], "secret": [1.0] * 600}
    reference = of(columns, {"id": {"type": "categorical"}, "c*": {"type": "categorical"}, "secret": "ignore"})
    assert [(field.name, field.type) for field in reference.fields] == [("id", "categorical"), ("code", "categorical")]
    assert isinstance(reference.fields[1].values, CategoricalProfile)
    assert sorted(reference.fields[1].values.categories) == list("0123456")
    assert reference.ignored == {"secret": "ignored by configuration"}


def test_times_are_told() -> None:
    source = Lists({"x": DRAW.normal(size=3_000).tolist()}, times=[i * 100_000 + (i >= 2_000) * 60_000 for i in range(3_000)], rows=7)
    reference = build_reference(source, "m", "1")
    assert (reference.first, reference.last, reference.longest_gap, reference.ordered) == (0, 299_960_000, 160_000, True)
    assert reference.warnings == ()


def test_warnings_say_what_is_lost() -> None:
    reference = of({"x": DRAW.normal(size=1_200).tolist(), "row": list(range(1_200))})
    assert reference.warnings == (
        "lists has 1,200 rows: shifts under 0.15 sd stay unseen; give 2,000 or more",
        "lists has no times: if its rows are not in the order of time, dependence is unchecked",
        "row rises with every row, as ids and times do; if it is one, ignore it, for it will always drift",
    )


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"x": [1.0] * 499}, "lists has 499 rows for m/1, 500 are needed"),
        ({}, "lists has 0 rows"),
        ({"x": [[]] * 500}, "lists has no column to watch: x: objects or lists"),
    ],
)
def test_what_is_too_little_is_refused(columns: dict[str, list[object]], reason: str) -> None:
    with pytest.raises(UnusableReference, match=reason):
        of(columns)


_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=True, width=16),
    st.sampled_from(["a", "b", "1", "2.5", "é", ""]),
    st.just(UNSET),
)


@settings(max_examples=40)
@given(few=st.lists(_values, min_size=1, max_size=6), rows=st.integers(500, 700), chunk=st.sampled_from([13, 100, 499, 700]))
def test_chunks_change_nothing(few: list[object], rows: int, chunk: int) -> None:
    draw = np.random.default_rng(rows).integers(0, len(few), rows)
    columns = {"x": [few[i] for i in draw], "y": list(range(rows))}
    whole = build_reference(Lists(columns, rows=10_000), "m", "1")
    parts = build_reference(Lists(columns, rows=chunk), "m", "1")
    for one, other in zip(whole.fields, parts.fields, strict=True):
        assert one.availability == other.availability
        if isinstance(one.values, NumericProfile) and isinstance(other.values, NumericProfile):
            approximate = ("mean", "sd", "values")
            assert one.values.model_dump(exclude=set(approximate)) == other.values.model_dump(exclude=set(approximate))
            assert one.values.mean == pytest.approx(other.values.mean, rel=1e-9, abs=1e-12)
        else:
            assert one.values == other.values


def test_the_live_path_counts_what_the_reference_counted(tmp_path: Path) -> None:
    """One law, two implementations: a table, sent as messages and counted against its own reference, has the reference's counts."""
    file = tmp_path / "rows.parquet"
    duckdb.execute(
        f"""copy (select (1000 - i) * 1000 as at, case when i % 5 = 0 then null when i % 7 = 0 then 'nan' when i % 400 = 3 then 'inf'
        else ln(i + 1) end as x, i % 3 as atoms, (i % 3)::varchar || case when i % 200 = 7 then '?' else '' end as parsed,
        i % 4 = 0 as flag,
        case when i % 9 = 0 then null else 'c' || (i % 80) end as many, i::decimal(9, 2) / 3 as exact, sqrt(i) as p, i % 2 = 0 as late
        from range(3000) r(i)) to '{file}'"""
    )
    with open_table(Table(file=str(file), time="at", score="p", prediction="late")) as rows:
        reference = build_reference(TableSource(rows), "m", "1", Model.model_validate({"features": {"atoms": {"type": "categorical"}}}))
        sent: list[bytes | None] = [message.value for message in messages(rows, "m", "1")]
    decoded = JSONDecoder(Places()).columns(reference.fields, sent)
    counts, _ = Counting(reference).count(decoded.numeric, decoded.categorical)
    by_name = {field.name: field for field in reference.fields}
    assert list(by_name) == ["x", "atoms", "parsed", "flag", "many", "exact", "prediction", "score"]
    assert isinstance(by_name["parsed"].values, NumericProfile)
    assert by_name["parsed"].values.parse
    for signal in (signal for signal in layout(reference).signals if signal.field is not None):
        assert counts[signal.span].tolist() == signal.reference_counts.tolist(), signal


def test_the_same_rows_make_the_same_bytes() -> None:
    columns = {"x": DRAW.normal(size=2_000).tolist(), "c": ["ab"[i % 2] for i in range(2_000)]}
    one, other = of(columns), of(columns)
    assert one.name == other.name
    assert Reference.decoded(one.encoded()) == one
    assert msgspec.json.decode(one.encoded())["format"] == 1


def test_beyond_a_million_rows_quantiles_come_from_a_sample_and_counts_do_not(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    duckdb.execute(f"copy (select (hash(i) % 1000003)::double as x from range(1300000) r(i)) to '{file}'")
    with open_table(Table(file=str(file))) as rows:
        reference = build_reference(TableSource(rows), "m", "1")
        values = np.concatenate([chunk.columns["x"] for chunk in rows.chunks()])
    (field,) = reference.fields
    assert isinstance(field.values, NumericProfile)
    assert sum(field.values.counts) == 1_300_000
    assert (field.values.minimum, field.values.maximum) == (values.min(), values.max())
    assert field.values.mean == pytest.approx(values.mean())
    assert field.values.quantiles == pytest.approx(np.quantile(values, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]), rel=0.05)
    np.testing.assert_allclose(field.values.counts[1:-1], 1_300_000 / 64, rtol=0.1)
    assert np.bincount(bins_of(field.values, values), minlength=66).tolist() == list(field.values.counts)
