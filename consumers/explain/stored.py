"""What was stored of an incident beside the log, read by the layouts of its reference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ...detectors.diagnosis.evidence import Evaluated
from ...detectors.diagnosis.evidence import Window as Evidence
from ...detectors.diagnosis.groups import Layout
from ...detectors.diagnosis.thresholds import Thresholds
from ...detectors.diagnosis.windows import Window
from ...schemas.configuration import Configuration
from ..console.causes import ToldIncident
from ..diagnoser.archive import FOLDER, FORM
from ..diagnoser.diagnoser import readings
from ..diagnoser.settings import thresholds_of
from ..reference.artifacts import ArtifactStore


class StoredError(LookupError):
    """It is of a form that this release does not know."""


@dataclass(frozen=True)
class Stored:
    """The windows that a diagnosis looked at, those that it compared them with, and the model's evaluations."""

    layout: Layout
    thresholds: Thresholds
    baseline: Sequence[Evidence]
    windows: Sequence[Evidence]
    evaluated: Sequence[Evaluated]
    in_rows: bool = False  #: times count rows

    def onset(self, time: int) -> int | None:
        """The first window that is not over before a time, ms."""
        return next((place for place, one in enumerate(self.windows) if one.end > time), None)


def stored(incident: ToldIncident, configuration: Configuration, store: ArtifactStore) -> Stored | None:
    """Of the newest revision that names it; None: nothing was, for it was never confirmed.

    Raises
    ------
    StoredError
        Of a form that is not known.
    """
    name = next((one.artifact for one in reversed(incident.revisions) if one.artifact is not None), None)
    if name is None:
        return None
    plain = msgspec.msgpack.decode(store.beside(FOLDER).get(name))
    if plain.get("form") != FORM:
        msg = f"artifacts: {name} has form {plain.get('form')}, which this release cannot read; explain it with the release that wrote it"
        raise StoredError(msg)
    _, _, model, _, reference, *_ = plain["whose"]
    _, reading = readings(configuration, store)(model, reference)
    return Stored(
        layout=reading.groups_of_fields,
        thresholds=thresholds_of(configuration, model),
        baseline=[reading.window(one) for one in _windows(plain["baseline"])],
        windows=[reading.window(one) for one in _windows(plain["windows"])],
        evaluated=[Evaluated(*one) for one in plain["evaluated"]],
        in_rows=incident.last.in_rows,
    )


def _windows(plain: list[list[Any]]) -> Iterator[Window]:  # numbers, and bytes
    for first, last, start, end, content in plain:
        yield Window(first, last, start, end, content)
