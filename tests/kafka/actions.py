"""Kills intake, decider and launcher at random moments on a real Kafka: whatever dies, each job is begun once, and comes to one end.

``python -m tests.kafka.actions --kills 100 --jobs 200 [--kind command|webhook|kubernetes] [--children] [--seed 1]`` starts a broker of its
own, and says what it found. With ``--children`` commands and their supervisors are killed too, as often as the others: none runs twice, and
only of those that were killed anything else comes than success.
Commands write a line when they run. Webhooks go to a receiver that hangs, drips, cuts the line and says that it cannot, but keeps ids.
Jobs of Kubernetes are made on a stand-in for its API, which cuts one line in seven; with ``--kubeconfig FILE`` by a real one, which says
itself what it ever made. ``--restart COMMAND`` kills its server, and has it started again, at every tenth kill; both as in
`tests.launcher.plane`.
"""

import os
import random
import shlex
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.launcher.webhook import LONGEST_PAUSE_S
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.reference import ledger
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionRequest
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.retrain import RetrainRequest

from ..launcher.cluster import standing_in
from ..launcher.receivers import HOSTILE, receiving
from .killing import Cast, awaited, configured, parser_of, performed

NAME, POLICY = "train", "asked"
ROLES = ("intake", "decider", "launcher")
#: What a launcher of commands has begun.
CHILDREN = ("supervisor", "command")
#: A process lives so long, in seconds, until one is killed; the first of these are its start.
SHORTEST_S, LONGEST_S = 0.3, 3.0
#: One job of a model is open at a time.
JOBS_A_MODEL = 4
_NO_HURRY = {"start_within": "12h", "finish_within": "12h"}
#: Nothing more is waited for behind so long without an end or a try: longer than the pause between two deliveries.
_LONG_S = LONGEST_PAUSE_S + 100
#: Kills between two that the other side suffers.
_HARM_KILLS = 10
#: *Trap.* The last command of a line takes the place of its shell: this one is not the last, so that a kill meets the shell.
_RUN = 'read -r line; echo "$DRIFTBUS_JOB" >> {ran}; sleep {whole}.$((RANDOM % 9)); exit 0'


class Found(NamedTuple):
    """What a play came to."""

    jobs: int  #: that were to be asked for
    requests: Counter[str]  #: by job
    begun: Counter[str]  #: how often each was run, worked on, or made
    ends: Counter[str]  #: final states, by job
    last: Mapping[str, str]  #: the final state of each
    facts: int
    words: str  #: of the other side
    killed: Counter[str] = Counter()  #: by what died
    harmed: frozenset[str] = frozenset()  #: jobs whose command or supervisor was

    @property
    def wrong(self) -> list[str]:
        """Jobs that were not asked for and ended once, or did not run once and succeed. Of what was killed: that ran twice."""
        once = [job for job in self.requests | self.ends | self.begun if not self.requests[job] == self.ends[job] == 1]
        run = [job for job in self.requests if self.begun[job] > 1 or (self.begun[job] < 1 and job not in self.harmed)]
        ended = [job for job, state in self.last.items() if state != "succeeded" and job not in self.harmed]
        return sorted({*once, *run, *ended})

    @property
    def exact(self) -> bool:
        """Whether each was asked for, begun and ended once, but for what was killed itself."""
        return len(self.requests) == self.jobs and not self.wrong


class Cluster(NamedTuple):
    """A real API of Kubernetes."""

    kubeconfig: str  #: of who may make namespaces and roles
    image: str  #: what its Pods run
    restart: str | None = None  #: the command that kills its server, and has it started again


class _Other(NamedTuple):
    """Who runs the jobs."""

    launcher: Mapping[str, Any]  #: settings, as users write them
    begun: Callable[[], Mapping[str, int]]  #: how often each job was
    tried: Callable[[], int]  #: how often all were
    words: Callable[[], str]  #: what else is to be said
    harm: Callable[[], None] = lambda: None  #: what it suffers now and then


class _Life(NamedTuple):
    """A process that a launcher began."""

    kind: str
    pid: int
    job: str


def play(
    address: str, folder: Path, kind: str, kills: int, jobs: int, seed: int, *, children: bool = False, cluster: Cluster | None = None
) -> Found:
    """Ask for jobs, and kill who looks after them; then let them end."""
    draw = random.Random(seed)
    with ExitStack() as stack:
        other = _kubernetes(stack, folder, cluster) if cluster else _other_side(stack, folder, kind, seed, children=children)
        asking = {"when": "person", "on": NAME, "cooldown": 0, "per_day": 1_000, "attempts": 1, **_NO_HURRY}
        models = [f"m{number}" for number in range(max(1, jobs // JOBS_A_MODEL))]
        retrained = {model: {"retrain": {POLICY: asking}} for model in models}
        settings = configured(address, folder, "actions", models=retrained, launchers={NAME: dict(other.launcher)})
        cast = stack.enter_context(closing(Cast(folder, {role: (role,) for role in ROLES})))
        bus = stack.enter_context(closing(KafkaBus(settings.kafka, settings.application, "asks")))
        bus.create(settings.streams["predictions"].topics[0], 2)
        create_topics(bus, settings)
        asked, killed, harmed = 0, Counter[str](), set[str]()
        while killed.total() < kills:
            while asked < jobs * (killed.total() + 1) // kills:
                ledger.tell(bus, settings, ActionRequest(model=models[asked % len(models)], policy=POLICY, request=str(asked), by="ann"))
                asked += 1
            cast.born()
            time.sleep(draw.uniform(SHORTEST_S, LONGEST_S))
            there = list(_children(folder)) if children else []
            victim = min({*ROLES, *(one.kind for one in there)}, key=lambda one: (killed[one], draw.random()))
            if victim in ROLES:
                cast.kill(victim)
            else:
                one = draw.choice([one for one in there if one.kind == victim])
                harmed.add(one.job)
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)
            killed[victim] += 1
            if killed.total() % _HARM_KILLS == 0:
                other.harm()
        cast.born()
        awaited(lambda: len(_ends(bus, settings)) >= jobs, lambda: len(_ends(bus, settings)) + other.tried(), _LONG_S)
        cast.end()
        return _found(bus, settings, jobs, other.begun(), other.words())._replace(killed=killed, harmed=frozenset(harmed))


def _children(folder: Path) -> Iterator[_Life]:
    """The supervisors and commands that live, of jobs whose spool is in a folder. A supervisor is told by how it is called, a command,
    which leads a group of its own, by what it was told.
    """
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            if not place.name.isdecimal():
                continue
            pid, called = int(place.name), (place / "cmdline").read_bytes().split(b"\0")
            if any(one.endswith(b"supervisor.py") for one in called) and str(folder).encode() in called[-2]:
                yield _Life("supervisor", pid, Path(called[-2].decode()).name)
            elif os.getpgid(pid) == pid:
                told = dict(one.partition(b"=")[::2] for one in (place / "environ").read_bytes().split(b"\0"))
                if told.get(b"DRIFTBUS_EVENT", b"").startswith(str(folder).encode()):
                    yield _Life("command", pid, told[b"DRIFTBUS_JOB"].decode())


def _other_side(stack: ExitStack, folder: Path, kind: str, seed: int, *, children: bool) -> _Other:
    """One of this process."""
    if kind == "webhook":
        receiver = stack.enter_context(receiving(*HOSTILE, seed=seed))
        webhook = {"url": f"{receiver.address}/hooks", "timeout": "1s"}

        def called() -> str:
            deliveries = Counter(headers["webhook-id"] for _, _, headers, _ in receiver.calls)
            more = [times for times in deliveries.values() if times > 1]
            return f"{deliveries.total()} deliveries, {len(more)} ids more than once, at most {max(deliveries.values(), default=0)}"

        return _Other({"webhook": webhook}, lambda: receiver.works, lambda: len(receiver.calls), called)
    if kind == "kubernetes":
        cluster = stack.enter_context(standing_in(cuts=7))
        template = {"spec": {"template": {"spec": {"containers": [{"name": "train", "image": "succeeds"}]}}}}
        pod = {"namespace": "ml", "template": template, "poll": "200ms", "kubeconfig": cluster.kubeconfig(folder)}

        def runs() -> Counter[str]:
            return Counter({name.removeprefix("driftbus-"): times for name, times in cluster.runs.items()})

        return _Other({"kubernetes": pod}, runs, lambda: runs().total(), lambda: f"{cluster.cut} lines cut")
    ran = folder / "ran"
    command = {"run": ["/bin/bash", "-c", _RUN.format(ran=ran, whole="$((RANDOM % 4))" if children else 0)], "spool": str(folder / "spool")}

    def run() -> Counter[str]:
        return Counter(ran.read_text().split() if ran.exists() else ())

    return _Other({"command": command}, run, lambda: run().total(), lambda: "commands")


def _kubernetes(stack: ExitStack, folder: Path, cluster: Cluster) -> _Other:
    """A real one: its Jobs are counted by the ids that it ever gave."""
    from ..launcher import real  # its client takes seconds

    place = stack.enter_context(real.Namespace(cluster.kubeconfig, folder).there())
    account = place.account("launcher", real.documented())
    template = real.template("succeeds", cluster.image)
    restarts = list[subprocess.Popen[bytes]]()

    def begun() -> dict[str, int]:
        for one in restarts:
            one.wait()
        place.settled()
        return {name.removeprefix("driftbus-"): len(ids) for name, ids in place.jobs.items()}

    def words() -> str:
        twice = sum(len(ids) > 1 for ids in place.pods.values())
        return f"a real API, killed {len(restarts)} times; {sum(map(len, place.pods.values()))} Pods, {twice} Jobs with more than one"

    def restart() -> None:
        if cluster.restart and (not restarts or restarts[-1].poll() is not None):
            restarts.append(subprocess.Popen(shlex.split(cluster.restart), stdout=subprocess.DEVNULL))

    launcher = {"namespace": place.name, "template": template, "poll": "200ms", "kubeconfig": account}
    return _Other({"kubernetes": launcher}, begun, lambda: sum(map(len, place.pods.values())), words, restart)


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
        {one.job: one.state for one in statuses if one.final},
        sum(len(batch) for place in places for batch in bus.read(place, *bus.watermarks(place))),
        words,
    )


def main() -> None:
    """What the command line asks for."""
    parser = parser_of(__doc__, 100)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--kind", choices=("command", "webhook", "kubernetes"), default="command")
    parser.add_argument("--children", action="store_true")
    parser.add_argument("--kubeconfig")
    parser.add_argument("--restart")
    parser.add_argument("--image", default="busybox:1.36")
    given = parser.parse_args()
    if given.children and given.kind != "command":
        parser.error("--children: only commands are processes here")
    if given.kubeconfig and given.kind != "kubernetes":
        parser.error("--kubeconfig: only Jobs of Kubernetes are made there")
    cluster = Cluster(given.kubeconfig, given.image, given.restart) if given.kubeconfig else None

    def played(address: str, folder: Path) -> Found:
        return play(address, folder, given.kind, given.kills, given.jobs, given.seed, children=given.children, cluster=cluster)

    told, took = performed(played, lambda found: found.exact)
    print(f"{given.kind}: {told.killed.total()} kills ({dict(told.killed)}) in {took:.0f} s, seed {given.seed}; {told.words}")
    ends, harmed = Counter(told.last.values()), Counter(told.last.get(job, "no end") for job in told.harmed)
    print(f"{len(told.requests)} jobs, {told.begun.total()} begun; ends {dict(ends)}; {told.facts} facts on the ledger")
    print(f"of {harmed.total()} whose command or supervisor was killed: {dict(harmed)}")
    print("each asked for and ended once, none begun twice, all others begun once" if told.exact else f"WRONG: {told.wrong} {told}")
    raise SystemExit(not told.exact)


if __name__ == "__main__":
    main()
