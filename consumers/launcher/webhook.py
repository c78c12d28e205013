"""Delivers a job as a signed call to somebody's server: at least once, and each time under the same id.

*Guarantee.* It is delivered again until the server says that it has it, that it will never take it, or the deadline is over. A call ends
within its `timeout`, however slowly the server speaks. A receiver that stores the id in one transaction with its work does that once.

*Trap.* What is not answered may have arrived: an end that says *undelivered* says no more.
"""

import email.utils
import math
import random
import threading
import time
from collections.abc import Callable, Collection
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from ...schemas.configuration.launchers import Webhook
from ...schemas.duration import written
from ..calls.answers import Erred, TimedOut
from ..calls.connection import Answer, Connection
from ..calls.secrets import UnusableSecret, secret_of
from .seen import Job, Seen
from .signing import key_of, signature
from .template import NoSuchFact, filled, filled_address

#: Bytes of an answer that are read.
MOST_BYTES = 64 * 1024
#: Seconds until a delivery is tried again, at most: by our own count, and by the server's word.
LONGEST_PAUSE_S, LONGEST_WISH_S = 300.0, 3_600.0
#: Of what a server may want later; and all of 5xx.
_LATER = frozenset({408, 425, 429})
#: Seconds between two looks at what is delivered, and whose end somebody reports.
_DELIVERED_S = 3_600.0
_Read = TypeVar("_Read")


class WebhookLauncher:
    """One server. What has been tried is remembered here alone: it decides no more than when it is tried next."""

    memory = ""

    def __init__(self, settings: Webhook, wall: Callable[[], int], draw: random.Random | None = None, place: str = "webhook") -> None:
        """``place``: where its settings stand in the configuration, for what is said of its secrets."""
        self._settings, self._wall, self._draw, self._place = settings, wall, draw or random.Random(), place
        self.at_once = settings.at_once
        self._tried: dict[str, int] = {}
        self._delivered: set[str] = set()
        self._calling: set[Connection] = set()
        self._changing = threading.Lock()
        self._stopped = False

    def prove(self) -> None:
        """Look at its secrets as a call does. Raises `UnusableSecret`, and which it is: at start, not when a job is there."""
        self._headers()
        self._keys()

    def ensure(self, job: Job) -> Seen:
        """Deliver it, if it has not been; how it stands."""
        if job.started or job.id in self._delivered:
            return Seen("started", "delivered", _DELIVERED_S)
        if job.cancelling:
            return Seen("cancelled", "it is delivered no more; it may have arrived" if job.id in self._tried else "it was not delivered")
        if self._wall() >= job.requested + self._settings.deadline:
            return Seen("failed", f"undelivered within {written(self._settings.deadline)}: it may have arrived", undelivered=True)
        try:
            answer = self._called(job)
        except (NoSuchFact, UnusableSecret) as error:
            return Seen("failed", str(error))
        except (TimedOut, Erred) as error:
            return self._again(job, None, str(error) or "no answer in time")
        if 200 <= answer.status < 300 or answer.status in self._settings.exists:
            return self._arrived(job, answer.status)
        if answer.status in _LATER or answer.status >= 500:
            return self._again(job, answer.headers["Retry-After"], f"HTTP {answer.status}")
        return Seen("failed", f"HTTP {answer.status}")

    def lose(self, job: str) -> None:
        """There is no memory here that could be gone."""

    def closed(self, job: str) -> None:
        """Forget it."""
        self._tried.pop(job, None)
        self._delivered.discard(job)

    def clean(self, still_open: Collection[str]) -> None:
        """There is nothing."""

    def stop(self) -> None:
        """Cut what is under way: it is tried again by the next process."""
        with self._changing:
            self._stopped = True
            for connection in self._calling:
                connection.cut()

    def _arrived(self, job: Job, status: int) -> Seen:
        why = "delivered" if 200 <= status < 300 else f"it was there already: HTTP {status}"
        if not self._settings.reports:
            return Seen("succeeded", why)
        self._delivered.add(job.id)
        return Seen("started", why, _DELIVERED_S)

    def _again(self, job: Job, wish: str | None, why: str) -> Seen:
        tried = self._tried[job.id] = self._tried.get(job.id, 0) + 1
        pause_s = min(self._draw.uniform(0.5, 1) * 2.0 ** min(tried - 1, 30), LONGEST_PAUSE_S)
        left_s = (job.requested + self._settings.deadline - self._wall()) / 1000
        return Seen("requested", why, max(0.0, min(max(pause_s, wished(wish, self._wall())), left_s)))

    def _headers(self) -> dict[str, str]:
        return {name: self._read(f"headers.{name}", value, secret_of) for name, value in self._settings.headers.items()}

    def _keys(self) -> list[bytes]:
        """Of the signature, in their order."""
        secrets = {"secret": self._settings.secret, "former_secret": self._settings.former_secret}
        return [self._read(key, one, lambda found: key_of(secret_of(found))) for key, one in secrets.items() if one is not None]

    def _read(self, key: str, written: str, read: Callable[[str], _Read]) -> _Read:
        try:
            return read(written)
        except UnusableSecret as error:
            msg = f"{self._place}.{key}: {error}"
            raise UnusableSecret(msg) from None

    def _called(self, job: Job) -> Answer:
        settings = self._settings
        parts = urlsplit(filled_address(settings.url, job.facts))
        body = job.event if settings.body is None else msgspec.json.encode(filled(settings.body, job.facts))
        at_s = self._wall() // 1000
        headers = {"User-Agent": "driftbus"} | self._headers()
        headers |= {"webhook-id": job.id, "webhook-timestamp": str(at_s), "idempotency-key": job.id}
        if keys := self._keys():
            headers["webhook-signature"] = signature(keys, job.id, at_s, body)
        connection = Connection(f"{parts.scheme}://{parts.netloc}", headers)
        with self._changing:
            if self._stopped:
                raise TimedOut
            self._calling.add(connection)
        try:
            return connection.ask(settings.method, parts.path or "/", body, time.monotonic() + settings.timeout / 1000, most=MOST_BYTES)
        finally:
            with self._changing:
                self._calling.discard(connection)
            connection.close()


def wished(said: str | None, now_ms: int) -> float:
    """Seconds that a server wants to be left alone for: a number of them, or a date. Nonsense is no wish.

    >>> wished("120", 0), wished("Thu, 01 Jan 1970 00:01:00 GMT", 0), wished("soon", 0), wished("1e99", 0), wished(None, 0)
    (120.0, 60.0, 0.0, 0.0, 0.0)
    """
    if said is None:
        return 0.0
    if said.strip().isdecimal() and said.isascii():
        seconds = float(said.strip()[:9])
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(said).timestamp() - now_ms / 1000
        except (ValueError, TypeError, IndexError, OverflowError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_WISH_S) if math.isfinite(seconds) else 0.0
