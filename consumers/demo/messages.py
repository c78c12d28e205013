"""The year as records: a prediction per flight, and its label when it has landed."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import iso
from ..bus.interface import Output
from .data import FEATURES, Flights

MODEL, VERSION = "nyc-late", "1"
SCORED, LABELS, PARTITIONS = "flights.scored", "flights.labels", 4
_KEY = MODEL.encode()


def predictions(flights: Flights, score: NDArray[np.float64]) -> Iterator[Output]:
    """A record per flight, in the order of time, dealt to the partitions in turn; its timestamp is the flight's own."""
    encode = msgspec.json.Encoder().encode  # writes a NaN as null
    columns = [(flights.categories | flights.numbers)[name].tolist() for name in FEATURES]
    rows = zip(flights.id, flights.scheduled.tolist(), score.tolist(), *columns, strict=True)
    for number, (id_, time, probability, *values) in enumerate(rows):
        prediction = {
            "model": MODEL,
            "version": VERSION,
            "id": id_,
            "time": time,
            "features": dict(zip(FEATURES, values, strict=True)),
            "prediction": probability > 0.5,
            "score": probability,
        }
        yield Output(SCORED, number % PARTITIONS, _KEY, encode(prediction), timestamp=time)


def labels(flights: Flights) -> Iterator[Output]:
    """A record per flight that landed, when it is known whether it was late; cancelled and diverted flights never get one."""
    encode = msgspec.json.Encoder().encode
    (landed,) = np.nonzero(flights.known)
    landed = landed[np.argsort(flights.landed[landed], kind="stable")]
    rows = zip(flights.id[landed], flights.landed[landed].tolist(), flights.late[landed].tolist(), strict=True)
    for number, (id_, time, late) in enumerate(rows):
        label = {"model": MODEL, "version": VERSION, "id": id_, "time": iso(time), "label": late}
        yield Output(LABELS, number % PARTITIONS, _KEY, encode(label), timestamp=time)
