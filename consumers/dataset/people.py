"""What people, and who compares rows with the training data, say of rows: answers of reviewers, and rows that are unlike."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.ood import OodSample
from ...schemas.messages.review import TAKEN_BACK, ReviewAnswer
from ...schemas.outcome import halves_of, id_halves
from ..bus import own
from ..bus.addressing import partition_of
from ..bus.interface import Bus, TopicPartition
from ..decode.outcomes import NoOutcome, Outcomes
from ..reference import reviews
from .gathered import Rows
from .joined import Outcomes as Joined
from .places import Place


class Answer(NamedTuple):
    """What people say of a prediction."""

    hi: int
    lo: int
    slot: int  #: its row's bucket ends at or before it
    code: int


def answers(bus: Bus, configuration: Configuration, model: str, outcomes: Outcomes, key: bytes, until: int) -> list[Answer]:
    """Of each answered case the label of whoever answered first; of several answers of one reviewer the last holds. What was written later
    than ``until`` does not count; where times are those of records, what was asked of later rows.
    """
    if configuration.models[model].review is None:
        return []
    said: dict[str, dict[str, ReviewAnswer]] = {}
    for written, one in _records(bus, configuration, configuration.topics.reviews, model, reviews.read):
        if isinstance(one, ReviewAnswer) and one.model == model and (one.slot if written is None else written) <= until:
            by = said.setdefault(one.case, {})
            if one.skipped == TAKEN_BACK:
                by.pop(one.reviewer, None)
            else:
                by[one.reviewer] = one
    return [answer for by in said.values() if (answer := _first(by, outcomes, key)) is not None]


def _first(by: Mapping[str, ReviewAnswer], outcomes: Outcomes, key: bytes) -> Answer | None:
    for one in by.values():
        if one.label is not None and (one.prediction_hash is not None or one.prediction_id):
            halves = halves_of(one.prediction_hash) if one.prediction_hash is not None else id_halves([one.prediction_id or ""], key)
            with suppress(NoOutcome):
                return Answer(int(halves[0, 0]), int(halves[0, 1]), one.slot, outcomes.of(one.label))
    return None


def answered(found: list[Answer], predictions: Rows, joined: Joined) -> NDArray[np.bool_]:
    """Put answers in the place of labels; of which rows. An id that came again later is another prediction."""
    by = np.zeros(len(predictions), dtype=bool)
    if not found:
        return by
    of_id: dict[tuple[int, int], list[tuple[int, int]]] = {}
    among = np.isin(predictions["lo"], np.array([one.lo for one in found], dtype=np.uint64)) & joined.counted
    for place in np.flatnonzero(among).tolist():
        row = predictions[place]
        of_id.setdefault((int(row["hi"]), int(row["lo"])), []).append((int(row["bucket"]), place))
    for one in found:
        asked = max((own for own in of_id.get((one.hi, one.lo), ()) if own[0] <= one.slot), default=None)
        if asked is not None:
            joined.label[asked[1]], by[asked[1]], joined.ripe[asked[1]] = one.code, True, True
    return by


def unlike(bus: Bus, configuration: Configuration, model: str, until: int) -> set[tuple[str, str, int, int]]:
    """Where the rows lie that were told to be unlike the training data: topic, its id, partition, offset."""
    if configuration.models[model].ood is None:
        return set()

    def read(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> OodSample | None:
        return own.read_of_model(application, {"io.driftbus.ood-sample": OodSample.model_validate_json}, key, value, headers)

    samples = (one for _, one in _records(bus, configuration, configuration.topics.ood, model, read) if one.model == model)
    return {(one.topic, one.topic_id, one.partition, one.offset) for one in samples if one.bucket <= until}


def are_unlike(known: set[tuple[str, str, int, int]], place: Place, offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows of a place are among these."""
    of = place.source.topic, place.topic_id, place.source.partition
    return np.isin(offsets, [offset for *where, offset in known if tuple(where) == of])


def _records(
    bus: Bus, configuration: Configuration, topic: str, model: str, read: Callable[[str, bytes | None, bytes | None, Headers], Any]
) -> Iterator[tuple[int | None, Any]]:  # what that reader reads
    """What can be read of the model's partition, and when the log says that it was written."""
    if not bus.describe([topic], settings=False):
        return
    source = TopicPartition(topic, partition_of(model, configuration.topics.partitions))
    for batch in bus.read(source, *bus.watermarks(source)):
        times = batch.timestamps.tolist()
        for time, key, value, headers in zip(times, batch.keys(), batch.values, batch.headers(), strict=True):
            with suppress(own.Foreign, own.Unreadable):
                if (said := read(configuration.application, key, value, headers)) is not None:
                    yield time if batch.append_time else None, said
