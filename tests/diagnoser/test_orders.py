"""What is said of causes does not depend on which writer was faster; each simpler way to place a run does."""

from collections.abc import Callable

import pytest

from driftbus.consumers.diagnoser import kinds
from driftbus.consumers.diagnoser.exhibit import Exhibit
from driftbus.consumers.diagnoser.group import Group
from driftbus.consumers.pipeline.topology import TOPOLOGY
from driftbus.consumers.streams.align import Aligned
from driftbus.schemas.configuration import Configuration

from .orders import differing, orders

#: Logs, each in two orders; more of them: `tests.diagnoser.orders`. A simpler form is found in so many.
LOGS, FEW = 40, 8


def test_two_orders_of_the_same_facts_say_the_same() -> None:
    assert not differing(range(LOGS))


def test_one_log_holds_all_evidence() -> None:
    """Of two inputs no log holds the order, so that after a crash what was linked to what would change."""
    [node] = (one for one in TOPOLOGY if one.role == "diagnoser")
    assert {*node.reads} == {"summaries", "snapshots"}


def _awaiting(*sources: str) -> Callable[[Configuration, kinds.Kinds], dict[str, tuple[str, ...]]]:
    """Only these kinds are waited for."""

    def awaited(settings: Configuration, of: kinds.Kinds) -> dict[str, tuple[str, ...]]:
        return {name: topics for name, topics in kinds.awaited(settings, of).items() if name.startswith(sources)}

    return awaited


def _by_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whenever the predictions are complete, with what has arrived."""
    monkeypatch.setattr("driftbus.consumers.diagnoser.fold.awaited", _awaiting("predictions"))
    monkeypatch.setattr("driftbus.consumers.diagnoser.fold.belongs", lambda fact, of, topics: True)


def _links_as_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """All evidence aligned, but for the notes of episodes."""
    monkeypatch.setattr("driftbus.consumers.diagnoser.fold.awaited", _awaiting("predictions", "arrivals", "model"))
    monkeypatch.setattr("driftbus.consumers.diagnoser.fold.belongs", lambda fact, of, topics: True)


def _all_that_was_received(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aligned on all kinds, but with what was cut behind the run, too, if it is there."""

    def take(self: Group, offset: int, appended: int, exhibit: Exhibit) -> None:
        now = Aligned[Exhibit](self.aligner.buckets.end(max(self.aligner.evaluated, 0)), True, False, [])
        list(self._taken(exhibit, now))

    monkeypatch.setattr(Group, "take", take)


@pytest.mark.parametrize("simpler", [_by_arrival, _links_as_they_lie, _all_that_was_received])
def test_simpler_forms_do_not(simpler: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    simpler(monkeypatch)
    assert any(first != second for first, second in map(orders, range(FEW))), "not that both confirm nothing"
