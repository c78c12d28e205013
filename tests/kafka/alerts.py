"""Kills an alerter at random moments on a real Kafka: whatever dies, all that opened is told, and that it is over.

``python -m tests.kafka.alerts --kills 60 --incidents 120 [--kind alertmanager|apprise] [--seed 1]`` starts a broker of its own, and says
what it found. Messages by Apprise go to a receiver of JSON that refuses one in four.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import yaml

from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.process.settings import load

from ..alerter.alertmanagers import alertmanager
from ..alerter.worlds import NAME, incident, over, prepared, say, told
from ..launcher.jobs import until
from ..launcher.receivers import receiving
from .nursery import Nursery

#: A process lives so long, in seconds, until it is killed; the first of these are its start. Each message of Apprise's is a process, which
#: takes seconds to begin.
LIVES_S = {"alertmanager": (0.5, 4.0), "apprise": (4.0, 14.0)}
_LONG_S = 300


class Found(NamedTuple):
    """What a play came to."""

    incidents: int
    opened: Counter[str]  #: how often each was told to be open, as the other side knows it
    ended: Counter[str]  #: and to be over
    written: Counter[tuple[str, str, str]]

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
        alert, counted = _other_side(stack, kind, seed)
        application = f"alerts-{uuid.uuid4().hex[:8]}"
        written = {
            "application": application,
            "bus": "kafka",
            "kafka": {"bootstrap.servers": address},
            "artifacts": str(folder / "artifacts"),
            "topics": {"partitions": 2},
            "streams": {"predictions": {"topics": [f"{application}-scored"]}},
            "alerts": {NAME: {**alert, "wait": 0, "per_hour": 1_000}},
        }
        (folder / "driftbus.yaml").write_text(yaml.safe_dump(written | {"instance": "one"}))
        settings = load(folder / "driftbus.yaml")
        nursery = stack.enter_context(closing(Nursery()))
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
        for number in range(kills):
            pid = nursery.start(folder / "log", "run", "alerter", "--config", str(folder / "driftbus.yaml"))
            if not number:  # what had ended before it first ran is told to nobody
                until(lambda: len(bus.committed(f"{application}-alerter-{NAME}", places)) == len(places), _LONG_S)
            go_on(2 * incidents * (kills - number - 1) // kills)
            time.sleep(draw.uniform(*LIVES_S[kind]))
            os.kill(pid, signal.SIGKILL)
        go_on(0)
        pid, ends = nursery.start(folder / "log", "run", "alerter", "--config", str(folder / "driftbus.yaml")), time.monotonic() + _LONG_S
        while not (found := Found(incidents, *counted(), Counter(told(bus, settings)))).whole and time.monotonic() < ends:
            time.sleep(0.5)
        os.kill(pid, signal.SIGTERM)
        return found


def _other_side(stack: ExitStack, kind: str, seed: int) -> tuple[dict[str, object], Callable[[], tuple[Counter[str], Counter[str]]]]:
    if kind == "apprise":
        receiver = stack.enter_context(receiving("200", "200", "200", "500", seed=seed))
        os.environ["DRIFTBUS_TEST_ALERTS"] = f"json://{receiver.address.removeprefix('http://')}/hook"

        def of_messages() -> tuple[Counter[str], Counter[str]]:
            bodies = [json.loads(body) for manner, _, _, body in list(receiver.calls) if manner == "200"]
            named = [(body["title"], body["message"].split()[-1]) for body in bodies]
            opened = Counter(name for title, name in named if title.startswith(("moderate", "Came and went")))
            return opened, Counter(name for title, name in named if title.startswith(("Over", "Came and went")))

        return {"apprise": {"url_from": "DRIFTBUS_TEST_ALERTS"}}, of_messages
    server = stack.enter_context(alertmanager())

    def of_posts() -> tuple[Counter[str], Counter[str]]:
        with server.changing:
            posted = [(one["labels"]["incident"], one["endsAt"], one["startsAt"]) for post in server.posts for one in post]
            active = {dict(key)["incident"] for key, one in server.alerts.items() if one["ends"].timestamp() > time.time()}
        names = Counter(name for name, _, _ in posted)
        return names, Counter({name: times for name, times in names.items() if name not in active})

    return {"alertmanager": {"url": server.address}}, of_posts


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--incidents", type=int, default=120)
    parser.add_argument("--kind", choices=("alertmanager", "apprise"), default="alertmanager")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    from ..broker import broker

    with tempfile.TemporaryDirectory() as folder, broker(Path(folder) / "cluster") as found:
        began = time.monotonic()
        told = play(found.address, Path(folder), arguments.kind, arguments.kills, arguments.incidents, arguments.seed)
        took = time.monotonic() - began
        if not told.whole:
            print((Path(folder) / "log").read_text()[-3_000:])
    twice = sum(times > 1 for times in told.opened.values())
    print(f"{arguments.kind}: {arguments.kills} kills in {took:.0f} s, seed {arguments.seed}; {dict(told.written)}")
    print(f"{len(told.opened)} of {told.incidents} told to be open ({twice} more than once), {len(told.ended)} to be over")
    raise SystemExit(not told.whole)


if __name__ == "__main__":
    main()
