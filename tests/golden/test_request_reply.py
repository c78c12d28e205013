"""A model on topics: asked on one, answering on another, twice, late, and among nonsense."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.golden.evaluator import Evaluator
from driftbus.consumers.reference.golden_records import ask

from ..streaming import everything
from .worlds import ROWS, asked, asking, evaluations, evaluator, prepared, settings_of


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(":memory:", "app", "one")
    yield bus
    bus.close()


def topics() -> dict[str, Any]:
    return {"topics": {"request": "asked", "reply": "answered"}}


def replying(bus: EmbeddedBus, settings: Any, one: Evaluator, count: int, *, skip: int = 0) -> None:
    """A model on topics: it answers twice, late ones of other attempts, and among nonsense."""
    seen = set[str]()
    while len(evaluations(bus, settings)) < count:
        one.turn(0.01)
        asked_ = [event for of_partition in everything(bus, "asked").values() for event in of_partition]
        contents = list[bytes]()
        for event in asked_:
            id_, right = event.content["id"], event.content["features"]["right"]
            if id_ in seen or right < skip:
                continue
            seen.add(id_)
            old = id_.replace("/1/", "/0/")
            replies = [(old, right + 9), (id_, right), (id_, right + 9)]
            contents += [msgspec.json.encode({"id": name, "prediction": value, "version": "1"}) for name, value in replies]
        bus.publish([Output("answered", 0, None, content) for content in [b"nonsense", b"{}", *contents] if contents])


@pytest.mark.parametrize(("skip", "status", "deadline"), [(0, "complete", "20s"), (1, "partial", "6s"), (10, "failed", "6s")])
def test_topics_answer_the_first_reply_counts(bus: EmbeddedBus, tmp_path: Path, skip: int, status: str, deadline: str) -> None:
    settings = settings_of(tmp_path, topics(), deadline=deadline)
    golden = prepared(bus, settings)
    for name in ("asked", "answered"):
        bus.create(name, 2)
    ask(bus, settings, [asking(settings, golden, "now")])
    one = evaluator(bus, settings)
    replying(bus, settings, one, 1, skip=skip)
    one.close()
    [found] = evaluations(bus, settings)
    assert found.status == status
    assert found.metrics["mae"] == 0.0
    assert found.counts["timeout"] == skip
    [event, *_] = everything(bus, "asked")[0]
    assert dict(event.headers)["driftbus-evaluation"].decode() == event.content["id"] == (event.key or b"").decode()


def test_topics_that_are_not_there_fail_it(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, topics())
    golden = prepared(bus, settings)
    [found] = asked(bus, settings, [asking(settings, golden, "now")])
    assert found.reasons == {"a topic that it is asked by does not exist": ROWS}
