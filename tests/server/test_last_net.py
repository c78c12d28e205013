"""A request that cannot be answered costs itself, whatever is wrong with it: numbers that no float holds, and what nobody foresaw."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.learner.one import Published
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.detectors.learning import served
from driftbus.detectors.learning.candidates import SLOW, Candidate
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.identity import content_hash

from ..streaming import everything
from .test_server import asked, serving
from .worlds import MODEL, prepare, publish, published, request, said, settings_of

#: Whole numbers of so many digits are read by JSON, and are no floats.
HUGE = [10**309, -(10**309), 10**400, 10**4_299]


def broken(settings: Configuration) -> Published:
    """A model that raises at every row with an amount: of that one the variance has become negative."""
    candidate, good = Candidate("logistic", SLOW, 0), published(settings, 300)
    for row in range(100):
        candidate.learn({"amount": row % 7.0, "colour": "red"}, row % 7 > 3)
    candidate._parts[0].vars["amount"] = -1.0
    content = served.written("logistic", 0, 0, candidate.written(), {"amount": "number", "colour": "text"})
    return Published(good.event.model_copy(update={"artifact": content_hash(content), "learnt": 301}), content)


def answered(bus: EmbeddedBus, settings: Configuration, requests: list[Output]) -> dict[str, str]:
    """By two processes, one after the other; of each request why it could not be, or nothing."""
    bus.publish(requests)
    for _ in range(2):
        with closing(Pipeline(bus, settings, ["server"])) as pipeline:
            for _ in pipeline.run_until_end():
                pass
    replies = said(bus, settings.topics.replies)
    assert all(len(own) == 1 for own in replies.values())
    return {id_: own[0].get("error", "") for id_, own in replies.items()}


@pytest.mark.parametrize("number", HUGE, ids=lambda number: f"{len(str(number))} characters")
@pytest.mark.parametrize("name", ["amount", "new"])
def test_a_number_that_no_float_holds_is_refused_by_name(tmp_path: Path, name: str, number: int) -> None:
    settings = settings_of(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        publish(bus, settings, published(settings, 300))
        found = answered(bus, settings, [request(settings, "a"), request(settings, "huge", {name: number}), request(settings, "b")])
        assert set(said(bus, settings.topics.served)) == {"a", "b"}
        with serving(bus, settings) as (_, port):
            rows = {"inputs": [{"name": name, "data": [None, number]}]}
            status, answer = asked(port, f"/v2/models/{MODEL}/infer", _json(rows))
    kind = {"amount": "number", "new": "boolean"}[name]
    assert found == {"a": "", "huge": f"features.{name}: '{str(number)[:60]}' of row 0 is no {kind}", "b": ""}
    assert (status, answer["error"]) == (400, f"features.{name}: '{str(number)[:60]}' of row 1 is no {kind}")


@pytest.mark.parametrize("number", HUGE, ids=lambda number: f"{len(str(number))} characters")
def test_nor_is_it_answered_before_anything_was_learnt(tmp_path: Path, number: int) -> None:
    settings = settings_of(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        found = answered(bus, settings, [request(settings, "a"), request(settings, "huge", {"other": number}), request(settings, "b")])
        assert set(said(bus, settings.topics.served)) == {"a", "b"}
    assert found == {"a": "", "huge": f"features.other: '{str(number)[:60]}' of row 0 is no number", "b": ""}


def test_what_nobody_foresaw_costs_its_request(tmp_path: Path) -> None:
    """However often it comes: whoever asks hears why, and whoever asks behind him is answered."""
    settings = settings_of(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        publish(bus, settings, broken(settings))
        bad = [request(settings, f"bad{number}", {"amount": float(number), "colour": "red"}) for number in range(5)]
        good = [request(settings, f"good{number}", {"colour": "red"}) for number in range(2)]
        found = answered(bus, settings, [good[0], *bad, good[1]])
        letters = [event for events in everything(bus, settings.topics.dead_letter).values() for event in events]
        assert set(said(bus, settings.topics.served)) == {"good0", "good1"}
    assert {id_: why[:36] for id_, why in found.items() if why} == {f"bad{n}": "it cannot be processed: TypeError: '" for n in range(5)}
    assert {id_ for id_, why in found.items() if not why} == {"good0", "good1"}
    assert len(letters) == 5


def test_over_http_it_has_an_answer_too(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        publish(bus, settings, broken(settings))
        with serving(bus, settings) as (server, port):
            for amount in (1.0, -1, 0, None):
                rows = {"inputs": [{"name": "amount", "data": [None, amount]}]}
                status, answer = asked(port, f"/v2/models/{MODEL}/infer", _json(rows))
                assert status == (200 if amount is None else 500), answer
                assert amount is None or answer["error"].startswith("it cannot be processed: TypeError")
            assert server.totals() == {"answered": 1, "refused": 3, "set_aside": 0}


def _json(content: object) -> bytes:
    return msgspec.json.encode(content)
