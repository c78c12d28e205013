"""Asks on one topic, and reads the answers on another: the same id on both."""

import threading
import time
from collections.abc import Callable, Iterator

import msgspec

from ...schemas.cloud_events import Headers
from ...schemas.configuration.golden import RequestReply
from ..bus.interface import Bus, BusError, Output, TopicPartition
from ..decode.marked import HEADER
from .asking import Batch, Erred, Invalid, Replies, TimedOut, decoded, found

#: Seconds between two looks for replies.
_LOOK_S = 0.05


class RequestReplyCaller:
    """All rows at once. ``quiet_s``: so long after the last reply none is waited for any more.

    Of one row the first reply counts, in the order in which they are read. Replies to other attempts have other ids.
    """

    def __init__(self, settings: RequestReply, opens: Callable[[], Bus], closes: Callable[[Bus], None], quiet_s: float) -> None:
        self._settings, self._opens, self._closes, self._quiet_s = settings, opens, closes, quiet_s
        self._closed = threading.Event()

    def ask(self, batch: Batch, deadline: float) -> Replies:
        """What was replied by then."""
        bus = self._opens()
        try:
            return self._asked(bus, batch, deadline)
        except BusError as error:
            msg = f"the bus refused: {type(error).__name__}"
            raise Erred(msg) from None
        finally:
            self._closes(bus)

    def cut(self) -> None:
        """Wait for nothing more."""
        self._closed.set()

    def close(self) -> None:
        """It asks no more: of a call nothing is left."""

    def _asked(self, bus: Bus, batch: Batch, deadline: float) -> Replies:
        described = bus.describe([self._settings.request, self._settings.reply])
        for topic in (self._settings.request, self._settings.reply):
            if topic not in described:
                msg = "a topic that it is asked by does not exist"
                raise Erred(msg)
        places = [TopicPartition(self._settings.reply, number) for number in range(described[self._settings.reply].partitions)]
        positions = {place: bus.watermarks(place, committed=False)[1] for place in places}
        rows = {batch.asked.id(batch.first + place): place for place in range(len(batch.rows))}
        bus.publish([self._request(batch, id_, batch.first + place) for id_, place in rows.items()])
        values: list[object] = [TimedOut()] * len(rows)
        versions: list[str | None] = [None] * len(rows)
        heard = time.monotonic()
        while rows and time.monotonic() < min(deadline, heard + self._quiet_s) and not self._closed.is_set():
            before = len(rows)
            for id_, value in self._replies(bus, positions):
                place = rows.pop(id_, None)
                if place is not None:
                    values[place], versions[place] = self._read(value)
            if len(rows) < before:
                heard = time.monotonic()
            else:
                self._closed.wait(_LOOK_S)
        return Replies(values, versions)

    def _request(self, batch: Batch, id_: str, row: int) -> Output:
        features = batch.rows[row - batch.first].features
        content = {"id": id_, "model": batch.asked.model, "version": batch.asked.version, "features": features}
        return Output(self._settings.request, None, id_.encode(), msgspec.json.encode(content), ((HEADER, id_.encode()),))

    def _replies(self, bus: Bus, positions: dict[TopicPartition, int]) -> Iterator[tuple[str, bytes]]:
        for place, position in positions.items():
            end = bus.watermarks(place)[1]
            for one in bus.read(place, position, end):
                for value, headers in zip(one.values, one.headers(), strict=True):
                    if value and (id_ := self._id(value, headers)):
                        yield id_, value
            positions[place] = max(position, end)

    def _id(self, value: bytes, headers: Headers) -> str | None:
        for name, content in headers:
            if name.lower() == HEADER:
                return content.decode(errors="replace")
        try:
            id_ = found(decoded(value), self._settings.id.path, "id")
        except Invalid:
            return None  # of whatever else lies on that topic
        return id_ if isinstance(id_, str) else None

    def _read(self, value: bytes) -> tuple[object, str | None]:
        try:
            answer = decoded(value)
            version = None
            if self._settings.version is not None:
                said = found(answer, self._settings.version.path, "version")
                version = said if isinstance(said, str) else None
            return found(answer, self._settings.answer.path, "answer"), version
        except Invalid as invalid:
            return invalid, None
