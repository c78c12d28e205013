"""Kills an alerter at random moments on a real Kafka: whatever dies, all that opened is told, and that it is over.

``python -m tests.kafka.alerts --kills 60 --incidents 120 [--kind alertmanager|apprise] [--seed 1]`` starts a broker of its own, and says
what it found. Messages by Apprise go to a receiver of JSON that takes seconds for each, and refuses one in four.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus

from ..alerter.alertmanagers import alertmanager
from ..alerter.worlds import NAME, incident, over, prepared, say, told
from ..launcher.receivers import receiving
from ..waiting import until
from .killing import Cast, awaited, configured, parser_of, performed

ALERTER = "alerter"
#: A process lives so long, in seconds, until it is killed; the first of these are its start, or, of one that speaks by Apprise, the first
#: message's: it is said by a process of its own, which takes seconds to begin.
LIVES_S = {"alertmanager": (0.5, 4.0), "apprise": (0.0, 4.0)}
_BEGINS_S = 120
_LONG_S = 300


class Found(NamedTuple):
    """What a play came to."""

    incidents: int
    opened: Counter[str]  #: how often each was told to be open, as the other side knows it
    ended: Counter[str]  #: and to be over
    written: Counter[tuple[str, str, str]]
    within: int = 0  #: kills while a message was being said

    @property
    def whole(self) -> bool:
        """Whether nothing is missing, and each is written once to have been told: what came and went between two lives, to be over."""
        states = Counter(state for _, _, state in self.written.elements())
        told = self.incidents == len(self.opened) == len(self.ended)
        return told and states["ended"] == self.incidents >= states["open"] and states.total() == states["ended"] + states["open"]


def play(address: str, folder: Path, kind: str, kills: int, incidents: int, seed: int) -> Found:
    """Let incidents open and end, and kill who tells of them; then let all be told."""
    draw = random.Random(seed)
    with ExitStack() as stack:
        alert, counted, waiting = _other_side(stack, kind, seed)
        settings = configured(address, folder, "alerts", alerts={NAME: {**alert, "wait": 0, "per_hour": 1_000}})
        cast = stack.enter_context(closing(Cast(folder, {ALERTER: (ALERTER,)})))
        bus = stack.enter_context(closing(KafkaBus(settings.kafka, settings.application, "says")))
        prepared(bus, settings)
        said = [(number, word) for number in range(incidents) for word in ("opens", "ends")]
        said.sort(key=lambda one: (one[0] + 9 * (one[1] == "ends"), one[1]))

        def go_on(to: int) -> None:
            while len(said) > to:
                number, word = said.pop(0)
                one = incident(str(number), f"m{number % 7}")
                say(bus, settings, one if word == "opens" else over(one))

        places = [TopicPartition(settings.topics.drift, number) for number in range(settings.topics.partitions)]
        within = 0
        for number in range(kills):
            cast.born()
            if not number:  # what had ended before it first ran is told to nobody
                until(lambda: len(bus.committed(f"{settings.application}-alerter-{NAME}", places)) == len(places), _LONG_S)
            go_on(2 * incidents * (kills - number - 1) // kills)
            _let_live(draw, kind, waiting)
            within += waiting() > 0
            cast.kill(ALERTER)
        go_on(0)
        cast.born()

        def found() -> Found:
            return Found(incidents, *counted(), Counter(told(bus, settings)), within)

        awaited(lambda: found().whole, lambda: found().written.total(), _LONG_S)
        cast.end()
        return found()


def _let_live(draw: random.Random, kind: str, waiting: Callable[[], int]) -> None:
    """Until it is to be killed: of Apprise's at some moment behind the one in which it began to say something."""
    ends = time.monotonic() + _BEGINS_S
    while kind == "apprise" and not waiting() and time.monotonic() < ends:
        time.sleep(0.05)
    time.sleep(draw.uniform(*LIVES_S[kind]))


_Counted = Callable[[], tuple[Counter[str], Counter[str]]]


def _other_side(stack: ExitStack, kind: str, seed: int) -> tuple[dict[str, object], _Counted, Callable[[], int]]:
    """Its settings, what it was told, and how many messages it is being told just now."""
    if kind == "apprise":
        receiver = stack.enter_context(receiving("late 200", "late 200", "late 200", "late 500", seed=seed))
        os.environ["DRIFTBUS_TEST_ALERTS"] = f"json://{receiver.address.removeprefix('http://')}/hook"

        def of_messages() -> tuple[Counter[str], Counter[str]]:
            bodies = [json.loads(body) for manner, _, _, body in list(receiver.calls) if manner == "late 200"]
            named = [(body["title"], body["message"].split()[-1]) for body in bodies]
            opened = Counter(name for title, name in named if title.startswith(("moderate", "Came and went")))
            return opened, Counter(name for title, name in named if title.startswith(("Over", "Came and went")))

        return {"apprise": {"url_from": "DRIFTBUS_TEST_ALERTS"}}, of_messages, lambda: receiver.waiting
    server = stack.enter_context(alertmanager())

    def of_posts() -> tuple[Counter[str], Counter[str]]:
        with server.changing:
            posted = [(one["labels"]["incident"], one["endsAt"], one["startsAt"]) for post in server.posts for one in post]
            active = {dict(key)["incident"] for key, one in server.alerts.items() if one["ends"].timestamp() > time.time()}
        names = Counter(name for name, _, _ in posted)
        return names, Counter({name: times for name, times in names.items() if name not in active})

    return {"alertmanager": {"url": server.address}}, of_posts, lambda: 0


def main() -> None:
    """What the command line asks for."""
    parser = parser_of(__doc__, 60)
    parser.add_argument("--incidents", type=int, default=120)
    parser.add_argument("--kind", choices=("alertmanager", "apprise"), default="alertmanager")
    given = parser.parse_args()

    def played(address: str, folder: Path) -> Found:
        return play(address, folder, given.kind, given.kills, given.incidents, given.seed)

    told, took = performed(played, lambda found: found.whole)
    twice = sum(times > 1 for times in told.opened.values())
    within = f" ({told.within} while a message was being said)" if given.kind == "apprise" else ""
    written = Counter(state for _, _, state in told.written.elements())
    print(f"{given.kind}: {given.kills} kills{within} in {took:.0f} s, seed {given.seed}; written {dict(written)}")
    print(f"{len(told.opened)} of {told.incidents} told to be open ({twice} more than once), {len(told.ended)} to be over")
    raise SystemExit(not told.whole)


if __name__ == "__main__":
    main()
