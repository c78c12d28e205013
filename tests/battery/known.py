"""The battery's reference, and the index of rows that others are compared with: built once in a process."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.columns import Key
from driftbus.consumers.reference.building.familiarity import familiar
from driftbus.consumers.reference.building.messages import json_lines
from driftbus.consumers.reference.familiar import FOLDER
from driftbus.schemas.configuration import Configuration, Model
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.identity import content_hash
from driftbus.schemas.stored.reference import Reference

from ..streaming import BEGINNING, Sent, message, reference

#: Rows that the index is made of.
_ROWS = 2_000


def familiar_reference(settings: Configuration) -> Reference:
    """Of m0, with the index of rows that were drawn as its traffic is; that is stored where it is looked for."""
    known, index = _indexed()
    ArtifactStore(settings.artifacts).beside(FOLDER).put(index)
    return known


@cache
def _indexed() -> tuple[Reference, bytes]:
    known, stored, draw = _busy(reference("m0")), list[bytes](), np.random.default_rng(9)

    def keep(index: bytes) -> str:
        stored.append(index)
        return content_hash(index)

    with TemporaryDirectory() as folder:
        file = Path(folder) / "m0.jsonl"
        file.write_bytes(b"\n".join(message(draw, "m0") for _ in range(_ROWS)))
        keys = [Key(field.role, field.name if field.role == "feature" else "") for field in known.fields]
        settings = Model.model_validate({"ood": {"of": "row"}})
        found, _ = familiar(json_lines(file, Mapping(), "m0", "1"), known, keys, settings, keep)
    return found, stored[0]


def _busy(known: Reference) -> Reference:
    """As of traffic of ten rows a second, so that causes are looked for by the minute."""
    assert known.last is not None
    return known.model_copy(update={"last": known.last // 10})


def offline(placed: Sequence[Sent]) -> Iterator[Sent]:
    """Rows of the feature log: of most predictions, half a minute later at most, some as training computes them otherwise."""
    for number, one in enumerate(placed):
        try:
            features = msgspec.json.decode(one.value or b"")["features"]
        except (msgspec.DecodeError, TypeError, KeyError, UnicodeError, RecursionError):
            continue
        if number % 7 and isinstance(features, dict):
            values = features | ({"age": 18} if number % 5 == 0 else {})
            value = {"entity": f"trip {number}", "as_of": BEGINNING + one.time, "values": values}
            yield Sent(number % 2, one.time + 5_000 * (number % 6), msgspec.json.encode(value))
