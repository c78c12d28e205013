"""One chaos run: brokers, processes, input and faults; then whether everybody has caught up, and the comparison."""

import logging
import random
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka.admin import AdminClient

from driftbus.consumers.bus.interface import BusError, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.schemas.configuration import Configuration

from ..determinism import world
from ..determinism.outcome import Completion, outcome
from ..determinism.run import TOPIC_SETTINGS, Settings, announce_all
from .brokers import Brokers
from .crew import Crew, Death
from .feeder import NEW_PARTITIONS, Feeder, final
from .schedule import DETECTORS, PROFILERS, REVIEWERS, Fault, Form, counted, planned
from .verdict import clean, differences

#: Seconds after the last fault within which nobody may be behind any more.
CALM_S = 30
#: So long it is watched whether those behind get any further.
_STALLED_S = 90
_LOOK_S = 0.02


@dataclass
class Result:
    """How a run went."""

    faults: list[Fault]
    deaths: list[Death] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)  #: when `CALM_S` had passed
    at_rest_s: float | None = None  #: after the last fault; None: never
    farewell: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    published: str = ""

    @property
    def good(self) -> bool:
        """Everything equal, nobody behind, nobody ended by itself."""
        return not (self.deaths or self.behind or self.farewell or self.differences)

    def __str__(self) -> str:
        rest = "never at rest" if self.at_rest_s is None else f"at rest {self.at_rest_s:.1f} s after the last fault"
        lines = [f"faults     {counted(self.faults)}", f"published  {self.published}", f"calm       {rest}"]
        lines += [f"BEHIND     {CALM_S} s after the last fault: {one}" for one in self.behind]
        lines += [
            f"ENDED      {d.name} by itself at {d.at_s:.1f} s, aged {d.lived_s:.1f} s, with {d.code}: {d.words.strip()[-300:]}"
            for d in self.deaths
        ]
        lines += [f"ENDED      {one}" for one in self.farewell]
        lines += [f"DIFFERS    {one}" for one in self.differences]
        return "\n".join([*lines, "EQUAL" if self.good else "NOT AS A CLEAN RUN"])


def play(form: Form, seed: int, folder: Path, say: Callable[[str], None], port: int = 0) -> Result:
    """Run it in an empty folder: schedule, journal, what the processes said stay there; of one that is not good, the brokers' data too."""
    faults = planned(form, seed)
    (folder / "schedule.txt").write_text("".join(f"{fault}\n" for fault in faults))
    with closing(Brokers(folder / "brokers", form.brokers, port, form.broker_session_s)) as brokers:
        settings = _settings(form, brokers.address, folder)
        configuration = Configuration.model_validate(settings)
        good = False
        try:
            with closing(KafkaBus(configuration.kafka, configuration.application, "maker")) as bus:
                _prepare(bus, configuration, form)
                result = _Play(form, faults, folder, say, brokers, settings, bus).result(random.Random(seed))
            good = result.good
        finally:
            if not good:
                brokers.keep(folder / "kept")
        return result


def _settings(form: Form, address: str, folder: Path) -> Settings:
    """New partitions are to be seen soon: librdkafka looks for them every five minutes."""
    settings = world.settings(address, str(folder / "artifacts"))
    kafka = {**settings["kafka"], "topic.metadata.refresh.interval.ms": 3_000}
    return {**settings, "application": "chaos", "kafka": kafka, "topics": {"replication": form.brokers}}


def _prepare(bus: KafkaBus, configuration: Configuration, form: Form) -> None:
    bus.create(world.TOPIC, world.PARTITIONS, replication=form.brokers, settings=TOPIC_SETTINGS)
    create_topics(bus, configuration)
    announce_all(bus, configuration, world.references)


class _Play:
    """The run itself."""

    def __init__(
        self, form: Form, faults: list[Fault], folder: Path, say: Callable[[str], None], brokers: Brokers, settings: Settings, bus: KafkaBus
    ) -> None:
        self._form, self._folder, self._say, self._brokers, self._bus = form, folder, say, brokers, bus
        self._settings, self._configuration = settings, Configuration.model_validate(settings)
        self._result = Result(faults)
        self._chunks = world.traffic().chunks[: form.chunks]
        self._journal = (folder / "journal.txt").open("w")
        self._began = time.monotonic()

    def result(self, draw: random.Random) -> Result:
        with closing(self._journal):
            feeder = self._run(draw)
            left = outcome(self._bus, self._configuration)
            events = sum(map(len, left.events.values()))
            self._result.published = (
                f"{feeder.fed:,} records: {len(left.panes):,} panes, {events:,} events, {len(left.letters):,} dead letters, "
                f"{left.snapshots:,} snapshot records; new partitions in use from minute {feeder.wide_from} of {self._form.chunks}"
            )
            self._note("comparing with a clean run")
            self._result.differences = differences(left, clean(self._bus, self._configuration, self._folder))
        return self._result

    def _run(self, draw: random.Random) -> Feeder:
        """Feed and disturb, until everything is published or nothing more comes."""
        with closing(Crew(self._folder, self._settings)) as crew:
            for name in (*PROFILERS, *DETECTORS, *REVIEWERS):
                crew.start(name)
            self._began = crew.began = time.monotonic()
            feeder = Feeder(self._brokers.address, self._configuration, self._chunks, self._form.seconds)
            feeder.start()
            self._disturb(crew, feeder, draw)
            self._await(crew, feeder)
            self._result.deaths = crew.deaths
            self._result.farewell = crew.dismiss()
        if feeder.error is not None:
            raise feeder.error
        return feeder

    def _note(self, text: str) -> None:
        line = f"{time.monotonic() - self._began:7.1f}  {text}"
        self._say(line)
        self._journal.write(line + "\n")
        self._journal.flush()

    def _disturb(self, crew: Crew, feeder: Feeder, draw: random.Random) -> None:
        """All faults at their times, until the last is over."""
        todo = list(self._result.faults)
        while todo or not crew.whole or not self._brokers.whole:
            while todo and time.monotonic() - self._began >= todo[0].at_s and (todo[0].what != "join" or self._may_start):
                self._note(self._do(todo.pop(0), crew, feeder, draw))
            self._look(crew)

    @property
    def _may_start(self) -> bool:
        """In front of no broker a process can only say so."""
        return self._form.brokers > 1 or self._brokers.whole

    def _look(self, crew: Crew) -> None:
        for told in (*crew.look(may_start=self._may_start), *self._brokers.look()):
            self._note(told)
        time.sleep(_LOOK_S)  # the pace of the faults is what a run is about

    def _do(self, fault: Fault, crew: Crew, feeder: Feeder, draw: random.Random) -> str:
        back_at = time.monotonic() + fault.for_s
        if fault.what == "kill":
            crew.kill(fault.of, back_at)
        elif fault.what == "pause":
            crew.pause(fault.of, back_at)
        elif fault.what == "stop":
            crew.stop(fault.of, back_at)
        elif fault.what == "join":
            crew.start(fault.of)
        elif fault.what == "leave":
            crew.leave(fault.of, draw.choice((signal.SIGKILL, signal.SIGTERM)))
        elif fault.what == "partitions added":
            self._brokers.add_partitions(world.TOPIC, world.PARTITIONS + NEW_PARTITIONS)
            feeder.partitions_added()
        else:
            group = f"{self._configuration.application}-detector"
            return self._brokers.away(fault.of, group, back_at, paused=fault.what == "broker paused")
        return f"{fault.of} {fault.what.upper()}" + (f", for {fault.for_s:.1f} s" if fault.for_s else "")

    def _await(self, crew: Crew, feeder: Feeder) -> None:
        """Until all that was fed is evaluated; who is behind when `CALM_S` have passed."""
        over = time.monotonic()
        while feeder.is_alive():
            self._look(crew)
        if feeder.error is not None:
            return
        calm = max(over, time.monotonic())
        self._note("calm: the last fault is over, all is fed")
        completion, asked, looked = Completion(self._bus, self._configuration, final(self._form.chunks)), 0.0, False
        while (passed := time.monotonic() - calm) < CALM_S + _STALLED_S:
            self._look(crew)
            if time.monotonic() - asked < 1:
                continue
            asked = time.monotonic()
            caught_up = self._caught_up(completion)
            if passed >= CALM_S and not looked:
                looked, self._result.behind = True, [] if caught_up else self._behind(completion)
                for one in self._result.behind:
                    self._note(f"BEHIND {one}")
            if caught_up:
                self._result.at_rest_s = passed
                return

    def _caught_up(self, completion: Completion) -> bool:
        try:
            return completion.reached()
        except BusError as error:
            self._note(f"nobody can say who is behind: {error}")
            return False

    def _behind(self, completion: Completion) -> list[str]:
        """Which partitions, by how much, and whose they are."""
        application = self._configuration.application
        input_, summaries = f"{application}-profiler-predictions", f"{application}-detector"
        behind = {source: f"{count:,} records" for source, count in completion.behind().items()}
        unsaid = [TopicPartition(world.TOPIC, number) for number in sorted(completion.unsaid())]
        at = self._bus.committed(input_, unsaid)
        for source in unsaid:
            behind[source] = f"{self._bus.watermarks(source)[1] - (at[source].offset if source in at else 0):,} records"
        owners = {**self._owners(input_), **self._owners(summaries)}
        return [f"{source}: {count}; {owners.get(source, 'of nobody')}" for source, count in behind.items()]

    def _owners(self, group: str) -> dict[TopicPartition, str]:
        """Whose each partition is, as the group says."""
        admin = AdminClient({"bootstrap.servers": self._brokers.address}, logger=logging.getLogger(__name__))
        described = admin.describe_consumer_groups([group])[group].result()
        return {
            TopicPartition(one.topic, one.partition): f"of {member.group_instance_id} (group {described.state.name.lower()})"
            for member in described.members
            for one in member.assignment.topic_partitions
        }
