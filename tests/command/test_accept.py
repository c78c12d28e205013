"""A drift that is accepted: its episode is over, what it was about is normal, and what changes next is drift again."""

import json
from contextlib import closing

import numpy as np

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.announce import Announcements, announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.messages.announcement import Announcement

from .conftest import BEGINNING, SECONDS, User, amounts, messages

DRIFTING = amounts(SECONDS * 10, seed=2, shifted_from=SECONDS * 5)


def _episodes(user: User) -> list[dict[str, object]]:
    return [json.loads(line) for line in user.says("watch", "--from-start", "--until-end", "--json").splitlines() if '"episode"' in line]


def _at(second: int) -> str:
    return str(np.datetime64(BEGINNING + second * 1000, "ms")) + "Z"


def test_what_is_accepted_is_normal(user: User) -> None:
    user.creates()
    user.publishes(messages(DRIFTING))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.says("run", "--until-end")
    (opened,) = _episodes(user)
    assert opened["status"] == "opened"
    said = user.says("reference", "accept", str(opened["episode"])[:12], "--from", _at(SECONDS // 2 + 1), "--since", _at(SECONDS))
    assert said.startswith("fraud/1: amount accepted; sha256:")
    more = np.concatenate([amounts(SECONDS * 5, seed=3, shifted_from=0), amounts(SECONDS * 5, seed=4, shifted_from=0) + 2])
    later = [record._replace(timestamp=(record.timestamp or 0) + SECONDS * 1000) for record in messages(more)]
    user.publishes(later)
    user.says("run", "--until-end")
    _, resolved, again, *_ = _episodes(user)
    assert (resolved["episode"], resolved["status"], resolved["reason"]) == (opened["episode"], "resolved", "replaced")
    assert again["status"] == "opened"
    assert str(again["bucket"][0]) >= _at(SECONDS + SECONDS // 2 - 10)  # type: ignore[index]  # a list


def test_what_was_accepted_before_stays_so(user: User) -> None:
    user.creates()
    user.publishes(messages(DRIFTING))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.says("run", "--until-end")
    (opened,) = _episodes(user)
    for since in (SECONDS, SECONDS + 100):
        user.says("reference", "accept", str(opened["episode"]), "--from", _at(SECONDS // 2 + 1), "--since", _at(since))
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        announced = Announcements(bus, configuration)
        announced.refresh()
        held = [ArtifactStore(configuration.artifacts).reference(one.reference or "") for one in announced.all()]
    assert [len([text for text in one.warnings if text.startswith("accepted as normal: amount")]) for one in held] == [0, 1, 2]


def test_what_is_retired_has_no_normal(user: User) -> None:
    user.creates()
    user.publishes(messages(DRIFTING))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.says("run", "--until-end")
    (opened,) = _episodes(user)
    configuration, since = load(), BEGINNING + SECONDS * 1000
    with closing(open_bus(configuration)) as bus:
        announce(bus, configuration, Announcement(model="fraud", version="1", reference=None, since=since))
    said = user.says("reference", "accept", str(opened["episode"]), "--since", _at(SECONDS + 50), code=1)
    assert "fraud/1 has no reference from 2023-11-14T22:24:10Z on" in said


def test_an_episode_must_be_named_so_that_it_can_be_found(user: User) -> None:
    user.creates()
    assert "abc: there is no such episode on fraud-watch.drift" in user.says("reference", "accept", "abc", code=1)


def test_too_few_rows_are_no_normal(user: User) -> None:
    user.creates()
    user.publishes(messages(amounts(SECONDS * 10, seed=2, shifted_from=SECONDS * 10 - 300)))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.says("run", "--until-end")
    (opened,) = _episodes(user)
    said = user.says("reference", "accept", str(opened["episode"]), "--since", _at(SECONDS), code=1)
    assert "rows for fraud/1, 500 are needed" in said
