"""How long a policy waits for its launcher: as long as that may let a job wait."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.command.checks.jobs import cut_short
from driftbus.consumers.launcher.seen import Job
from driftbus.consumers.launcher.webhook import WebhookLauncher
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.configuration.retrain import LONGEST
from driftbus.schemas.messages.action import ActionDue, ActionTick

from ..command.conftest import CONFIGURATION, User, user  # noqa: F401  # a fixture
from ..launcher.receivers import receiving
from ..streaming import configuration
from .adversary import DAY, HOUR, MINUTE, MODEL
from .test_rules import START, Told, asked

CONTAINER = {"spec": {"template": {"spec": {"containers": [{"name": "train", "image": "train:7"}]}}}}
USUAL = 10 * MINUTE


def command(**keys: Any) -> dict[str, Any]:
    return {"command": {"run": ["python", "fit.py"], **keys}}


def webhook(**keys: Any) -> dict[str, Any]:
    return {"webhook": {"url": "https://example.org/jobs", **keys}}


def cluster(**keys: Any) -> dict[str, Any]:
    return {"kubernetes": {"namespace": "ml", "template": CONTAINER, **keys}}


def settings_of(launcher: dict[str, Any], models: int = 1, **policy: Any) -> Configuration:
    """So many models with a policy each."""
    own = {"retrain": {"daily": {"when": "schedule", "cron": "0 3 * * *", "on": "trainer", **policy}}}
    stream = {"clock": "live"}
    return configuration(stream=stream, launchers={"trainer": launcher}, models={f"m{number}": own for number in range(models)})


@pytest.mark.parametrize(
    ("launcher", "models", "waits"),
    [
        (webhook(), 1, DAY + USUAL),
        (webhook(deadline="10m", reports=True), 3, 2 * USUAL),
        (webhook(deadline="400d"), 1, LONGEST),
        (command(), 1, USUAL),
        (command(), 4, USUAL),
        (command(), 5, 6 * HOUR + USUAL),
        (command(at_once=1), 2, 6 * HOUR + USUAL),
        (command(at_once=1, timeout="20m"), 4, HOUR + USUAL),
        (command(at_once=2, timeout="30d"), 9, LONGEST),
        (cluster(), 1, 6 * HOUR + USUAL),
        (cluster(timeout="1h"), 9, HOUR + USUAL),
    ],
)
def test_a_policy_waits_as_long_as_its_launcher_lets_a_job_wait(launcher: dict[str, Any], models: int, waits: int) -> None:
    """Those who waited for others, or for a server that was away for 11 minutes, were cancelled."""
    settings = settings_of(launcher, models)
    assert {own.retrain["daily"].start_within for own in settings.models.values()} == {waits}
    written = settings_of(launcher, models, start_within="3m")
    assert {own.retrain["daily"].start_within for own in written.models.values()} == {3 * MINUTE}, "what is written holds"


@pytest.mark.parametrize("policies", [{"a": {"when": "person"}}, {"a": {"when": "person", "start_within": "5m"}}, {}])
def test_nothing_lets_the_job_of_a_reader_of_ones_own_wait(policies: dict[str, Any]) -> None:
    settings = configuration(launchers={"trainer": webhook()}, models={"m0": {"retrain": policies}})
    assert [one.start_within for one in settings.models["m0"].retrain.values()] == [
        5 * MINUTE if "start_within" in one else USUAL for one in policies.values()
    ]


def test_policies_of_one_model_wait_for_no_other() -> None:
    """A model has one job at a time."""
    own = {name: {"when": "person", "on": "trainer"} for name in "abc"}
    settings = configuration(launchers={"trainer": command(at_once=1)}, models={"m0": {"retrain": own}, "m1": {}})
    assert {one.start_within for one in settings.models["m0"].retrain.values()} == {USUAL}


def test_what_was_resolved_once_is_the_same_when_read_again() -> None:
    settings = settings_of(webhook())
    again = Configuration.model_validate(settings.model_dump(mode="json", exclude_unset=True))
    assert again.models["m0"].retrain == settings.models["m0"].retrain


@pytest.mark.parametrize("busy", [11 * MINUTE, 3 * HOUR, 6 * HOUR])
@pytest.mark.parametrize("launcher", [command(at_once=1), cluster()], ids=["command", "kubernetes"])
def test_a_daily_job_runs_daily_though_another_model_takes_the_launcher_first(launcher: dict[str, Any], busy: int) -> None:
    """With all defaults it did not run for 16 days in a row: cancelled after ten minutes, asked for again as the other one began."""
    one = Told(settings_of(launcher, 2).models["m0"].retrain)
    three, ends = START - START % DAY + 3 * HOUR, Counter[str]()
    one.now = three - DAY
    one(ActionDue(model=MODEL, policy="daily", instant=one.now))
    while one.now < three + 10 * DAY:
        said = one(ActionTick(time=one.now), later=MINUTE)
        into = (one.now - three) % DAY
        if into == 0:
            said += one(ActionDue(model=MODEL, policy="daily", instant=one.now))
        for name, job in list(one.ledger.jobs.items()):
            if job.state == "cancelling":
                said += one.seen("cancelled", name)
            elif job.state == "requested" and into >= busy:
                said += one.seen("started", name) + one.seen("succeeded", name)
        ends.update(said)
    assert ends["cancelled"] == 0
    assert ends["succeeded"] >= 6, "a day behind the end of the last one, by its cooldown"


@pytest.mark.parametrize("away", [11 * MINUTE, 5 * HOUR, 23 * HOUR, 25 * HOUR])
def test_a_server_that_is_away_gets_the_job_when_it_is_back_or_it_is_undelivered(away: int) -> None:
    with receiving("503") as receiver:
        settings = settings_of(webhook(url=f"{receiver.address}/jobs"))
        wall = [START]
        kind = settings.launchers["trainer"].webhook
        assert kind is not None
        launcher = WebhookLauncher(kind, lambda: wall[0])
        one = Told({"hand": settings.models["m0"].retrain["daily"].model_copy(update={"when": "person"})})
        one(asked("r"))
        job = Job(one.job, one.request.encoded(), one.request.plain(), one.request.requested)
        seen, end = launcher.ensure(job), START + away
        while seen.state == "requested":
            later = min(HOUR, end - wall[0])
            wall[0] += later
            receiver.manners = ("200",) if wall[0] == end else ("503",)
            seen = launcher.ensure(job)
            assert one.tick(later) == [], "it is not cancelled"
    assert (seen.state, seen.undelivered) == (("succeeded", False) if away < DAY else ("failed", True))
    assert one.seen(seen.state)[0] == seen.state


def noted(settings: Configuration) -> list[str]:
    found = [*cut_short(settings)]
    assert {one.level for one in found} <= {"note"}
    return [one.text for one in found]


@pytest.mark.parametrize(
    ("launcher", "models", "policy", "says"),
    [
        (webhook(), 1, {"start_within": "10m"}, ["start_within: 10m", "launchers.trainer.webhook.deadline it may for 1d"]),
        (webhook(deadline="2h"), 1, {"start_within": "119m"}, ["start_within: 119m", "deadline it may for 2h"]),
        (command(at_once=1), 2, {"start_within": "1h"}, ["start_within: 1h", "launchers.trainer.command.timeout it may for 6h"]),
        (command(timeout="2h"), 9, {"start_within": "3h"}, ["start_within: 3h", "launchers.trainer.command.timeout it may for 4h"]),
        (cluster(), 1, {"start_within": "1h"}, ["start_within: 1h", "launchers.trainer.kubernetes.timeout it may for 6h"]),
        (command(timeout="12h"), 1, {}, ["finish_within: 6h", "launchers.trainer.command.timeout it may for 12h"]),
        (cluster(timeout="7h"), 1, {}, ["finish_within: 6h", "launchers.trainer.kubernetes.timeout it may for 7h"]),
        (command(timeout="1h"), 1, {"finish_within": "59m"}, ["finish_within: 59m", "it may for 1h"]),
    ],
)
def test_who_cancels_what_the_launcher_lets_wait_or_run_is_told(
    launcher: dict[str, Any], models: int, policy: dict[str, Any], says: list[str]
) -> None:
    found = noted(settings_of(launcher, models, **policy))
    assert len(found) == models
    assert all(part in text for text in found for part in ["models.m", ".retrain.daily.", *says])


@pytest.mark.parametrize(
    ("launcher", "models", "policy"),
    [
        (webhook(), 1, {}),
        (webhook(), 1, {"start_within": "1d", "finish_within": "1m"}),
        (command(), 5, {}),
        (command(), 4, {"start_within": "1m"}),
        (command(timeout="12h"), 1, {"finish_within": "12h"}),
        (cluster(), 3, {"start_within": "6h"}),
    ],
)
def test_who_waits_as_long_is_told_nothing(launcher: dict[str, Any], models: int, policy: dict[str, Any]) -> None:
    assert noted(settings_of(launcher, models, **policy)) == []


def test_a_check_tells_it(user: User) -> None:  # noqa: F811  # the fixture
    retrain = "    retrain: {asked: {when: person, on: trainer}}\nlaunchers: {trainer: {command: {run: [python, fit.py], timeout: 12h}}}\n"
    Path("driftbus.yaml").write_text(CONFIGURATION + retrain)
    user.creates()
    assert "models.fraud.retrain.asked.finish_within: 6h: a job that runs longer is cancelled" in user.says("check")
