"""Golden evaluations of several versions on one set: each says something of its own version."""

from collections.abc import Sequence

import pytest

from driftbus.consumers.streams.cut import LATEST
from driftbus.schemas.messages.coincidence import Coincidence
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.golden import GoldenEvaluation
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.messages.root_cause import RootCauseEvent

from ..feedback.facts import evidence
from .facts import LABELS, Record, Traffic, end, fold, interleaved, progress, said, settings, writers

GRAINS = 54
CHOSEN = settings(models={"m0": {"labels": LABELS, "golden": {"call": {"callable": {"function": "package.module:name"}}}}})
#: By grain, of the version that serves.
STEADY = [(number, "1", 0.1, "1") for number in range(5, GRAINS, 5)]
Tested = tuple[int, str, float, str]  # in which grain, which version, its loss, and what it was compared with


def _evaluation(number: int, version: str, loss: float, against: str) -> Evidence:
    said_ = GoldenEvaluation.model_validate(
        {
            **{"request": f"{version}-in-{number}", "model": "m0", "version": version, "golden": "g", "cause": "slot", "named": "s"},
            **{"asked": end(number) - 30_000, "status": "complete", "attempt": 0, "loss": "brier", "rows": 100, "metrics": {"brier": loss}},
            **{"verdict": "same", "good": True, "against_version": against or None},
        }
    )
    return Evidence(
        of="golden",
        stream="predictions",
        topic="p.golden",
        topic_id="g",
        partition=0,
        offset=100 * number + int(version),
        bucket=end(number),
        about=said_.asked,
        model="m0",
        version=version,
        fact_id=said_.request,
        fact=said_.plain(),
    )


def _told(tested: Sequence[Tested], *done: tuple[int, Coincidence]) -> list[RootCauseEvent]:
    """Of version 1, which serves all along; ``done``: what is said in some grain to be done sometime."""
    facts = writers(Traffic(1), GRAINS)
    clerk = list[Record]()
    for record in facts["clerk"]:
        clerk.append(record)
        assert isinstance(record.fact, Progress)
        if record.fact.of == "model":
            clerk += (Record("clerk", _evaluation(*one)) for one in sorted(tested) if one[0] == record.through)
            clerk += (Record("clerk", evidence("model", one, number)) for number, one in done if number == record.through)
            clerk.append(Record("clerk", progress("golden", "predictions", "p.golden", record.through, topic_id="g"), record.through))
    return said(fold(CHOSEN), interleaved(facts | {"clerk": clerk}, 1))


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([(33, "2", 0.2, "1")], id="a candidate is worse"),
        pytest.param([(number, "2", 0.2, "2") for number in range(30, GRAINS, 5)], id="and tested again and again"),
        pytest.param([(3, "2", 0.05, "1")], id="one was better"),
        pytest.param([(3, "2", 0.02, ""), (33, "3", 0.3, "2")], id="one was better, another one is worse"),
    ],
)
def test_what_another_version_loses_breaks_none(others: list[Tested]) -> None:
    assert not _told([*STEADY, *others])


@pytest.mark.parametrize(
    "tested",
    [
        pytest.param([(number, "1", 0.1 if number < 33 else 0.2, "1") for number in range(5, GRAINS, 5)], id="it loses more than it did"),
        pytest.param([(3, "0", 0.1, ""), *((number, "1", 0.2, "0") for number in range(5, GRAINS, 5))], id="more than its parent"),
        pytest.param(
            [(3, "0", 0.1, ""), (5, "1", 0.1, "0"), (33, "1", 0.2, "1"), (40, "1", 0.2, "1"), (41, "0", 0.1, "0")], id="its parent goes on"
        ),
    ],
)
def test_a_version_that_loses_more_than_it_did_or_than_its_parent_is_broken(tested: list[Tested]) -> None:
    assert {(one.cause, one.version) for one in _told(tested)} == {("model_broken", "1")}
    assert "confirmed" in {one.status for one in _told(tested)}


@pytest.mark.parametrize(
    ("time", "then"),
    [
        pytest.param(end(35) - 40_000, "yes", id="when it began"),
        pytest.param(end(44), "no", id="soon"),
        pytest.param(end(35) + 30 * 86_400_000, "no", id="next month"),
        pytest.param(4_102_444_800_000, "no", id="2100"),
        pytest.param(LATEST, "no", id="never"),
    ],
)
@pytest.mark.parametrize("said_in", [5, 34])
def test_a_release_that_is_only_announced_came_with_nothing(time: int, then: str, said_in: int) -> None:
    worse = [(number, "1", 0.1 if number < 33 else 0.2, "1") for number in range(5, GRAINS, 5)]
    first, *_ = _told(worse, (said_in, Coincidence.of({"type": "release", "ref": "web 7", "time": time})))
    assert [one.value for one in first.evidence if one.name == "deployment_at_onset"] == [then]
