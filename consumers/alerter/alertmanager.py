"""Tells Prometheus's Alertmanager, by its API v2: what is open again every minute, what is over once more.

*Guarantee.* An Alertmanager that is away, or begins anew without its memory, costs no more than the minute until it is told again. A call
has an end, however slowly it answers. The labels of an alert never change: what does is text, and stands in its annotations; what gets
worse ends as it was, and opens under its severity.
"""

import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ...schemas.cloud_events import iso
from ...schemas.configuration.alerts import Alertmanager
from ...schemas.messages.alert import Alerted
from ...schemas.messages.drift import Severity
from ..calls.answers import Erred, TimedOut
from ..calls.connection import Connection
from .refusals import Refusals
from .subjects import Subject
from .telling import Due, Told

#: Seconds until what is open is told again; ms behind which nobody tells it any more, and it counts as over: of five, four may be lost.
AGAIN_S, OVER_MS = 60.0, 300_000
#: Of pauses; of its own, since threads draw from it.
_CHANCE = random.Random()
#: Alerts of one call; bytes of an answer that are read; seconds until a call that came to nothing is made again, at most.
MOST_ALERTS, MOST_BYTES, LONGEST_PAUSE_S = 64, 4_096, 60.0
PATH = "/api/v2/alerts"
NAMES = {
    "incident": "DriftbusIncident",
    "episode": "DriftbusDrift",
    "job": "DriftbusJobFailed",
    "approval": "DriftbusJobAwaitsApproval",
    "step": "DriftbusVersion",
}


class ToAlertmanager:
    """One of them."""

    def __init__(self, settings: Alertmanager, application: str, name: str) -> None:
        self._settings, self._application, self._name = settings, application, name
        self._next, self._failures = 0.0, 0
        self._refusals = Refusals(f"alerts.{name}")
        self._connection: Connection | None = None
        self._changing, self._stopped = threading.Lock(), False

    def tell(self, due: Iterable[Due], now: int) -> Told:
        """All that is open where a minute is over, else what is new."""
        began = time.monotonic()
        whole = began >= self._next
        chosen = [one for one in due if one.news is not None or (whole and one.told is not None and one.told.state == "open")]
        said, reason = list[Alerted](), None
        for first in range(0, len(chosen), MOST_ALERTS):
            part = chosen[first : first + MOST_ALERTS]
            try:
                status = self._call([alert for one in part for alert in self._alerts(one, now)])
            except (TimedOut, Erred) as error:
                reason = str(error) or "no answer in time"
                break
            if 200 <= status < 300:
                said += [state for one in part if (state := self._state(one, now)) is not None]
            else:
                reason = f"HTTP {status}"  # what is wrong with some of these is not with the others
        if reason is not None:
            self._refusals.tell(reason)
            self._failures += 1
            return Told(said, min(_CHANCE.uniform(0.5, 1) * 2.0 ** min(self._failures, 30), LONGEST_PAUSE_S))
        self._refusals.over()
        self._failures = 0
        if whole:
            self._next = began + AGAIN_S
        return Told(said, max(0.0, self._next - time.monotonic()))

    def stop(self) -> None:
        """Cut what is under way."""
        with self._changing:
            self._stopped = True
            if self._connection is not None:
                self._connection.cut()

    def close(self) -> None:
        """There is nothing: each call has a connection of its own."""

    def _state(self, due: Due, now: int) -> Alerted | None:
        if due.news is None:
            return None
        return due.one.told(self._name, "open" if due.news in ("opened", "worse") else "ended", now)

    def _alerts(self, due: Due, now: int) -> Iterator[dict[str, object]]:
        one, before = due
        until = now if one.within and one.ended is None else one.ended
        if before is not None and before.severity != one.severity:
            yield self._alert(one, before.severity, min(now, until or now))
        yield self._alert(one, one.severity, now + OVER_MS if until is None else until)

    def _alert(self, one: Subject, severity: Severity, ends: int) -> dict[str, object]:
        labels = {"alertname": NAMES[one.of], "application": self._application, "model": one.model, one.of: one.id, "severity": severity}
        return {
            "labels": labels,
            "annotations": {"summary": one.heading, "description": one.text, "version": one.version},
            "startsAt": iso(one.known),
            "endsAt": iso(max(ends, one.known)),
        }

    def _call(self, alerts: Sequence[object]) -> int:
        """The status of the answer. Raises `TimedOut`, `Erred`."""
        settings = self._settings
        with self._changing:
            if self._stopped:
                raise TimedOut
            self._connection = connection = Connection(settings.url, {"User-Agent": "driftbus", **settings.headers})
        try:
            deadline = time.monotonic() + settings.timeout / 1000
            return connection.ask("POST", PATH, msgspec.json.encode(alerts), deadline, most=MOST_BYTES).status
        finally:
            connection.close()
