"""Tells whoever Apprise can reach: a message when something opens, when it gets worse, and when it is over.

*Guarantee.* At least once. Of a model no more than `per_hour` messages go out in an hour: the last of them tells all that there is, and
what comes behind it waits for the next hour. A message has an end: it is said by a process of its own, which is killed. The address, which
is a secret, is on the standard input of that process, and nowhere else.
"""

import os
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...schemas.configuration.alerts import Apprise
from ...schemas.messages.alert import Alerted
from ...schemas.messages.drift import Severity
from ...schemas.unusable import Unusable
from . import child
from .refusals import Refusals
from .saying import NoAnswer, Saying
from .subjects import GIVEN_UP, ORDER
from .telling import Due, Told

HOUR_S = 3_600.0
LONGEST_PAUSE_S = 300.0
#: Messages that come to nothing, one behind the other: the others of this time are not tried.
MOST_FAILURES = 3
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


@dataclass
class _Hour:
    began: float
    messages: int = 0


class ToApprise:
    """One address. What was said in this hour is remembered here alone: another process may say as much again."""

    def __init__(
        self, settings: Apprise, per_hour: int, name: str, environment: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._per_hour, self._name, self._clock = settings, per_hour, name, clock
        self._hours: dict[str, _Hour] = {}
        self._failures: dict[str, tuple[int, float]] = {}  # by what it is about, how often, and when it is tried again
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
        """One message: what was told is known before the next. By model, the gravest first."""
        told = self._tell(due, now)
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

    def _tell(self, due: Iterable[Due], now: int) -> Told:
        at = self._clock()
        self._hours = {model: hour for model, hour in self._hours.items() if at < hour.began + HOUR_S}
        new = [one for one in due if one.news is not None]
        abouts = {one.one.about for one in new}
        self._failures = {about: one for about, one in self._failures.items() if about in abouts}
        told, by_model, again = list[Alerted](), dict[str, list[Due]](), at + HOUR_S
        for one in new:
            if one.news == "within":
                told.append(one.one.told(self._name, "ended", now))
            elif one.one.ended is not None and one.one.ended < now - GIVEN_UP:
                told.append(one.one.told(self._name, "undelivered", now))
            elif (next_ := self._failures.get(one.one.about, (0, at))[1]) > at:
                again = min(again, next_)
            else:
                by_model.setdefault(one.one.model, []).append(one)
        failed = 0
        for model, of_model in by_model.items():
            rest = sorted(of_model, key=lambda one: (-ORDER.index(one.one.severity), one.one.known, one.one.about))
            while rest and failed < MOST_FAILURES and not self._stopped:
                left = self._per_hour - self._hours.get(model, _Hour(at)).messages
                if left <= 0:
                    again = min(again, self._hours[model].began + HOUR_S)
                    break
                part, rest = (rest, []) if left == 1 else (rest[:1], rest[1:])
                if self._said(model, part):
                    self._refusals.over()
                    told += [one.one.told(self._name, "open" if one.news in ("opened", "worse") else "ended", now) for one in part]
                    return Told(told, 0.0)
                failed += 1
                for one in part:
                    times = self._failures.get(one.one.about, (0, at))[0] + 1
                    self._failures[one.one.about] = times, at + min(random.uniform(0.5, 1) * 2.0 ** min(times, 30), LONGEST_PAUSE_S)
                    again = min(again, self._failures[one.one.about][1])
            if failed >= MOST_FAILURES:
                again = min(again, at + min(2.0**failed, LONGEST_PAUSE_S))
                break
        return Told(told, max(0.0, again - self._clock()))

    def _said(self, model: str, part: Sequence[Due]) -> bool:
        try:
            code = self._saying.say(message(part)._asdict())
        except NoAnswer:
            code = None
        if code != child.SAID:
            self._refusals.tell("no answer in time" if code is None else "Apprise could not deliver")
            return False
        self._hours.setdefault(model, _Hour(self._clock())).messages += 1
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
