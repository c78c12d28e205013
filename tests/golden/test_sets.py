"""Golden sets: their bytes, what is refused, how one is chosen from a table; and which rows of traffic are golden."""

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.decode.marked import HEADER, MOST_SLASHES, UNNAMED, Marks, evaluation_of, mark
from driftbus.consumers.golden.collecting import Columns, chosen, collected, refreshed
from driftbus.consumers.reference.artifacts import ArtifactError, ArtifactStore
from driftbus.consumers.reference.golden_sets import read_set, store_of
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.form import NewerForm
from driftbus.schemas.stored.golden import MOST_ROWS, MOST_SLICES, GoldenRow, GoldenSet, UnusableGolden, difference, golden_set

from .worlds import rows_of, settings_of, stored


def row(id_: str, label: float | str = "a", *slices: str, **features: float) -> GoldenRow:
    return GoldenRow(id=id_, features=features, label=label, slices=slices)


def test_a_set_is_what_it_was_when_it_is_read_again(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    made = stored(settings)
    assert read_set(store_of(settings), made.hash) == made
    assert [*(tmp_path / "artifacts").iterdir()] == [tmp_path / "artifacts/golden"], "apart from references"
    file = next((tmp_path / "artifacts/golden").iterdir())
    file.write_bytes(file.read_bytes().replace(b"row-00001", b"row-00009"))
    with pytest.raises(ArtifactError, match="was changed"):
        read_set(store_of(settings), made.hash)


@given(st.permutations(range(12)))
def test_order_does_not_matter(order: list[int]) -> None:
    rows = rows_of(12)
    assert golden_set("m", "absolute", [rows[place] for place in order]).hash == golden_set("m", "absolute", rows).hash


def test_a_newer_form_is_no_damage(tmp_path: Path) -> None:
    plain = json.loads(golden_set("m", "absolute", rows_of(3)).encoded()) | {"form": 2}
    with pytest.raises(NewerForm):
        GoldenSet.decoded(json.dumps(plain).encode())
    store = ArtifactStore(str(tmp_path), "golden")
    with pytest.raises(ArtifactError, match="cannot be read by this release"):
        read_set(store, store.put(json.dumps(plain).encode()))


REFUSED = {
    "0 rows": [],
    "20,001 rows": rows_of(MOST_ROWS + 1),
    "stands there twice": [row("a", "x"), row("a", "y")],
    "1 class of 1": [row("a"), row("b")],
    "63 slices": [row("a", "x", *map(str, range(MOST_SLICES + 1))), row("b", "y")],
    "has no text": [row("", "x"), row("b", "y")],
    "a name of 201 characters": [row("a" * 201, "x"), row("b", "y")],
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_no_set_is_refused_with_the_reason(why: str) -> None:
    with pytest.raises(UnusableGolden, match=why):
        golden_set("m", "zero_one", REFUSED[why])


def test_labels_suit_the_loss() -> None:
    with pytest.raises(UnusableGolden, match="is no number"):
        golden_set("m", "squared", [row("a", "x")])
    with pytest.raises(UnusableGolden, match="is no number"):
        golden_set("m", "squared", [row("a", float("nan"))])
    with pytest.raises(UnusableGolden, match="is not among the classes"):
        golden_set("m", "zero_one", [row("a", "x"), row("b", "z")], ("x", "y"))
    assert golden_set("m", "zero_one", [row("a", "x")], ("y", "x")).classes == ("y", "x")


def test_what_became_of_rows() -> None:
    before, after = (golden_set("m", "absolute", rows) for rows in ([row("a", 1.0), row("b", 2.0)], [row("b", 3.0), row("c", 4.0)]))
    assert difference(before, after) == (("c",), ("a",), ("b",))


def test_every_class_and_slice_has_its_share() -> None:
    rows = [row(f"{i:05}", "rare" if i % 50 == 0 else "common", ("x", "y")[i % 3 == 0], f=float(i)) for i in range(3_000)]
    found = chosen(rows, 200, "zero_one")
    counts = Counter((one.label, *one.slices) for one in found)
    assert counts == {("common", "x"): 70, ("common", "y"): 70, ("rare", "x"): 40, ("rare", "y"): 20}
    assert chosen(rows[::-1], 200, "zero_one") == found, "whatever their order"
    assert len(chosen(rows, 10_000, "zero_one")) == 3_000


def test_numbers_are_chosen_over_all_their_range() -> None:
    rows = [row(f"{i:05}", float(i) ** 3, f=float(i)) for i in range(1_000)]
    labels = sorted(float(one.label) for one in chosen(rows, 100, "absolute"))
    assert all(sum((tenth * 100) ** 3 <= label < (tenth * 100 + 100) ** 3 for label in labels) >= 9 for tenth in range(10))


def test_a_new_version_has_each_features_once_and_the_newer_label() -> None:
    before = golden_set("m", "zero_one", [row("a", "x", f=1.0), row("b", "y", f=2.0)])
    found = refreshed(before, [row("new", "y", f=1.0), row("b", "x", f=3.0)], 10)
    assert [(one.id, one.label) for one in found.rows] == [("b", "x"), ("new", "y")]
    assert refreshed(before, [row("c", "z", f=9.0)], 10).classes == ("x", "y", "z")


def test_a_table_of_all_kinds(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    lines = [
        {"id": "a", "x": 1.5, "flag": True, "v": [1.0, 2.0], "label": 1},
        {"id": "b", "x": None, "text": "é", "label": "1"},
        {"id": "c", "x": 2, "label": None},
        {"id": "d", "x": 1.5, "flag": True, "v": [1.0, 2.0], "label": 1.0},
        {"id": "e", "label": False},
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    found = collected(str(file), Columns("label", "id"), "zero_one")
    assert (found.unlabelled, found.repeated) == (1, 1)
    assert [(one.id, one.label) for one in found.rows] == [("a", "1"), ("b", "1"), ("e", "0")]
    assert found.rows[0].features == {"flag": True, "text": None, "v": [1.0, 2.0], "x": 1.5}
    assert collected(str(file), Columns("label"), "zero_one").rows[0].id != "a"


ids = (
    st.none()
    | st.integers()
    | st.text(max_size=20)
    | st.builds(mark, st.text("0123456789abcdef", min_size=1, max_size=8), st.just(1), st.integers(0, 9))
)


@given(st.lists(ids, max_size=20), st.booleans(), st.sampled_from([0, 1, MOST_SLASHES, 2 * MOST_SLASHES]))
def test_marked_by_id(found: list[object], tombstone: bool, slashes: int) -> None:
    """Wherever ids are; what else holds such a text is none."""
    expected = {row: one.split("/")[1] for row, one in enumerate(found) if isinstance(one, str) and one.startswith("driftbus-golden/")}
    values: list[bytes | None] = [msgspec.json.encode({"id": one, "note": mark("5f0c", 1, 1)}) for one in found]
    values += [None] if tombstone else []
    values.insert(0, b'{"note": "' + b"/" * slashes + b'"}')
    assert Marks(Mapping(), beside=False).among(values, None, None) == {row + 1: one for row, one in expected.items()}
    keys = [one.encode() if isinstance(one, str) else None for one in found]
    by_key, by_header = (Mapping.model_validate({"id": place}) for place in ("key", "header:Request"))
    assert Marks(by_key, beside=True).among(values, keys, None) == expected
    headers = [() if key is None else (("Request", key),) for key in keys]
    assert Marks(by_header, beside=True).among(values, None, headers) == expected
    assert Marks(Mapping(id=None), beside=True).among(values, keys, headers) == {}
    assert [isinstance(one, str) and evaluation_of(one) is not None for one in found] == [row in expected for row in range(len(found))]


def test_marked_by_header() -> None:
    one = mark("5f0c", 2, 17).encode()
    headers = [(), (("trace", one),), (("Driftbus-Evaluation", one),), (("a", b""), (HEADER, one)), ((HEADER, b"of nobody"),)]
    values = [b"{}"] * len(headers)
    assert Marks(Mapping(), beside=True).among(values, None, headers) == {2: "5f0c", 3: "5f0c", 4: UNNAMED}
    assert Marks(Mapping(), beside=False).among(values, None, headers) == {}
    assert Marks(Mapping(), beside=True).among([], None, []) == {}


@pytest.mark.parametrize("slashes", [0, 2 * MOST_SLASHES])
def test_ids_are_found_however_their_slashes_are_written(slashes: int) -> None:
    """As PHP writes them: with a backslash."""
    values = [b'"' + b"/" * slashes + b'"', rb'{"id": "driftbus-golden\/5f0c\/2\/17"}', rb'{"note": "driftbus-golden\/5f0c\/2\/17"}']
    assert Marks(Mapping(), beside=False).among(values, None, None) == {1: "5f0c"}
