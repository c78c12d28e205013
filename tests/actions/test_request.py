"""What a request says of the data beside its rows: the golden set in use, what people labelled, what rows weigh."""

from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.intake.copying import Copying
from driftbus.consumers.reference import golden_sets, ledger
from driftbus.schemas.configuration import Configuration, Policy
from driftbus.schemas.messages.action import ActionRequest
from driftbus.schemas.messages.action_data import ActionGolden, ActionReviewed
from driftbus.schemas.messages.golden_set import GoldenAnnouncement
from driftbus.schemas.messages.retrain import GoldenUsed
from driftbus.schemas.messages.reviewed import Reviewed, ReviewedShare

from ..streaming import configuration
from .adversary import MODEL
from .test_bus import SUNDAY, Live
from .test_rules import Told, asked, told

FIRST, LAST = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def golden(name: str, announced: int) -> ActionGolden:
    return ActionGolden(model=MODEL, golden=name, name=f"golden/{MODEL}/{name}", announced=announced)


def by_hand(**data: object) -> Told:
    return told(hand={"when": "person", "data": data})


def test_the_golden_set_in_use_is_the_one_announced_last() -> None:
    one = by_hand()
    one(golden(FIRST, 1), golden(LAST, 2), golden(FIRST, 1), asked("a"))
    assert one.request.golden == GoldenUsed(name=f"golden/{MODEL}/{LAST}", hash=LAST)


def test_where_none_is_announced_it_is_the_one_that_was_tested_on() -> None:
    one = by_hand()
    one.ledger.golden = FIRST
    one(asked("a"))
    assert one.request.golden == GoldenUsed(hash=FIRST)
    other = by_hand()
    other(asked("a"))
    assert other.request.golden is None


def test_how_many_labels_are_of_people_only_grows() -> None:
    one = by_hand()
    one(*(ActionReviewed(model=MODEL, total=total) for total in (3, 8, 3)), asked("a"))
    assert one.request.data.labels.reviewed == 8


def test_rows_weigh_as_the_policy_says() -> None:
    one = by_hand(weights={"people": 5, "outliers": 2})
    one(asked("a"))
    assert one.request.weights == {"people": 5.0, "outliers": 2.0}
    with pytest.raises(ValidationError, match=r"weights\.labels"):
        Policy.model_validate({"when": "person", "data": {"weights": {"labels": 0}}})


def settings_of(folder: Path, **of_golden: object) -> Configuration:
    """A model with reviews, a golden set, and a policy."""
    call = {"call": {"kserve": {"url": "http://127.0.0.1:1"}}, **of_golden}
    model = {"labels": "outcomes", "review": {}, "golden": call, "retrain": {"hand": {"when": "person"}}}
    labels = {"outcomes": {"topics": ["known"]}}
    return configuration(artifacts=str(folder), stream={"clock": "live", "mapping": {"id": "id"}}, labels=labels, models={"m0": model})


def reviewed(about: int, answered: int) -> Reviewed:
    none = ReviewedShare(cases=0)
    of = {"application": "test", "model": "m0", "version": "1", "start": about - 10, "about": about, "asked": answered}
    return Reviewed.model_validate({**of, "answered": answered, "all": none, "uniform": none})


def announced(name: str, at: int) -> GoldenAnnouncement:
    return GoldenAnnouncement(model="m0", golden=name, rows=1, announced=at)


def of_reviews(settings: Configuration, said: Reviewed) -> Output:
    return addressed(settings, settings.topics.performance, said, partition_of(said.model, settings.topics.partitions))


def test_both_come_to_the_request_over_the_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(tmp_path)
    live = Live(settings)
    monkeypatch.setattr("driftbus.consumers.bus.log.time", live)
    with closing(live.bus):
        live.bus.publish([of_reviews(settings, one) for one in (reviewed(100, 2), reviewed(200, 3), reviewed(100, 4))])
        live.bus.publish([golden_sets.announced(settings, announced(name, at)) for name, at in ((FIRST, 1), (LAST, 2))])
        live.turns()
        live.bus.publish([of_reviews(settings, reviewed(100, 1))])  # some were taken back
        live.turns()
        ledger.tell(live.bus, settings, ActionRequest(model="m0", policy="hand", request="now"))
        live.turns()
        (request,) = [one for one in live.told() if one.get("policy") == "hand" and "data" in one]
    assert request["data"]["labels"]["reviewed"] == 7
    assert request["golden"] == {"name": f"golden/m0/{LAST}", "hash": LAST}


def test_where_a_set_is_configured_no_other_is_in_use(tmp_path: Path) -> None:
    own = Copying(settings_of(tmp_path, set=FIRST))
    said = [fact for name, at in ((FIRST, 1), (LAST, 2)) for fact in own.feed(0, SUNDAY, announced(name, at))]
    assert [one.golden for one in said if isinstance(one, ActionGolden)] == [FIRST]


def test_what_people_labelled_is_counted_on_from_a_snapshot(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    own = Copying(settings)
    own.feed(0, SUNDAY, reviewed(100, 4))
    restored = Copying.restored(settings, own.snapshot(1)[0].fold)
    assert restored.feed(1, SUNDAY, reviewed(100, 4)) == []
    (said,) = restored.feed(2, SUNDAY, reviewed(200, 1))
    assert isinstance(said, ActionReviewed)
    assert said.total == 5
