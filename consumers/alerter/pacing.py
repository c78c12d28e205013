"""Of what there is to tell, which message is next: so many an hour and model, the gravest first, and what failed again later.

*Guarantee.* Of a model no more than `per_hour` messages go out in an hour: the last of them tells all that there is, and what comes behind
it waits for the next hour.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...schemas.messages.alert import Alerted
from .subjects import GIVEN_UP, ORDER
from .telling import Due, Told

HOUR_S = 3_600.0
#: Of pauses; of its own, since threads draw from it.
_CHANCE = random.Random()
LONGEST_PAUSE_S = 300.0
#: Messages that come to nothing, one behind the other: the others of this time are not tried.
MOST_FAILURES = 3


@dataclass
class _Hour:
    began: float
    messages: int = 0


class Pacing:
    """What was said in this hour is remembered here alone: another process may say as much again.

    Parameters
    ----------
    say
        Says one message of these, and whether it was taken.
    stopped
        Whether nothing more is to be said.
    """

    def __init__(
        self, per_hour: int, name: str, clock: Callable[[], float], say: Callable[[Sequence[Due]], bool], stopped: Callable[[], bool]
    ) -> None:
        self._per_hour, self._name, self._clock, self._say, self._stopped = per_hour, name, clock, say, stopped
        self._hours: dict[str, _Hour] = {}
        self._failures: dict[str, tuple[int, float]] = {}  # by what it is about, how often, and when it is tried again

    def tell(self, due: Iterable[Due], now: int) -> Told:
        """One message at most: what was told is known before the next. By model, the gravest first."""
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
            while rest and failed < MOST_FAILURES and not self._stopped():
                left = self._per_hour - self._hours.get(model, _Hour(at)).messages
                if left <= 0:
                    again = min(again, self._hours[model].began + HOUR_S)
                    break
                part, rest = (rest, []) if left == 1 else (rest[:1], rest[1:])
                if self._say(part):
                    self._hours.setdefault(model, _Hour(self._clock())).messages += 1
                    told += [one.one.told(self._name, "open" if one.news in ("opened", "worse") else "ended", now) for one in part]
                    return Told(told, 0.0)
                failed += 1
                for one in part:
                    times = self._failures.get(one.one.about, (0, at))[0] + 1
                    self._failures[one.one.about] = times, at + min(_CHANCE.uniform(0.5, 1) * 2.0 ** min(times, 30), LONGEST_PAUSE_S)
                    again = min(again, self._failures[one.one.about][1])
            if failed >= MOST_FAILURES:
                again = min(again, at + min(2.0**failed, LONGEST_PAUSE_S))
                break
        return Told(told, max(0.0, again - self._clock()))
