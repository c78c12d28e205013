"""Kills intake, decider and launcher at random moments on a real Kafka: whatever dies, each job is begun once, and comes to one end.

``python -m tests.kafka.actions --kills 100 --jobs 200 [--kind command|webhook|kubernetes] [--children] [--seed 1]`` starts a broker of its
own, and says what it found. With ``--children`` commands and their supervisors are killed too: none runs twice, and each comes to an end.
Commands write a line when they run. Webhooks go to a receiver that hangs, drips, cuts the line and says that it cannot, but keeps ids.
Jobs of Kubernetes are made on a stand-in for its API, which cuts one line in seven.
"""

import argparse
import os
import random
import signal
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference import ledger
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionRequest
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.retrain import RetrainRequest

from ..launcher.cluster import standing_in
from ..launcher.receivers import HOSTILE, receiving
from .nursery import Nursery

NAME, POLICY = "train", "asked"
ROLES = ("intake", "decider", "launcher")
#: A process lives so long, in seconds, until it is killed; the first of these are its start.
SHORTEST_S, LONGEST_S = 0.3, 3.0
#: One job of a model is open at a time.
JOBS_A_MODEL = 4
#: Nothing more is waited for behind so long without an end.
_LONG_S = 400
_RUN = 'read -r line; echo "$DRIFTBUS_JOB" >> {ran}; sleep {whole}.$((RANDOM % 9))'
#: What a launcher of commands has begun, by what it is called with.
CHILDREN = ("supervisor", "command")


class Found(NamedTuple):
    """What a play came to."""

    jobs: int  #: that were to be asked for
    requests: Counter[str]  #: by job
    begun: Counter[str]  #: how often each was run, worked on, or made
    ends: Counter[str]  #: final states, by job
    states: Counter[str]
    facts: int
    words: str  #: of the other side
    killed: Counter[str] = Counter()  #: by what died

    @property
    def exact(self) -> bool:
        """Whether each was asked for, begun and ended once."""
        once = dict.fromkeys(self.requests, 1)
        return len(self.requests) == self.jobs and self.requests == self.begun == self.ends == once

    @property
    def bounded(self) -> bool:
        """Whether each was asked for and ended once, and none begun twice: one that is killed at once never begins."""
        once = dict.fromkeys(self.requests, 1)
        return len(self.requests) == self.jobs and self.requests == self.ends == once and max(self.begun.values(), default=0) <= 1


def play(address: str, folder: Path, kind: str, kills: int, jobs: int, seed: int, *, children: bool = False) -> Found:
    """Ask for jobs, and kill who looks after them; then let them end."""
    draw = random.Random(seed)
    with ExitStack() as stack:
        launcher, begun, words = _other_side(stack, folder, kind, seed, children=children)
        settings = _configured(address, folder, launcher, jobs)
        nursery = stack.enter_context(closing(Nursery()))
        bus = stack.enter_context(closing(KafkaBus(settings.kafka, settings.application, "asks")))
        bus.create(settings.streams["predictions"].topics[0], 2)
        create_topics(bus, settings)
        models, asked, alive, killed = list(settings.models), 0, dict[str, int](), Counter[str]()
        for number in range(kills):
            while asked < jobs * (number + 1) // kills:
                ledger.tell(bus, settings, ActionRequest(model=models[asked % len(models)], policy=POLICY, request=str(asked), by="ann"))
                asked += 1
            alive |= {role: _born(nursery, folder, role) for role in ROLES if role not in alive}
            time.sleep(draw.uniform(SHORTEST_S, LONGEST_S))
            victim = draw.choice((*ROLES, *CHILDREN) if children else ROLES)
            if pids := _pids(folder, victim) if victim in CHILDREN else [alive.pop(victim)]:
                os.kill(draw.choice(pids), signal.SIGKILL)
                killed[victim] += 1
        alive |= {role: _born(nursery, folder, role) for role in ROLES if role not in alive}
        known, since = -1, time.monotonic()
        while len(ended := _ends(bus, settings)) < jobs and time.monotonic() < since + _LONG_S:
            if len(ended) > known:
                known, since = len(ended), time.monotonic()
            time.sleep(0.5)
        for pid in alive.values():
            os.kill(pid, signal.SIGTERM)
        return _found(bus, settings, jobs, begun(), words())._replace(killed=killed)


def _pids(folder: Path, kind: str) -> list[int]:
    """Of the supervisors, or the commands, that were begun in a folder."""
    found = list[int]()
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            called = (place / "cmdline").read_bytes() if place.name.isdecimal() else b""
            its = b"supervisor.py" in called if kind == "supervisor" else called.startswith(b"/bin/bash\0-c")
            if its and str(folder).encode() in called:
                found.append(int(place.name))
    return found


def _other_side(stack: ExitStack, folder: Path, kind: str, seed: int, *, children: bool) -> Any:
    """The launcher's settings, how often each job was begun, and what else is to be said."""
    if kind == "webhook":
        receiver = stack.enter_context(receiving(*HOSTILE, seed=seed))
        webhook = {"url": f"{receiver.address}/hooks", "timeout": "1s"}

        def called() -> str:
            deliveries = Counter(headers["webhook-id"] for _, _, headers, _ in receiver.calls)
            more = [times for times in deliveries.values() if times > 1]
            return f"{deliveries.total()} deliveries, {len(more)} ids more than once, at most {max(deliveries.values(), default=0)}"

        return {"webhook": webhook}, lambda: receiver.works, called
    if kind == "kubernetes":
        cluster = stack.enter_context(standing_in(cuts=7))
        template = {"spec": {"template": {"spec": {"containers": [{"name": "train", "image": "succeeds"}]}}}}
        pod = {"namespace": "ml", "template": template, "poll": "200ms", "kubeconfig": cluster.kubeconfig(folder)}

        def runs() -> Counter[str]:
            return Counter({name.removeprefix("driftbus-"): times for name, times in cluster.runs.items()})

        return {"kubernetes": pod}, runs, lambda: f"{cluster.cut} lines cut"
    ran = folder / "ran"
    command = {"run": ["/bin/bash", "-c", _RUN.format(ran=ran, whole="$((RANDOM % 4))" if children else 0)], "spool": str(folder / "spool")}
    return {"command": command}, lambda: Counter(ran.read_text().split() if ran.exists() else ()), lambda: "commands"


def _configured(address: str, folder: Path, launcher: Mapping[str, Any], jobs: int) -> Configuration:
    asked = {"when": "person", "on": NAME, "cooldown": 0, "per_day": 1_000, "attempts": 1, "start_within": "12h", "finish_within": "12h"}
    application = f"actions-{uuid.uuid4().hex[:8]}"
    written = {
        "application": application,
        "bus": "kafka",
        "kafka": {"bootstrap.servers": address},
        "artifacts": str(folder / "artifacts"),
        "topics": {"partitions": 2},
        "streams": {"predictions": {"topics": [f"{application}-scored"]}},
        "models": {f"m{number}": {"retrain": {POLICY: asked}} for number in range(max(1, jobs // JOBS_A_MODEL))},
        "launchers": {NAME: dict(launcher)},
    }
    (folder / "driftbus.yaml").write_text(yaml.safe_dump(written))
    return load(folder / "driftbus.yaml")


def _born(nursery: Nursery, folder: Path, role: str) -> int:
    file = folder / f"{role}.yaml"
    file.write_text((folder / "driftbus.yaml").read_text() + f"instance: {role}\n")
    return nursery.start(folder / f"{role}.log", "run", role, "--config", str(file))


def _records(bus: Bus, settings: Configuration) -> Iterator[RetrainRequest | JobStatus]:
    for number in range(settings.topics.partitions):
        place = TopicPartition(settings.topics.retrain, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
                said = ledger.read_retrain(settings.application, key, value, headers)
                assert said is not None
                yield said


def _ends(bus: Bus, settings: Configuration) -> set[str]:
    return {one.job for one in _records(bus, settings) if isinstance(one, JobStatus) and one.final}


def _found(bus: Bus, settings: Configuration, jobs: int, begun: Mapping[str, int], words: str) -> Found:
    records = list(_records(bus, settings))
    statuses = [one for one in records if isinstance(one, JobStatus)]
    places = [TopicPartition(settings.topics.actions, number) for number in range(settings.topics.partitions)]
    return Found(
        jobs,
        Counter(one.job for one in records if isinstance(one, RetrainRequest)),
        Counter(begun),
        Counter(one.job for one in statuses if one.final),
        Counter(one.state for one in statuses),
        sum(len(batch) for place in places for batch in bus.read(place, *bus.watermarks(place))),
        words,
    )


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--kind", choices=("command", "webhook", "kubernetes"), default="command")
    parser.add_argument("--children", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    from ..broker import broker

    with tempfile.TemporaryDirectory() as folder, broker(Path(folder) / "cluster") as found:
        began = time.monotonic()
        told = play(
            found.address, Path(folder), arguments.kind, arguments.kills, arguments.jobs, arguments.seed, children=arguments.children
        )
        took = time.monotonic() - began
        right = told.bounded if arguments.children else told.exact
        for role in () if right else ROLES:
            print(f"== {role}\n{(Path(folder) / f'{role}.log').read_text()[-3_000:]}")
    print(f"{arguments.kind}: {told.killed.total()} kills ({dict(told.killed)}) in {took:.0f} s, seed {arguments.seed}; {told.words}")
    print(f"{len(told.requests)} jobs, {sum(told.begun.values())} begun; states {dict(told.states)}; {told.facts} facts on the ledger")
    once = "each asked for and ended once, none begun twice" if arguments.children else "each asked for, begun and ended once"
    print(once if right else f"WRONG: {told}")
    raise SystemExit(not right)


if __name__ == "__main__":
    main()
