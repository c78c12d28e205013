"""Kills registrars at random moments on a real Kafka: whatever dies, each step of a version has its effect once.

``python -m tests.kafka.registrar --kills 60 [--seed 1]`` starts a broker of its own, and says what it found. Two registrars share the
models; the registry is a stand-in for MLflow's, which cuts one line in seven when it has done what was asked for. Of each model one more
version has answered enough to be watched by that: its reference gets its outputs, once.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.console.reading import records_on
from driftbus.consumers.reference import golden_records, model_events
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.outputs import outputs_in
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.golden import GoldenRequest
from driftbus.schemas.messages.promotion import Promotion, Step

from ..registrar.answers import an_hour_ago, answer, counted, watched_since
from ..registrar.servers import Registry, serving
from ..registrar.worlds import Version, monitored, prepared, say, step, stored
from .killing import Cast, awaited, configured, parser_of, performed

INSTANCES = ("one", "two")
MODELS = tuple("abcdefgh")
#: What becomes of the versions of a model, one after the other; then it begins anew.
WAYS: Sequence[Sequence[Step]] = (("evaluate", "shadow", "promote", "retire"), ("evaluate", "refuse"), ("shadow", "promote", "roll_back"))
#: A version of each model whose job left no answers.
UNANSWERED = "0"
#: A process lives so long, in seconds, until it is killed; the first of these are its start.
SHORTEST_S, LONGEST_S = 0.3, 3.0
#: Nothing more is waited for behind so long without an effect.
_LONG_S = 60


class Story(NamedTuple):
    """A model's versions as they were decided, and what the last word of each is."""

    said: list[Promotion]
    serves: dict[str, str]  #: by model, the version


class Found(NamedTuple):
    """What a play came to."""

    steps: int
    events: Counter[str]  #: records of model events, by key
    missing: list[str]  #: events that ought to be there
    requests: Counter[str]  #: records of golden requests, by id
    announced: Counter[str]  #: records of announcements, by key and reference
    added: Counter[str]  #: of these, by model, those that brought the outputs of its unanswered version
    made: Counter[str]  #: versions in the registry, by job
    wrong: list[str]  #: models whose champion, or monitored version, is another than was decided
    left: bool  #: steps have still to be done
    halves: list[str]  #: versions of whose two tests one was asked for
    calls: int
    cut: int

    @property
    def more(self) -> list[str]:
        """Effects that are there more than once."""
        all_of_it = self.events, self.requests, self.announced, self.added, self.made
        return [one for counts in all_of_it for one, times in counts.items() if times > 1]

    @property
    def exact(self) -> bool:
        """Whether each effect is there once."""
        return not (self.missing or self.wrong or self.left or self.halves or self.more)


def play(address: str, folder: Path, kills: int, seed: int) -> Found:
    """Decide of versions, and kill who does it; then let it be done."""
    draw = random.Random(seed)
    with serving(cuts=7) as server, closing(Cast(folder, dict.fromkeys(INSTANCES, ("registrar",)))) as cast:
        settings = _configured(address, folder, server)
        with closing(KafkaBus(settings.kafka, settings.application, "decides")) as bus:
            versions = {model: pair[0] for model, pair in prepared(bus, settings).items()}
            since = an_hour_ago()
            for one in (stored(settings, model, UNANSWERED) for model in MODELS):
                watched_since(bus, settings, one, since)
                answer(bus, settings, one, since, range(5_500))
            counted(bus, settings)
            story, coming = Story([], dict.fromkeys(MODELS, "1")), _coming(settings, versions, draw)
            for number in range(kills):
                _decide(bus, settings, story, [next(coming) for _ in range(2)])
                cast.born()
                time.sleep(draw.uniform(SHORTEST_S, LONGEST_S))
                cast.kill(INSTANCES[number % 2] if draw.random() < 0.5 else draw.choice(INSTANCES))
            cast.born()

            def found() -> Found:
                return _found(bus, settings, server, story)

            awaited(lambda: not ((now := found()).left or now.missing), lambda: found().events.total() + found().added.total(), _LONG_S)
            cast.end()
            return found()


def _coming(settings: Configuration, serves: dict[str, Version], draw: random.Random) -> Iterator[Promotion]:
    """Step by step, of models in any order; of each one version at a time."""
    number, open_ = 1, dict[str, tuple[Version, list[Step]]]()
    while True:
        model = draw.choice(MODELS)
        if model not in open_:
            number += 1
            open_[model] = stored(settings, model, str(number)), list(WAYS[number % len(WAYS)])
        version, steps = open_[model]
        yield step(settings, steps.pop(0), version, serves[model])
        if not steps:
            del open_[model]
            if WAYS[int(version.version) % len(WAYS)][-1] == "retire":
                serves[model] = version


def _decide(bus: Bus, settings: Configuration, story: Story, steps: Sequence[Promotion]) -> None:
    say(bus, settings, *steps)
    for one in steps:
        story.said.append(one)
        if one.step == "promote":
            story.serves[one.model] = one.version
        elif one.step == "roll_back":
            story.serves[one.model] = str(one.parent)


def _configured(address: str, folder: Path, server: Registry) -> Configuration:
    call = {"callable": {"function": "tests.golden.functions:of_version"}}
    model = {"retrain": {"p": {"when": "person"}}, "promotion": {"by": "person"}, "golden": {"call": call}, "registry": "ours"}
    registries = {"ours": {"mlflow": {"url": server.address, "timeout": "2s"}}}
    return configured(address, folder, "registrar", models=dict.fromkeys(MODELS, model), registries=registries)


def _found(bus: Bus, settings: Configuration, server: Registry, story: Story) -> Found:
    store = ArtifactStore(settings.artifacts)
    events, announced, requests, added = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for record in records_on(bus, settings.topics.models):
        key = (record.key or b"").decode()
        if model_events.is_one(record.key):
            events[key] += 1
        elif str(FROM_START) not in key:
            one = Announcement.model_validate_json(record.value or b"{}")
            announced[f"{key} {one.reference}"] += 1
            if one.version == UNANSWERED and outputs_in(store.reference(one.reference or "")):
                added[one.model] += 1
    tested = Counter[str]()
    for record in records_on(bus, settings.topics.golden):
        said = golden_records.read(settings.application, record.key, record.value, record.headers)
        assert isinstance(said, GoldenRequest)
        requests[said.request] += 1
        tested[f"{said.model}/{said.version}"] += 1
    kinds = {"promote": "promoted", "roll_back": "rolled_back", "refuse": "retired"}
    of = settings.application
    wanted = [f"model/{one.model}/{one.version}/{kinds[one.step]}/{one.job}/{of}" for one in story.said if one.step in kinds]
    places = [TopicPartition(settings.topics.retrain, number) for number in range(settings.topics.partitions)]
    committed, ends = bus.committed(f"{of}-registrar", places), {place: bus.watermarks(place)[1] for place in places}
    left = any(end and (place not in committed or committed[place].offset < end) for place, end in ends.items())
    halves = [version for version, times in tested.items() if times != 2]
    wrong = []
    for model, version in story.serves.items():
        champion = server.aliases.get(model, {}).get("champion")
        tags = None if champion is None else server.versions(model)[int(champion) - 1]
        if (None if tags is None else tags["driftbus.version"]) != (None if version == "1" else version):
            wrong.append(f"{model}: {champion} is champion, {version} serves")
        if version != "1" and monitored(bus, settings, model, version)[-1:] in ([], [None]):
            wrong.append(f"{model}/{version} serves, and is not watched")
    made = Counter(f"{model} {tags['driftbus.job']}" for model in server.models for tags in server.versions(model))
    missing = [*(one for one in wanted if one not in events), *(f"outputs of {model}" for model in MODELS if model not in added)]
    return Found(len(story.said), events, missing, requests, announced, added, made, wrong, left, halves, len(server.calls), server.cut)


def main() -> None:
    """What the command line asks for."""
    given = parser_of(__doc__, 60).parse_args()
    told, took = performed(lambda address, folder: play(address, folder, given.kills, given.seed), lambda found: found.exact)
    print(f"{given.kills} kills in {took:.0f} s, seed {given.seed}: {told.steps} steps, {told.calls} calls, {told.cut} lines cut")
    print(f"{len(told.events)} model events, {len(told.requests)} requests, {len(told.announced)} announcements, {len(told.made)} made")
    print(f"{len(told.added)} versions whose reference got their outputs")
    print("each effect once" if told.exact else f"WRONG: left {told.left}; {told.missing} {told.wrong} {told.halves} {told.more}")
    raise SystemExit(not told.exact)


if __name__ == "__main__":
    main()
