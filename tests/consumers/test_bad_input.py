"""Every kind of bad input goes over the bus: a clear reason, or a documented treatment, and no effect on its neighbours."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.detectors.counting.layout import layout
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.stored.reference import Reference

from ..streaming import Sent, configuration, everything, prepare, reference, rows, send

YEAR = 365 * 86_400_000
GOOD = msgspec.json.encode({"model": "m0", "version": "1", "features": {"amount": 0.5, "age": 30, "colour": "red"}, "score": 0.5})
AMOUNT = GOOD.replace(b'"amount":0.5', b'"amount":%s')


class Case(NamedTuple):
    """A bad message, sent amid good traffic."""

    value: bytes | None
    reason: str | None  #: what the dead letter says; None: there is none
    counted: str | None = None  #: how its `amount` counts; None: the record does not count at all
    field: str | None = None
    time: int = 50_000


CASES = {
    "wrong type in a numeric field": Case(AMOUNT % b'"12,50"', '"12,50" is not a number', "invalid", "features.amount"),
    "missing field": Case(GOOD.replace(b'"amount":0.5,', b""), None, "missing"),
    "extra field": Case(GOOD.replace(b'"age"', b'"more":[1,{"a":2}],"age"'), None, "present"),
    "NaN": Case(AMOUNT % b"NaN", None, "null"),
    "null": Case(AMOUNT % b"null", None, "null"),
    "Infinity": Case(AMOUNT % b"Infinity", "is not a finite number", "invalid", "features.amount"),
    "invalid UTF-8": Case(GOOD.replace(b"red", b"\xff\xfe"), "UTF-8"),
    "invalid JSON": Case(GOOD[:-1], "JSON"),
    "empty message": Case(b"", "empty"),
    "message of a megabyte": Case(GOOD[:-1] + b" " * 1_000_000 + b"!", "JSON"),
    "good message of a megabyte": Case(GOOD[:-1] + b',"note":"' + b"x" * 1_000_000 + b'"}', None, "present"),
    "no model": Case(GOOD.replace(b'"model":"m0",', b""), "model"),
    "a model with an endless name": Case(GOOD.replace(b"m0", b"m" * 501), "a name of 501 characters"),
    "a year ahead": Case(GOOD, "further ahead than max_jump", None, None, YEAR),
    "a year behind": Case(GOOD, None, "present", None, -YEAR),
}


class Counted(NamedTuple):
    """What a run of the product made of the traffic."""

    rows: Counter[tuple[str, int]]  #: by model and bucket
    late: int
    counts: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]  #: by model
    letters: list[tuple[bytes, dict[str, str]]]
    notices: list[str]


def run(folder: Path, name: str, extra: list[Sent]) -> Counted:
    settings = configuration(artifacts=str(folder))
    bus = EmbeddedBus(str(folder / f"{name}.sqlite"), "test", "a")
    prepare(bus, settings, [reference("m0"), reference("m1")])
    traffic = rows(100, ("m0", "m1"), 5, seed=3)
    middle = len(traffic) // 2
    send(bus, [*traffic[:middle], *extra, *traffic[middle:]])
    pipeline = Pipeline(bus, settings)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    counted = Counted(Counter(), 0, {}, [], [])
    for events in everything(bus, settings.topics.summaries).values():
        for event in events:
            if dict(event.headers)["ce_type"] == b"io.driftbus.pane":
                pane = Pane.decoded(event.value)
                counted.rows[pane.model, pane.bucket] += pane.rows
                counted.counts[pane.model] = counted.counts.get(pane.model, np.zeros(len(pane.counts), dtype=np.int64)) + pane.counts
                counted = counted._replace(late=counted.late + pane.late)
    for letters in everything(bus, settings.topics.dead_letter).values():
        counted.letters.extend((letter.value, {key: value.decode() for key, value in letter.headers}) for letter in letters)
    for events in everything(bus, settings.topics.drift).values():
        counted.notices.extend(str(event.content.get("text", event.content.get("status"))) for event in events)
    bus.close()
    return counted


def availability(counts: np.ndarray[tuple[int], np.dtype[np.int64]], of: Reference, name: str) -> dict[str, int]:
    signal = layout(of).find(name, "availability")
    assert signal is not None
    return dict(zip(("present", "null", "invalid", "missing"), counts[signal.span].tolist(), strict=True))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return run(tmp_path_factory.mktemp("clean"), "clean", [])


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name: str, tmp_path: Path, clean: Counted) -> None:
    case = CASES[name]
    found = run(tmp_path, "bad", [Sent(0, case.time, case.value)])
    before, now = clean.counts["m0"], found.counts["m0"]
    if case.counted is None:
        assert now.tolist() == before.tolist()
        assert found.rows == clean.rows
    else:
        assert found.rows - clean.rows == Counter(dict.fromkeys(found.rows - clean.rows, 1))
        assert (found.rows - clean.rows).total() == 1
        then, after = (availability(counts, reference("m0"), "amount") for counts in (before, now))
        assert {state: after[state] - then[state] for state in after} == {s: int(s == case.counted) for s in after}
        for other in ("age", "colour", "score"):  # the row's other fields count as usual
            assert availability(now, reference("m0"), other)["present"] == availability(before, reference("m0"), other)["present"] + 1
    assert found.counts["m1"].tolist() == clean.counts["m1"].tolist()
    assert found.late == int(name == "a year behind")
    if case.reason is None:
        assert found.letters == []
        return
    [(value, headers)] = found.letters
    assert case.reason in headers["driftbus-reason"]
    assert headers.get("driftbus-field") == case.field
    assert (headers["driftbus-topic"], headers["driftbus-partition"]) == ("scored", "0")
    assert int(headers["driftbus-offset"]) >= 0
    assert value == (case.value or b"")[: 64 * 1024]
    assert ("driftbus-hash" in headers) == (len(case.value or b"") > 64 * 1024)


def test_an_unknown_model_is_counted_and_named_once(tmp_path: Path, clean: Counted) -> None:
    stranger = GOOD.replace(b'"m0"', b'"stranger"')
    found = run(tmp_path, "stranger", [Sent(0, 50_000, stranger), Sent(1, 50_100, stranger), Sent(0, 70_000, stranger)])
    assert found.letters == []
    assert [text for text in found.notices if text not in clean.notices] == [
        "model stranger/1 is not monitored: 2 rows on stream predictions in the bucket that ends at 2023-11-14T22:14:20Z; "
        "build its reference: driftbus reference build stranger --version 1"
    ]
    assert found.counts["m0"].tolist() == clean.counts["m0"].tolist()


def test_a_run_of_nothing_but_bad_records_says_how_many_more_there_were(tmp_path: Path, clean: Counted) -> None:
    found = run(tmp_path, "many", [Sent(0, 50_000, b"{") for _ in range(250)])
    assert len(found.letters) == 100
    assert {headers["driftbus-further"] for _, headers in found.letters} == {"0", "150"}
    assert found.counts["m0"].tolist() == clean.counts["m0"].tolist()
