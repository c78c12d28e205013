"""What golden evaluations ask a served model comes back among its predictions, and is no traffic: for nobody who reads these."""

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.command.checks.golden import told_apart
from driftbus.consumers.command.checks.samples import Sample
from driftbus.consumers.decode.marked import HEADER, mark
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.profiler.evaluations import STILL_COME
from driftbus.consumers.reference.building.columns import UnusableReference
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.reference.golden_records import output, request_of
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import Block
from driftbus.schemas.messages.golden import GoldenEvaluation, GoldenRequest
from driftbus.schemas.messages.pane import Pane

from ..streaming import BEGINNING, configuration, everything, message, prepare, reference

SECONDS = 60
CALL = {"http": {"url": "http://127.0.0.1:9/"}}


def settings(folder: Path, id_: str | None = "id", **changes: Any) -> Configuration:
    models = {"m0": {"golden": {"call": CALL}, "labels": "outcomes", "reference": {"topic": "scored"}, "rate": 2.0}}
    stream = {"mapping": {"id": id_}}
    labels = {"outcomes": {"topics": ["labelled"], "wait": "1h", "early": "1m"}}
    return configuration(models=models, labels=labels, stream=stream, artifacts=str(folder / "a"), topics={"partitions": 2}, **changes)


def log(chosen: Configuration, evaluation: str | None, header: bool) -> list[Output]:
    """Two predictions a second; a third, whose inputs are all others, is golden."""
    draw, sent = np.random.default_rng(1), list[Output]()
    for second in range(SECONDS):
        for place in range(3 if evaluation else 2):
            said = mark(evaluation or "", 1, second) if place == 2 else f"p{second}-{place}"
            time = BEGINNING + second * 1_000 + place
            own = msgspec.json.decode(message(draw if place < 2 else np.random.default_rng(2), "m0", shift=50.0 if place == 2 else 0.0))
            if not header or place < 2:
                own["id"] = said
            headers = ((HEADER, said.encode()),) if header and place == 2 else ()
            sent.append(Output("scored", second % 4, None if chosen is None else b"k", msgspec.json.encode(own), headers, time))
    return sent


def counted(chosen: Configuration, sent: list[Output], *more: GoldenRequest | GoldenEvaluation) -> tuple[dict[str, int], Any, list[Any]]:
    """The totals, what was counted and waits for labels, and the notices."""
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        prepare(bus, chosen, [reference("m0")])
        bus.create("labelled", 1, settings={"retention.ms": "-1"})
        bus.publish([output(chosen, one) for one in more])
        bus.publish(sent)
        bus.publish(end_records("test", "scored", 4, BEGINNING + SECONDS * 1_000))
        with closing(Pipeline(bus, chosen, ["profiler"])) as pipeline:
            for _ in pipeline.run_until_end():
                pass
            totals = dict(pipeline.totals)
        panes = _all(bus, chosen.topics.summaries, Pane.TYPE, Pane.decoded)
        blocks = _all(bus, chosen.topics.joins, Block.TYPE, Block.decoded) if chosen.labels else []
        rows = sorted((one.bucket, one.rows, one.counts.tolist(), one.sums.tolist()) for one in panes)
        joined = sorted((one.bucket, one.ids, one.values.tolist()) for one in blocks)
        told = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
        return totals, (rows, joined), told


def _all(bus: EmbeddedBus, topic: str, kind: str, decoded: Any) -> list[Any]:
    events = [event for events in everything(bus, topic).values() for event in events]
    return [decoded(event.value) for event in events if dict(event.headers)["ce_type"] == kind.encode()]


def evaluation(request: GoldenRequest, answered: int) -> GoldenEvaluation:
    return GoldenEvaluation(
        request=request.request,
        model="m0",
        version="1",
        golden=None,
        cause="person",
        named="now",
        answered=answered,
        status="complete",
        attempt=1,
        verdict="first",
    )


@pytest.mark.parametrize(("id_", "header"), [("id", False), ("id", True), (None, True), ("header:driftbus-evaluation", True)])
def test_golden_rows_stay_out_of_panes_and_joins_and_are_counted(tmp_path: Path, id_: str | None, header: bool) -> None:
    chosen = settings(tmp_path, id_) if id_ else without_labels(tmp_path)
    request = request_of(chosen, "m0", "1", None, "person", "now", BEGINNING)
    _, traffic, _ = counted(chosen, log(chosen, None, header))
    totals, found, told = counted(chosen, log(chosen, request.request, header), request)
    assert found == traffic
    assert (totals["golden"], totals["rows"], totals["dead_letters"]) == (SECONDS, 2 * SECONDS, 0)
    assert told == []


def without_labels(folder: Path) -> Configuration:
    """Where no id is mapped no label finds a prediction."""
    stream = {"mapping": {"id": None}}
    return configuration(models={"m0": {"golden": {"call": CALL}}}, stream=stream, artifacts=str(folder / "a"), topics={"partitions": 2})


def test_marks_of_no_open_evaluation_are_told_once(tmp_path: Path) -> None:
    """Left out all the same: whether one is open is not known in time to decide it."""
    chosen = settings(tmp_path)
    request = request_of(chosen, "m0", "1", None, "person", "now", BEGINNING)
    end = BEGINNING + SECONDS * 1_000
    sent = log(chosen, request.request, False)
    for known, told_of in (
        ((), True),
        ((request,), False),
        ((request, evaluation(request, end - STILL_COME)), False),
        ((evaluation(request, end - STILL_COME),), False),
        ((request, evaluation(request, BEGINNING - STILL_COME - 60_000)), True),
    ):
        totals, _, told = counted(chosen, sent, *known)
        assert totals["golden"] == SECONDS
        assert [one["about"] for one in told if one["facts"]["evaluation"] == request.request] == ["marked"] * told_of


def test_a_reference_that_is_a_part_of_a_topic_has_none_of_them(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [])
        bus.publish(log(chosen, "5f0c", header=True))
        with pytest.raises(UnusableReference, match=f"{2 * SECONDS} rows .*{SECONDS} messages left out: asked for by golden evaluations"):
            reference_of(chosen, "m0", "1", bus)


@pytest.mark.parametrize(
    ("id_", "value", "headers", "refused"),
    [
        ("id", b'{"id": "a"}', (), False),
        ("id", b'{"id": null}', (), True),
        ("id", b"{}", ((HEADER, b"x"),), False),
        (None, b'{"id": "a"}', (), True),
        (None, b"{}", (("trace", b"x"),), False),
        ("header:id", b'{"id": "a"}', (), True),
        ("key", b"{}", (), False),
    ],
)
def test_where_they_could_not_be_told_from_traffic_check_refuses(
    tmp_path: Path, id_: str | None, value: bytes, headers: tuple[tuple[str, bytes], ...], refused: bool
) -> None:
    chosen = without_labels(tmp_path) if id_ is None else settings(tmp_path, id_)
    sample = Sample(values=[value], keys=[b"k"], headers=[headers])
    assert [one.level for one in told_apart(chosen, "predictions", sample)] == ["wrong"] * refused


def test_a_function_that_is_called_here_writes_no_predictions(tmp_path: Path) -> None:
    call = {"callable": {"function": "tests.golden.functions:of_version"}}
    chosen = configuration(models={"m0": {"golden": {"call": call}}}, stream={"mapping": {"id": None}}, artifacts=str(tmp_path))
    assert list(told_apart(chosen, "predictions", Sample(values=[b"{}"], keys=[None], headers=[()]))) == []
