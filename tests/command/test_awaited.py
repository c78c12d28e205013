"""What `driftbus performance` waits for on a first day, step by step; and what `check` and `status` say of labels then."""

import json
from contextlib import closing

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load
from driftbus.consumers.streams.records import end_records

from .conftest import BEGINNING, User, amounts, messages

LABELS = """\
topics: {partitions: 1}
labels:
  known:
    topics: [fraud.known]
    wait: 10m
    about: 1m
models:
  fraud:
    labels: known
"""


def known(id_: str, at: int) -> Output:
    return Output("fraud.known", 0, None, json.dumps({"id": id_, "label": True}).encode(), (), at)


def test_every_step_says_what_is_missing(user: User) -> None:
    user.configures("models:\n  fraud:\n", LABELS)

    def awaited() -> str:
        return user.says("performance", "fraud", code=1)

    assert "topic fraud.scored does not exist; see driftbus check" in awaited()
    user.creates()
    with closing(open_bus(load())) as bus:
        bus.create("fraud.known", 1, settings={"retention.ms": "-1"})
    assert "no model other is configured; there are fraud" in user.says("performance", "other", code=1)
    assert "fraud has no reference" in awaited()
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    assert "no prediction has come yet on fraud.scored" in awaited()
    predictions = [one._replace(value=_with_id(one.value, number)) for number, one in enumerate(messages(amounts(1_200, seed=3)))]
    user.publishes(predictions)
    assert "none has been read yet; next: driftbus run" in awaited()
    user.publishes([known(f"other {number}", BEGINNING + 1_000 * number) for number in range(100)])
    assert 'ids are like "other 0", "other 1", and of predictions "p' in user.says("check")
    user.publishes([known(f"p{number}", BEGINNING + 100 * number + 50_000) for number in range(600)])
    with closing(open_bus(load())) as bus:
        for topic, partitions in (("fraud.scored", 2), ("fraud.known", 1)):
            bus.publish(end_records("fraud-watch", topic, partitions, BEGINNING + 200_000))
    user.says("run", "--until-end")
    told = user.says("performance", "fraud")
    assert "fraud/1: estimates, and concept drift, come with the baseline, its first 5,000 labels: 600 so far" in told
    assert len([line for line in told.splitlines() if line.endswith("labels still come")]) == 2
    assert "joiner: fraud-watch.joins" in user.says("status")


def _with_id(value: bytes | None, number: int) -> bytes:
    assert value is not None
    return json.dumps(json.loads(value) | {"id": f"p{number}"}).encode()
