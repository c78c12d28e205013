"""A request whose answer no topic would take costs itself alone: with it in a transaction nobody would be answered, at any attempt."""

from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.sizes import most_bytes
from driftbus.consumers.decode.marked import HEADER
from driftbus.schemas.configuration import Configuration

from ..streaming import everything
from .test_last_net import answered
from .test_server import asked, serving
from .worlds import MODEL, prepare, publish, published, request, said, settings_of

#: Of a request that its topic takes.
MOST = most_bytes({}) - 128


def text(settings: Configuration) -> Output:
    """The topic just takes it; what is said is longer by the answer."""
    return request(settings, "large", {"amount": 4.0, "note": "x" * (MOST - 100)})


def numbers(settings: Configuration) -> Output:
    """They are written with all of their digits."""
    one = request(settings, "large", {})
    features = ",".join(f'"k{number}":9e15' for number in range(60_000))
    return one._replace(value=f'{{"id":"large","model":"{MODEL}","features":{{"amount":4,{features}}}}}'.encode())


def mark(settings: Configuration) -> Output:
    """The mark of an evaluation is repeated."""
    return request(settings, "large")._replace(headers=((HEADER, b"x" * (MOST - 100)),))


@pytest.mark.parametrize("large", [text, numbers, mark])
def test_it_is_refused_and_whoever_asks_beside_it_is_answered(tmp_path: Path, large: object) -> None:
    assert callable(large)
    settings = settings_of(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        one = large(settings)
        assert len(one.value) + sum(len(value) for _, value in one.headers) < MOST
        found = answered(bus, settings, [request(settings, "a"), one, request(settings, "b")])
        assert set(said(bus, settings.topics.served)) == {"a", "b"}
        letters = [event for events in everything(bus, settings.topics.dead_letter).values() for event in events]
    assert (found.pop("large")[:44], found) == ("features: what is said of 'large' has up to ", {"a": "", "b": ""})
    assert len(letters) == 1


def test_once_something_was_learnt_what_nobody_knows_is_let_be(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        publish(bus, settings, published(settings, 300))
        assert answered(bus, settings, [text(settings)]) == {"large": ""}


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_over_http_it_is_refused_too(tmp_path: Path, rows: int) -> None:
    settings = settings_of(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        with serving(bus, settings) as (_, port):
            body = {
                "inputs": [{"name": "note", "data": ["x" * (MOST - 80), *"x" * (rows - 1)]}],
                "parameters": {"ids": list("abcde"[:rows])},
            }
            status, answer = asked(port, f"/v2/models/{MODEL}/infer", body)
            assert (status, answer["error"][:40]) == (400, "features: what is said of 'a' has up to ")
        assert not said(bus, settings.topics.served)
