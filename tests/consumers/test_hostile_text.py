"""A message's own text ends no process: whatever stands in names, ids, categories, models, keys and headers costs that message at most."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.profiler.beside import looked_at
from driftbus.detectors.counting.layout import layout
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.stored.reference import CategoricalProfile, Reference
from driftbus.schemas.stored.segmentation import Segmentation
from driftbus.schemas.text import CATEGORY, UNKNOWN_FIELD, fitted

from ..streaming import BEGINNING, configuration, everything, prepare, reference

#: The first offset whose features are looked at by name.
FIRST = int(looked_at(np.arange(100_000))[0])
ROWS = FIRST + 20
HALF, LOW, LONG = "\ud800", "\udfff", "n" * 1_000_000


def good(**changes: object) -> dict[str, object]:
    features = {"amount": 0.5, "age": 30, "colour": "red", **dict(changes.pop("features", {}))}  # type: ignore[call-overload]  # a dict
    return {"model": "m0", "version": "1", "features": features, "score": 0.5, **changes}


def sent(message: object) -> bytes:
    """JSON with half characters as escapes."""
    return json.dumps(message).encode()


def run(
    folder: Path, values: Sequence[bytes | Output], references: Sequence[Reference] = (), **changes: object
) -> tuple[EmbeddedBus, Configuration]:
    """The records, one after the other, through the product."""
    settings = configuration(artifacts=str(folder), topics={"partitions": 1}, models={"m0": {"false_alarms": "1 per 1h"}}, **changes)
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, references or [reference("m0")], partitions=1)
    outputs = [Output("scored", 0, None, value) if isinstance(value, bytes) else value for value in values]
    bus.publish([output._replace(timestamp=BEGINNING + i * 10) for i, output in enumerate(outputs)])
    pipeline = Pipeline(bus, settings)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    return bus, settings


def panes(bus: EmbeddedBus, settings: Configuration) -> list[Pane]:
    records = [event for events in everything(bus, settings.topics.summaries).values() for event in events]
    return [Pane.decoded(r.value) for r in records if dict(r.headers)["ce_type"] == b"io.driftbus.pane"]


def letters(bus: EmbeddedBus, settings: Configuration) -> list[str]:
    records = [event for events in everything(bus, settings.topics.dead_letter).values() for event in events]
    return [dict(r.headers)["driftbus-reason"].decode() for r in records]


@pytest.mark.parametrize("name", [HALF, "a\ud83d", "\x00", LONG + LOW, ""], ids=["half", "cut", "NUL", "long", "empty"])
def test_a_feature_of_any_name_is_told(tmp_path: Path, name: str) -> None:
    values = [sent(good())] * ROWS
    values[FIRST] = sent(good(features={name: {HALF: [HALF]}}))
    bus, settings = run(tmp_path, values)
    assert sum(pane.rows for pane in panes(bus, settings)) == ROWS
    assert letters(bus, settings) == []
    told = [one.name for pane in panes(bus, settings) for one in pane.unexpected]
    assert told == [fitted(name, UNKNOWN_FIELD)]
    notices = [e.content for events in everything(bus, settings.topics.drift).values() for e in events if e.content.get("about")]
    assert [notice["facts"]["field"] for notice in notices] == told


def test_names_that_differ_stay_different(tmp_path: Path) -> None:
    names = [HALF, LOW, r"\ud800", *(f"{LONG[:1_000]}{i}" for i in range(5))]
    values = [sent(good())] * ROWS
    values[FIRST] = sent(good(features=dict.fromkeys(names, 1)))
    bus, settings = run(tmp_path, values)
    told = [one.name for pane in panes(bus, settings) for one in pane.unexpected]
    assert len(set(told)) == len(names)
    assert all(len(name) <= UNKNOWN_FIELD.most for name in told)


UNFIT_NAMES: list[object] = [HALF, LOW, "\x00", "a\nb", "\x9b", "\uffff", LONG, [HALF], {HALF: 1}, 10**600]


@pytest.mark.parametrize("role", ["model", "version"])
def test_a_model_or_version_that_cannot_be_a_name_is_a_dead_letter(tmp_path: Path, role: str) -> None:
    bus, settings = run(tmp_path, [sent(good()), *(sent(good(**{role: name})) for name in UNFIT_NAMES), sent(good())])
    assert [(pane.model, pane.version, pane.rows) for pane in panes(bus, settings)] == [("m0", "1", 2)]
    reasons = letters(bus, settings)
    assert len(reasons) == len(UNFIT_NAMES)
    assert all(reason.startswith(f"{role}: ") and len(reason) < 200 for reason in reasons)


@pytest.mark.parametrize("place", ["key", "header:h"])
def test_so_is_one_in_a_key_or_header(tmp_path: Path, place: str) -> None:
    names = [b"\xed\xa0\x80", b"\xc0\xaf", b"\xff", b"a\0b", b"n" * 1_000_000, b"\n", b"m0"]
    outputs = [Output("scored", 0, name, sent(good()), (("h", name), ("\0", b"\0"))) for name in names]
    bus, settings = run(tmp_path, outputs, stream={"mapping": {"model": place}})
    assert [(pane.model, pane.rows) for pane in panes(bus, settings)] == [("m0", 1)]
    assert len(letters(bus, settings)) == len(names) - 1


def test_overlong_and_surrogate_bytes_are_no_text(tmp_path: Path) -> None:
    broken = [sent(good()).replace(b"red", raw) for raw in (b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\x80\xaf")]
    bus, settings = run(tmp_path, [sent(good()), *broken, sent(good())])
    assert sum(pane.rows for pane in panes(bus, settings)) == 2
    assert [reason[:9] for reason in letters(bus, settings)] == ["not UTF-8"] * len(broken)


@pytest.mark.parametrize("field", ["id", "prediction", "score", "entity", "time"])
def test_other_places_cost_their_field_at_most(tmp_path: Path, field: str) -> None:
    ids = CategoricalProfile(categories=("new",), counts=(9_990, 10), tau=(1.0, 1.0))
    watched = reference("m0").model_copy(update={"ids": ids})
    odd: list[object] = [HALF, LOW, "\x00", LONG, [HALF], {HALF: HALF}]
    values = [*(sent(good(id=f"r{i}")) for i in range(10)), *(sent(good(**{"id": "r7", field: value})) for value in odd * 2)]
    bus, settings = run(tmp_path, values, [watched])
    [pane] = panes(bus, settings)
    assert pane.rows == 10 + 2 * len(odd)
    signal = layout(watched).find("(ids)", "duplicates")
    assert signal is not None
    # as ids: the two that are texts were new once, and came again once; the others are none
    assert pane.counts[signal.span].tolist() == ([12, 2] if field == "id" else [10, 2 * len(odd)])


def test_a_category_of_any_text_is_counted_or_invalid(tmp_path: Path) -> None:
    odd = [HALF, LOW, "\x00", "\x1b[31m", LONG, LONG + "é"]
    bus, settings = run(tmp_path, [sent(good()), *(sent(good(features={"colour": value})) for value in odd), sent(good())])
    [pane] = panes(bus, settings)
    assert pane.rows == len(odd) + 2
    assert len(letters(bus, settings)) == 2
    assert len(pane.unseen["colour"]) == len(odd) - 2
    assert len(pane.encoded()) < 2_000


def test_long_categories_are_told_apart_in_the_reference_and_live(tmp_path: Path) -> None:
    """In a reference that was built before long ones were cut, too."""
    known = [LONG + str(i) for i in range(2)]
    colours = CategoricalProfile(categories=tuple(known), counts=(5_000, 5_000, 0), tau=(1.0, 1.0, 1.0))
    old = reference("m0")
    fields = tuple(f.model_copy(update={"values": colours}) if f.name == "colour" else f for f in old.fields)
    segmented = old.model_copy(update={"fields": fields, "segmentation": Segmentation(by="colour", names=(known[0], known[1], "(other)"))})
    values = [sent(good(features={"colour": value})) for value in (known[0], known[1], known[0], LONG + "new", "red")]
    bus, settings = run(tmp_path, values, [segmented])
    found = panes(bus, settings)
    assert {pane.segment: pane.rows for pane in found} == {fitted(known[0], CATEGORY): 2, fitted(known[1], CATEGORY): 1, "(other)": 2}
    assert [sum(pane.unseen.get("colour", {}).values()) for pane in found if pane.segment == "(other)"] == [2]
    assert max(len(pane.encoded()) for pane in found) < 5_000
