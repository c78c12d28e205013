"""A user's folder, of which a job is given the data, and how it is called."""

from contextlib import closing
from typing import Any

import msgspec
from click.testing import CliRunner, Result

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.main import main
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.retrain import RetrainRequest

from ..streaming import BEGINNING
from .asked import request, sources

CONFIGURATION = """\
application: test
bus: embedded
embedded: bus.sqlite
artifacts: artifacts
streams:
  predictions: {topics: [scored], pane: 10s, clock: record}
labels:
  known: {topics: [labels], wait: 1h, early: 1m}
models:
  m0:
    labels: known
    review: {budget: 10 per day}
    retrain: {monthly: {when: person}}
"""
ROWS, SECOND = 400, 1_000
UNTIL = BEGINNING + 2 * ROWS * SECOND


def written(number: int) -> bytes:
    features = {"amount": number / 4, "age": 30 + number % 7, "colour": ("red", "green")[number % 2]}
    return msgspec.json.encode({"id": f"i{number}", "model": "m0", "version": "1", "features": features, "score": 0.25})


def labelled(number: int) -> bytes:
    return msgspec.json.encode({"id": f"i{number}", "label": number % 3 == 0})


def asked(settings: Configuration, **data: Any) -> RetrainRequest:  # fields of its data
    with closing(open_bus(settings)) as bus:
        return request("m0", UNTIL, **{"sources": sources(bus, settings, "m0")} | data)


def called(wanted: RetrainRequest | None, *words: str, out: str = "data") -> Result:
    """As a job calls it: the request on standard input."""
    given = () if wanted is None else ("-",)
    return CliRunner().invoke(main, ["dataset", "build", *given, "--out", out, *words], input=None if wanted is None else wanted.encoded())
