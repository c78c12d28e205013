"""The first day: how things stand, which episodes there are, what one is about, and taking a model out of service."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.bus.interface import Output, Position, TopicPartition
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load
from driftbus.schemas.messages.drift import DriftEvent

from .conftest import SECONDS, User, amounts, messages, prepared

DRIFTING = amounts(SECONDS * 10, seed=2, shifted_from=SECONDS * 5)


def drift(user: User) -> None:
    user.creates()
    user.publishes(messages(DRIFTING))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.says("run", "--until-end")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("drifted"), drift)


@pytest.fixture
def drifted(played: Path, user: User) -> User:
    """Somebody whose model has one open episode, of amount."""
    return user.takes(played)


def test_before_anything_is_there_status_says_what_is_missing(user: User) -> None:
    assert "missing topic fraud.scored" in user.says("status")
    user.creates()
    said = user.says("status")
    assert "none yet" in said
    assert "no model has a reference" in said
    assert f"no episode on {load().topics.drift}" in user.says("episodes")
    assert "no dead letter" in user.says("dead-letters", "list")


def test_status_tells_how_far_everything_is(drifted: User) -> None:
    said = drifted.says("status")
    assert re.search(r"profiler predictions: fraud.scored\n +partition.*\n +0 +0 +0 s +\S.* ago +2023-11-14 22:23 +0\n +1 +0 ", said)
    assert re.search(r"fraud/1 +1 per 1h +1 of 1 +[0-9a-f]{8} \(data drift \(suspected\) [0-9a-f]{8}\)\n", said)
    more = messages(DRIFTING)[:30]
    drifted.publishes([one._replace(timestamp=(one.timestamp or 0) + SECONDS * 1000) for one in more])
    told = json.loads(drifted.says("status", "--json"))
    profilers = [one for one in told["partitions"] if one["role"] == "profiler"]
    assert [(one["to_read"], one["committed"], one["end"]) for one in profilers] == [(15, 3000, 3015)] * 2
    assert {one["behind_ms"] for one in profilers} == {2_800}
    detectors = [one for one in told["partitions"] if one["role"] == "detector"]
    assert len(detectors) == 8
    assert all(one["to_read"] == 0 and one["place"] == "2023-11-14T22:23:10Z" for one in detectors)
    assert [(one["model"], one["version"], one["opened"], len(one["open"])) for one in told["models"]] == [("fraud", "1", 1, 1)]


def test_status_joins_no_group_and_changes_nothing(drifted: User) -> None:
    """Another process may hold the groups, under the same instance name."""
    with closing(open_bus(load())) as bus:
        running = bus.session("profiler-predictions", ["fraud.scored"], _Nobody())
        running.consume(1, 0)
        held = running.assignment()
        assert held
        first = json.loads(drifted.says("status", "--json"))
        assert json.loads(drifted.says("status", "--json")) | {"now": 0} == first | {"now": 0}
        running.consume(1, 0)
        assert running.assignment() == held
        running.close()


class _Nobody:
    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> Mapping[TopicPartition, int]:
        return {}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        pass


def test_garbage_on_our_topics_does_not_stop_status(drifted: User) -> None:
    with closing(open_bus(load())) as bus:
        kinds = (b"io.driftbus.progress", b"io.driftbus.pane", b"io.driftbus.dead-letter", b"\xff")
        for topic in (load().topics.summaries, load().topics.dead_letter):
            bus.publish([Output(topic, 0, b"\xff", value, (("ce_type", kind),)) for kind in kinds for value in (b"\xc1", b"", b"{}", None)])
    assert "fraud/1" in drifted.says("status")
    assert "no dead letter" in drifted.says("dead-letters", "list")


def test_episodes_are_listed_and_shown_by_the_beginning_of_their_id(drifted: User) -> None:
    listed = drifted.says("episodes")
    assert re.search(r"\n([0-9a-f]{8})  2023-11-14 22:18  open   fraud/1  major     amount: mean up\n", listed)
    assert drifted.says("episodes", "--open") == listed
    event = DriftEvent.model_validate_json(drifted.says("episodes", "--json"))
    for beginning in (event.episode, event.episode[:8], event.episode[:3]):
        shown = drifted.says("show", beginning)
        assert f"episode {event.episode}" in shown
    assert "amount [feature]: mean up" in shown
    assert re.search(r"mean +-0.01\d+ -> [12].\d+", shown)
    assert len(re.findall(r"^ +\S.* +\d+\.\d% .*\d+\.\d%", shown, re.MULTILINE)) == len(event.signals[0].reference.bins)
    assert re.search(r"counted from fraud.scored\[0\], offsets [\d,]+ to [\d,]+", shown)
    assert f"driftbus reference accept {event.episode[:8]}" in shown
    assert "{fraud: {features: {amount: ignore}}}" in shown
    assert [json.loads(line)["sequence"] for line in drifted.says("show", "--json", event.episode[:8]).splitlines()] == [0]


@pytest.mark.parametrize(("beginning", "said"), [("zz", "there is no such episode"), ("", "2 episodes begin so")])
def test_an_episode_must_be_one(drifted: User, beginning: str, said: str) -> None:
    event = DriftEvent.model_validate_json(drifted.says("episodes", "--json"))
    other = event.model_copy(update={"episode": "f" * 32})
    with closing(open_bus(load())) as bus:
        bus.publish([addressed(load(), load().topics.drift, other, 0)])
    assert said in drifted.says("show", beginning, code=1)
    assert said in drifted.says("reference", "accept", beginning, code=1)


def test_what_show_says_to_write_is_a_configuration(drifted: User) -> None:
    line = next(line for line in drifted.says("show", "").splitlines() if line.startswith("mute a feature:"))
    drifted.configures("    features: {session: ignore}\n", line.partition("models: {fraud: {")[2].removesuffix("}}").join(["    ", "\n"]))
    assert load().model("fraud").feature("amount").ignore


def test_a_retired_model_is_no_longer_monitored(drifted: User) -> None:
    assert "clock: record, so no wall clock says" in drifted.says("retire", "fraud", code=2)
    assert drifted.says("retire", "fraud", "--since", "2023-11-14T22:23:27Z").startswith(
        "fraud/1: retired for record times from 2023-11-14T22:23:20Z"
    )
    assert "is retired already" in drifted.says("retire", "fraud", "1", "--since", "2023-11-14T22:23:30Z")
    later = [one._replace(timestamp=(one.timestamp or 0) + SECONDS * 1000 + 10_000) for one in messages(DRIFTING)[:600]]
    drifted.publishes(later)
    drifted.says("run", "--until-end")
    assert "retired after" in drifted.says("episodes")
    assert "no episode is open" in drifted.says("episodes", "--open")
    assert "fraud/1" not in drifted.says("status")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "no reference was ever announced for it, so it is not monitored"),
        (["fraud", "7"], "fraud/7: no reference was ever announced for it; versions known: 1"),
    ],
)
def test_only_what_is_monitored_can_be_retired(drifted: User, words: list[str], said: str) -> None:
    assert said in drifted.says("retire", *words, "--since", "2023-11-14T22:23:27Z", code=1)


def test_a_live_model_is_retired_in_a_minute_and_two_panes(drifted: User) -> None:
    drifted.configures("clock: record", "clock: live")
    assert re.match(r"fraud/1: retired for record times from 20\d\d-\S+ on", drifted.says("retire", "fraud"))


def test_commands_that_are_shown_can_be_pasted(drifted: User) -> None:
    line = next(line for line in drifted.says("show", "").splitlines() if "reference accept" in line)
    words = shlex.split(line.partition("driftbus ")[2])
    assert "amount accepted" in drifted.says(*words, "--since", "2023-11-14T22:30:00Z")
