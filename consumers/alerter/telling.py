"""A thread that tells one destination what there is to tell: nobody who waits for a server holds up a turn."""

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from ...schemas.messages.alert import Alerted
from .subjects import News, Subject, news


class Due(NamedTuple):
    """One thing, and what was told of it last."""

    one: Subject
    told: Alerted | None

    @property
    def news(self) -> News | None:
        """What there is to say."""
        return news(self.one, self.told)


class Told(NamedTuple):
    """What came of it."""

    said: list[Alerted]
    again_s: float = math.inf  #: when to try again, though nothing has changed; 0: there is more to tell now


class Destination(Protocol):
    """Who is told. Called by one thread, never in a turn: it may wait for others, but each call has an end."""

    def tell(self, due: Iterable[Due], now: int) -> Told:
        """Tell what there is to tell; may be called as often as one likes."""
        ...

    def stop(self) -> None:
        """From any thread: give up what is under way."""
        ...

    def close(self) -> None:
        """By the thread that tells: it tells no more."""
        ...


class Telling:
    """The thread of one destination. Begun when it is made."""

    def __init__(self, destination: Destination, name: str, wall: Callable[[], int]) -> None:
        self._destination, self._wall = destination, wall
        self._due: dict[str, Due] = {}
        self._said: dict[str, Alerted] = {}  # and not yet on the log
        self._tried: dict[str, News | None] = {}
        self._changed = threading.Condition()
        self._new = self._stopped = False
        self._error: Exception | None = None
        threading.Thread(target=self._run, name=f"alerter-{name}", daemon=True).start()

    def keep(self, due: Mapping[str, Due]) -> None:
        """All that there is to tell now."""
        with self._changed:
            if due != self._due:
                self._due = dict(due)
                for kept in (self._said, self._tried):
                    for about in kept.keys() - due.keys():
                        kept.pop(about)
                self._new = True
                self._changed.notify_all()

    def said(self) -> tuple[dict[str, Alerted], set[str]]:
        """What was told, and is to be written; what waits to be told, or tried. Raises what nobody's answer can be the cause of."""
        if self._error is not None:
            raise self._error
        with self._changed:
            waits = {about for about, due in self._now().items() if due.news not in (None, self._tried.get(about))}
            return dict(self._said), waits

    def written(self, said: Iterable[Alerted]) -> None:
        """It is on the log, and comes back in what is kept."""
        with self._changed:
            for one in said:
                if self._said.get(one.about) == one:
                    del self._said[one.about]
                    if due := self._due.get(one.about):
                        self._due[one.about] = due._replace(told=one)

    def stop(self) -> None:
        """Tell nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._destination.stop()

    def _now(self) -> dict[str, Due]:
        return {about: due._replace(told=self._said.get(about, due.told)) for about, due in self._due.items()}

    def _run(self) -> None:
        try:
            while (due := self._taken()) is not None:
                told = self._destination.tell(due.values(), self._wall())
                with self._changed:
                    self._said |= {one.about: one for one in told.said if one.about in self._due}
                    if told.again_s:
                        self._tried |= {about: one.news for about, one in due.items() if about in self._due}
                    if not self._new and not self._stopped:
                        self._changed.wait(min(told.again_s, threading.TIMEOUT_MAX))
        except Exception as error:  # noqa: BLE001  # told to the thread that turns, which ends by it
            self._error = error
        finally:
            self._destination.close()

    def _taken(self) -> dict[str, Due] | None:
        with self._changed:
            while not self._due and not self._stopped:
                self._changed.wait()
            self._new = False
            return None if self._stopped else self._now()
