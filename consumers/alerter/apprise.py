"""Tells whoever Apprise can reach: a message when something opens, when it gets worse, and when it is over.

*Guarantee.* At least once, and as often as `pacing` lets it. A message has an end: it is said by a process of its own, which is killed. The
address, which is a secret, is on the standard input of that process, and nowhere else.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ...schemas.configuration.alerts import Apprise
from ...schemas.messages.drift import Severity
from ...schemas.unusable import Unusable
from . import child
from .pacing import Pacing
from .refusals import Refusals
from .saying import NoAnswer, Saying
from .subjects import ORDER
from .telling import Due, Told

#: Of a message.
LONGEST_HEADING, LONGEST_TEXT, MOST_LISTED = 200, 3_000, 20
#: As Apprise calls them.
TYPES: Mapping[Severity, str] = {"minor": "info", "moderate": "warning", "major": "failure"}
_WORDS = {"opened": "", "worse": "Worse now, ", "ended": "Over: ", "missed": "Came and went: "}


class Message(NamedTuple):
    """As it is said."""

    title: str
    body: str
    type: str


class NobodyThere(Unusable):
    """Apprise, or the address, is missing."""


class ToApprise:
    """One address."""

    def __init__(
        self, settings: Apprise, per_hour: int, name: str, environment: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pacing = Pacing(per_hour, name, clock, self._said, lambda: self._stopped)
        self._refusals = Refusals(f"alerts.{name}")
        self._saying, self._stopped = Saying(address(name, settings, environment), settings.timeout / 1000), False
        try:
            if not said(self._saying.say({})):
                msg = f"alerts.{name}.apprise.url_from: what {settings.url_from} holds is no address of Apprise's"
                raise NobodyThere(msg)
        except NoAnswer:
            pass  # a machine that is so busy may find out later
        finally:
            self._saying.rest()

    def tell(self, due: Iterable[Due], now: int) -> Told:
        """One message: what was told is known before the next."""
        told = self._pacing.tell(due, now)
        if told.again_s:
            self._saying.rest()
        return told

    def stop(self) -> None:
        """Kill the process that says something."""
        self._stopped = True
        self._saying.stop()

    def close(self) -> None:
        """Nothing is left of that process."""
        self._saying.rest()

    def _said(self, part: Sequence[Due]) -> bool:
        try:
            code = self._saying.say(message(part)._asdict())
        except NoAnswer:
            code = None
        if code != child.SAID:
            self._refusals.tell("no answer in time" if code is None else "Apprise could not deliver")
            return False
        self._refusals.over()
        return True


def address(name: str, settings: Apprise, environment: Mapping[str, str] = os.environ) -> str:
    """What stands in the environment. Raises `NobodyThere`."""
    if not (found := environment.get(settings.url_from, "").strip()):
        msg = f"alerts.{name}.apprise.url_from: {settings.url_from} is not set"
        raise NobodyThere(msg)
    return found


def said(code: int) -> bool:
    """What an exit code says. Raises `NobodyThere` where Apprise is not installed."""
    if code == child.NO_APPRISE:
        msg = "alerts by Apprise need it: pip install 'driftbus[alerts]'"
        raise NobodyThere(msg)
    return code == child.SAID


def message(part: Sequence[Due]) -> Message:
    """One thing, or a list of them."""
    gravest = max((due.one.severity for due in part), key=ORDER.index)
    over = all(due.news in ("ended", "missed") for due in part)
    type_ = "success" if over else TYPES[gravest]
    if len(part) == 1:
        one = part[0].one
        return Message(_cut(_heading(part[0]), LONGEST_HEADING), _cut(one.text, LONGEST_TEXT), type_)
    lines = [f"- {_cut(_heading(due), LONGEST_HEADING)}" for due in part[:MOST_LISTED]]
    lines += [f"- and {len(part) - MOST_LISTED:,} more: driftbus status"] if len(part) > MOST_LISTED else []
    body = "\n".join([*lines, "", "What comes next waits until the hour is over."])
    return Message(_cut(f"{part[0].one.model!r}: {len(part):,} changes", LONGEST_HEADING), body, type_)


def _heading(due: Due) -> str:
    worse = f"{_WORDS[due.news or 'opened']}{due.one.severity}: " if due.news in ("opened", "worse") else _WORDS[due.news or "ended"]
    return f"{worse}{due.one.heading}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
