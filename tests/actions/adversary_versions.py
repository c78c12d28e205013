"""What an adversary says of versions: registered, tested, compared; what people say; and a registrar that is late, or never there."""

import random
from collections import Counter
from typing import Any

from driftbus.detectors.actions.state import Ledger
from driftbus.schemas.configuration import Promotion as Settings
from driftbus.schemas.messages.action import ActionModel, LedgerFact
from driftbus.schemas.messages.action_version import ActionContest, ActionEvaluation, ActionVersion
from driftbus.schemas.messages.contest import STAKES, UNIT, ContestDay
from driftbus.schemas.messages.promotion import Promotion

HOUR, DAY = 3_600_000, 86_400_000
MODEL = "eta"
#: Of a shadow of a day.
LENGTH = DAY // 21


def settings(chance: random.Random) -> Settings | None:
    """Some of each kind."""
    if chance.random() < 0.2:
        return None
    return Settings(
        by=chance.choice(["test", "test", "person"]),
        golden=chance.choice([None, 0.05]),
        shadow=DAY,
        within=chance.choice([None, 2 * DAY, 10 * DAY]),
        hold=chance.random() < 0.6,
    )


def moved(event: str, version: str, number: int, **fields: Any) -> ActionModel:
    """What was done with a version."""
    said = {"model": MODEL, "event": event, "version": version, "fact_id": f"{event}-{version}-{number}", **fields}
    return ActionModel.model_validate(said)


def contest(version: str, other: str, place: int, start: int, *, ahead: float, days: int = 1, rows: int = 200) -> ActionContest:
    """The first of two by name is so much ahead, each day."""
    low, high = sorted((version, other))
    wins, losses = (tuple(round(sign * stake * ahead * rows * UNIT) for stake in STAKES) for sign in (1, -1))
    own = {"rows": rows, "better": round(ahead * rows * UNIT), "squares": round(0.5 * rows * UNIT), "gained": round(ahead * rows * UNIT)}
    told = tuple(ContestDay(start=start + number * LENGTH, wins=wins, losses=losses, **own) for number in range(days))
    return ActionContest(model=MODEL, version=low, other=high, partition=0, place=place, day=LENGTH, days=told)


class Versions:
    """The part of a world that versions are."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._names, self._place = chance, Counter[str](), Counter[tuple[str, str]]()
        self.known: list[str] = []
        self.serving = "1"
        self._asked: list[Promotion] = []  # of the registrar

    def asked(self, one: Promotion) -> None:
        """The registrar has read it; what it does comes later, or never."""
        if one.step in ("promote", "roll_back") and self._chance.random() < 0.8:
            self._asked.append(one)

    def fact(self, at: int, jobs: list[str]) -> LedgerFact:
        """Any."""
        chance, kind = self._chance, self._chance.random()
        if self._asked and chance.random() < 0.5:
            one = self._asked.pop(0)
            event, self.serving = ("promoted", one.version) if one.step == "promote" else ("rolled_back", one.parent or "1")
            return moved(event, one.version, 0, parent=one.parent, job=one.job)
        if kind < 0.2 or not self.known:
            self._names["v"] += 1
            name = f"v{self._names['v']}"
            self.known.append(name)
            job = chance.choice([None, *jobs[-2:], *jobs[-2:]])
            return moved("registered", name, chance.randrange(2), parent=chance.choice([None, self.serving]), job=job)
        version = chance.choice(self.known[-3:])
        if kind < 0.35:
            status, change = chance.choice(["complete", "complete", "failed"]), chance.choice([None, -0.1, 0.02, 0.2])
            own = {"request": f"r{chance.randrange(60)}", "asked": max(0, at - chance.choice([0, HOUR])), "time": at}
            return ActionEvaluation.model_validate(
                {"model": MODEL, "version": version, "status": status, "verdict": "same", "change": change, **own}
            )
        if kind < 0.75:
            other = chance.choice([self.serving, "1", chance.choice(self.known)])
            if other == version:
                other = "1"
            self._place[version, other] += 1
            place, days = at + self._place[version, other], chance.choice([1, 10, 30])
            start = at // LENGTH * LENGTH - chance.choice([0, 10, 30]) * LENGTH
            return contest(version, other, place, start, ahead=chance.choice([-0.2, 0.0, 0.2, 0.2]), days=days)
        if kind < 0.9:
            said = chance.choice(["promote", "promote", "refuse", "roll_back"])
            return ActionVersion(model=MODEL, kind=said, version=version, by=chance.choice(["ann", "bob"]), time=at)
        event = chance.choice(["retired", "deployed", "promoted", "rolled_back"])
        return moved(event, version, chance.randrange(2), parent=self.serving if event == "rolled_back" else None)


class CheckedVersions:
    """What holds of all that is said of versions."""

    def __init__(self) -> None:
        self.steps: dict[str, list[str]] = {}
        self._ids, self._jobs = set[str](), set[str]()

    def take(self, one: Promotion, ledger: Ledger) -> None:
        """One step."""
        before = self.steps.setdefault(one.version, [])
        assert one.id not in self._ids, "the same step twice"
        self._ids.add(one.id)
        assert one.number == before.count(one.step) + 1, one
        if one.step in ("promote", "roll_back"):
            changing = [name for name, each in ledger.candidates.items() if each.state in ("promoting", "rolling_back")]
            assert changing == [one.version], "two at once"
        if one.step == "promote":
            assert not {"refuse", "held", "promote", "roll_back"} & set(before), f"promoted after {before}"
            assert "shadow" in before
            assert one.job is None or one.job not in self._jobs, "a job's version was promoted twice"
            assert next(ledger.faults(), None) is None, "promoted under a fault"
            self._jobs |= set() if one.job is None else {one.job}
        elif one.step == "roll_back":
            assert one.version == ledger.version, "what does not serve was rolled back"
            assert one.parent is not None
        elif one.step in ("evaluate", "shadow"):
            assert not {"refuse", "held", "promote"} & set(before), f"{one.step} after {before}"
        before.append(one.step)


def willing(ledger: Ledger) -> list[ActionModel]:
    """What a registrar does that is there again."""
    found = []
    for version, one in ledger.candidates.items():
        if one.state == "promoting":
            found.append(moved("promoted", version, 9, parent=one.parent, job=one.job))
        elif one.state == "rolling_back":
            found.append(moved("rolled_back", version, 9, parent=one.parent, job=one.job))
    return found
