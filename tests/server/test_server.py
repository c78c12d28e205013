"""The server, asked over HTTP by a client of the standard library, and over Kafka by one that knows nothing but Kafka."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, Producer
from pydantic import ValidationError

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.decode.marked import HEADER
from driftbus.consumers.pipeline.runner import Pipeline, wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.server.http import MOST_BYTES
from driftbus.consumers.server.models import Models
from driftbus.consumers.server.server import Server, make
from driftbus.consumers.server.tensors import MOST_ROWS
from driftbus.schemas.configuration import Configuration

from ..streaming import everything
from .worlds import MODEL, prepare, publish, published, request, said, settings_of

ROWS: dict[str, Any] = {
    "inputs": [
        {"name": "amount", "shape": [2], "datatype": "FP64", "data": [4.0, -4.0]},
        {"name": "colour", "shape": [2, 1], "datatype": "BYTES", "data": [["red"], [None]]},
    ]
}


@contextmanager
def serving(bus: Bus, settings: Configuration) -> Iterator[tuple[Server, int]]:
    """A server that is turned by a thread, and its port."""
    (server,) = make(Making(bus, settings, ArtifactStore(settings.artifacts), wall_ms))
    ends = threading.Event()

    def turn() -> None:
        while not ends.is_set():
            server.turn(0.05)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield server, server.listening.address[1] if server.listening else 0
    finally:
        ends.set()
        thread.join()
        server.close()


def asked(port: int, path: str, content: Any = None, **headers: str) -> tuple[int, Any]:
    """By GET, or by POST where there is something to say."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with closing(connection):
        body = content if isinstance(content, bytes) or content is None else msgspec.json.encode(content)
        connection.request("GET" if content is None else "POST", path, body, headers)
        response = connection.getresponse()
        return response.status, msgspec.json.decode(response.read())


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        yield bus


def test_rows_are_answered_over_http_and_written_down_as_predictions(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    prepare(bus, settings)
    publish(bus, settings, one := published(settings, 2_000))
    with serving(bus, settings) as (_, port):
        assert asked(port, "/v2/health/ready") == (200, {"ready": True})
        assert asked(port, f"/v2/models/{MODEL}/ready")[0] == 200
        described = asked(port, f"/v2/models/{MODEL}")[1]
        assert {own["name"]: own["datatype"] for own in described["inputs"]} == {"amount": "FP64", "colour": "BYTES", "new": "BOOL"}
        status, answer = asked(port, f"/v2/models/{MODEL}/infer", {**ROWS, "parameters": {"ids": ["a", "b"]}})
        assert status == 200
        assert answer["model_version"] == "online"
        assert answer["parameters"] == {"artifact": one.event.artifact, "ids": ["a", "b"]}
        scores, predictions = (output["data"] for output in answer["outputs"])
        assert scores[0] > 0.5 > scores[1]
        assert predictions == [True, False]
        served = said(bus, settings.topics.served)
    assert served["a"] == [
        {
            **{"model": MODEL, "version": "online", "id": "a", "score": scores[0], "prediction": True},
            "features": {"amount": 4.0, "colour": "red", "new": None},
        }
    ]


@pytest.mark.parametrize(
    ("path", "content", "status", "told_of"),
    [
        ("/v2/models/none/infer", ROWS, 404, "'none' has no learner; there are m"),
        ("/v2/models/m/versions/7/infer", ROWS, 404, "served as online"),
        ("/v2/models/m/infer", b"{", 400, "no JSON"),
        ("/v2/models/m/infer", {"inputs": []}, 400, "inputs: a list"),
        ("/v2/models/m/infer", {"inputs": [{"name": "amount", "data": ["x"]}]}, 400, "features.amount: 'x' of row 0 is no number"),
        ("/v2/models/m/infer", {"inputs": [{"name": "amount", "data": [1e308, {}]}]}, 400, "inputs.amount"),
        ("/v2/models/m/infer", {"inputs": [{"name": "amount", "data": [1]}, {"name": "new", "data": []}]}, 400, "same number of rows"),
        ("/v2/models/m/infer", {"inputs": [{"name": "amount", "data": [1] * (MOST_ROWS + 1)}]}, 400, "1 to 1,000"),
        ("/v2/models/m/infer", {**ROWS, "parameters": {"ids": ["a"]}}, 400, "parameters.ids: 2 texts"),
        ("/v2/models/m/infer", b"x" * (MOST_BYTES + 1), 413, "at most 1,048,576"),
        ("/v2/models/m/nothing", None, 404, "there is no /nothing"),
        ("/", None, 404, "there are /v2"),
    ],
)
def test_what_cannot_be_answered_is_told_by_field_value_and_row(
    bus: EmbeddedBus, tmp_path: Path, path: str, content: Any, status: int, told_of: str
) -> None:
    settings = settings_of(tmp_path)
    prepare(bus, settings)
    publish(bus, settings, published(settings, 200))
    with serving(bus, settings) as (_, port):
        got, answer = asked(port, path, content)
        assert (got, told_of in answer["error"]) == (status, True), answer
        assert not said(bus, settings.topics.served)


def test_a_model_is_replaced_whole_while_many_ask(bus: EmbeddedBus, tmp_path: Path) -> None:
    """Equal rows of one request have one answer, whichever model gives it."""
    settings = settings_of(tmp_path)
    prepare(bus, settings)
    models = [published(settings, rows) for rows in (300, 2_000)]
    publish(bus, settings, models[0])
    found, lock = list[tuple[str, tuple[float, ...]]](), threading.Lock()
    rows = {"inputs": [{"name": "amount", "data": [4.0] * 50}]}
    with serving(bus, settings) as (_, port):

        def ask() -> None:
            while True:
                status, answer = asked(port, f"/v2/models/{MODEL}/infer", rows)
                assert status == 200
                with lock:
                    found.append((answer["parameters"]["artifact"], tuple(answer["outputs"][0]["data"])))
                if answer["parameters"]["artifact"] == models[1].event.artifact:
                    return

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        publish(bus, settings, models[1])
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        written = sum(map(len, said(bus, settings.topics.served).values()))
    assert written == 50 * len(found)
    assert all(len(set(scores)) == 1 for _, scores in found)
    assert {name for name, _ in found} <= {one.event.artifact for one in models}
    assert len({(name, scores[0]) for name, scores in found}) == len({name for name, _ in found})


def test_one_that_cannot_be_had_changes_nothing(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    prepare(bus, settings)
    publish(bus, settings, good := published(settings, 300))
    lost = good._replace(event=good.event.model_copy(update={"artifact": "sha256:" + "0" * 64, "learnt": 301}))
    models = Models(bus, settings, ArtifactStore(settings.artifacts), wall_ms)
    models.look()
    publish(bus, settings, lost._replace(content=b"not what was learnt"))
    models.look()
    assert models.now[MODEL].event == good.event


def test_before_anything_was_learnt_a_half_is_answered(bus: EmbeddedBus, tmp_path: Path) -> None:
    """So that a model can learn from what it has served itself."""
    settings = settings_of(tmp_path)
    prepare(bus, settings)
    bus.publish([request(settings, "a")])
    pipeline = Pipeline(bus, settings, ["server"])
    with closing(pipeline):
        for _ in pipeline.run_until_end():
            pass
    assert said(bus, settings.topics.replies)["a"][0]["score"] == 0.5
    assert said(bus, settings.topics.served)["a"][0]["features"] == {"amount": 4.0, "colour": "red"}


def test_bad_requests_cost_themselves_and_are_told(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    prepare(bus, settings)
    publish(bus, settings, published(settings, 300))
    bad = request(settings, "bad", {"amount": "much"})
    marked = request(settings, "marked")._replace(headers=((HEADER, b"driftbus-golden/e/1/0"),))
    bus.publish(
        [request(settings, "a"), bad, bad._replace(value=b"\xff"), request(settings, "other", model="n"), marked, request(settings, "b")]
    )
    pipeline = Pipeline(bus, settings, ["server"])
    with closing(pipeline):
        for _ in pipeline.run_until_end():
            pass
        assert (pipeline.totals["answered"], pipeline.totals["refused"]) == (3, 3)
    replies = said(bus, settings.topics.replies)
    assert replies["bad"] == [{"id": "bad", "error": "features.amount: 'much' of row 0 is no number"}]
    assert replies["other"][0]["error"].startswith("model: 'n' has no learner")
    assert {id_ for id_, own in replies.items() if "score" in own[0]} == {"a", "b", "marked"}
    letters = [
        dict(event.headers)["driftbus-reason"] for events in everything(bus, settings.topics.dead_letter).values() for event in events
    ]
    assert len(letters) == 3
    served = [event for events in everything(bus, settings.topics.served).values() for event in events]
    assert [event.headers for event in served if event.key == b"marked"] == [((HEADER, b"driftbus-golden/e/1/0"),)]


@pytest.mark.kafka
def test_any_kafka_client_asks_and_is_answered(kafka: str, tmp_path: Path) -> None:
    name = f"serving-{tmp_path.name}"
    settings = settings_of(tmp_path, application=name, bus="kafka", kafka={"bootstrap.servers": kafka}, serving={})
    with closing(KafkaBus({"bootstrap.servers": kafka}, name, "one")) as bus:
        prepare(bus, settings)
        publish(bus, settings, published(settings, 300))
        consumer = Consumer({"bootstrap.servers": kafka, "group.id": f"{name}-client", "auto.offset.reset": "earliest"})
        consumer.subscribe([settings.topics.replies])
        producer = Producer({"bootstrap.servers": kafka})
        for row in range(20):
            value = msgspec.json.encode({"id": f"r{row}", "model": MODEL, "features": {"amount": row - 10}})
            producer.produce(settings.topics.requests, value, f"r{row}")
        assert producer.flush(30) == 0
        replies = dict[str, Any]()
        with serving(bus, settings):
            while len(replies) < 20:
                message = consumer.poll(30)
                assert message is not None, f"{len(replies)} of 20 replies"
                replies[(message.key() or b"").decode()] = msgspec.json.decode(message.value() or b"")
        consumer.close()
        assert replies["r0"]["score"] < 0.5 < replies["r19"]["score"]
        assert sum(map(len, said(bus, settings.topics.served).values())) == 20


def test_nothing_can_be_served_where_nothing_learns(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="serving: no model has a learner"):
        settings_of(tmp_path, models={MODEL: {"labels": "known"}})
