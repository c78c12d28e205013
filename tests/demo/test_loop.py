"""The closed loop over some days: a job, its version, and the same bytes however fast the machine is; and the model as it is kept."""

import io
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.console.screen import Terminal
from driftbus.consumers.demo import forest
from driftbus.consumers.demo.data import Flights
from driftbus.consumers.demo.loop import STARTS, Loop, Story, play
from driftbus.consumers.demo.loop_told import picture, tell
from driftbus.consumers.demo.policies import DAY, columns
from driftbus.consumers.demo.timetable import NUMBERS, chosen
from driftbus.consumers.process.settings import load

from ..streaming import Event, everything

#: Five days, and a job as soon as labels of one have come.
SHORT = Story(ends=STARTS + 5 * DAY, fresh=400)


def test_a_kept_forest_answers_as_it_was_learnt(flights: Flights, tmp_path: Path) -> None:
    """Nulls and categories that it does not know, too."""
    some = chosen(flights, np.flatnonzero(flights.known)[:6_000])
    rows = np.arange(len(some))
    learnt = forest.fit(columns(some, rows[:3_000]), some.late[:3_000], 1)
    learnt.save(tmp_path / "model.npz")
    asked = columns(some, rows[3_000:])
    asked |= {name: np.where(rows[3_000:] % 7 == place, np.nan, asked[name]) for place, name in enumerate(NUMBERS[:7])}
    asked["carrier"] = np.where(rows[3_000:] % 11 == 0, "??", asked["carrier"]).astype(object)
    model = HistGradientBoostingClassifier(random_state=1, **forest._SETTINGS)
    model.fit(forest._matrix(columns(some, rows[:3_000]), learnt.categories), some.late[:3_000])
    expected = model.predict_proba(forest._matrix(asked, learnt.categories))[:, 1]
    assert np.abs(forest.Forest.load(tmp_path / "model.npz").score(asked) - expected).max() <= 0.5e-4


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Loop, dict[str, list[Event]]]]:
    found = []
    for name in ("one", "other"):
        folder = tmp_path_factory.mktemp(name)
        loop = play(folder, Terminal(file=io.StringIO()), SHORT)
        configuration = load(folder / "driftbus.yaml")
        with closing(open_bus(configuration)) as bus:
            topics = configuration.topics
            names = (topics.drift, topics.root_causes, topics.performance, topics.actions, topics.retrain, topics.models)
            found.append((loop, {topic: [event for some in everything(bus, topic).values() for event in some] for topic in names}))
    return found


def test_a_job_ends_with_a_version_that_is_known(two_runs: list[tuple[Loop, dict[str, list[Event]]]]) -> None:
    """What it registered stands on the ledger in front of its end."""
    loop, topics = two_runs[0]
    launched = [job for job in loop.jobs.values() if job.request is not None]
    assert launched
    assert launched[0].last.state == "succeeded"
    assert launched[0].request is not None
    facts = [event.content for event in topics["flights-loop.actions"]]
    job = launched[0].request.job
    registered = next(place for place, fact in enumerate(facts) if fact.get("event") == "registered" and fact.get("job") == job)
    succeeded = next(place for place, fact in enumerate(facts) if fact.get("state") == "succeeded" and fact.get("job") == job)
    assert registered < succeeded
    assert loop.steps


def test_another_run_writes_the_same_bytes(two_runs: list[tuple[Loop, dict[str, list[Event]]]]) -> None:
    (_, one), (_, other) = two_runs
    for topic, events in one.items():
        assert [(event.key, event.value) for event in events] == [(event.key, event.value) for event in other[topic]], topic


def test_it_is_told_and_drawn(two_runs: list[tuple[Loop, dict[str, list[Event]]]], tmp_path: Path) -> None:
    shown = io.StringIO()
    tell(two_runs[0][0], Terminal(file=shown, width=200))
    assert "JOB" in shown.getvalue()
    assert [line.split("  ")[0] for line in shown.getvalue().splitlines()[-5:]][-1] == "gated"
    picture(two_runs[0][0], tmp_path / "loop.png")
    assert (tmp_path / "loop.png").stat().st_size > 10_000
