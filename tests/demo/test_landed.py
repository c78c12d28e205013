"""Flights of nine days with a blizzard: labels come after landing, of what was cancelled never, and of late flights later."""

import pytest

from driftbus.consumers.demo.data import Flights
from driftbus.consumers.reference.building.messages import epoch_ms
from driftbus.detectors.outcomes.delays import quantile

from .landed import DAY, HOUR, PLAN, Played, played, simple, summed

SPAN = (epoch_ms("2013-02-02T08:00Z"), epoch_ms("2013-02-11T08:00Z"))
BLIZZARD = (epoch_ms("2013-02-08"), epoch_ms("2013-02-09"))


@pytest.fixture(scope="module")
def told(flights: Flights, tmp_path_factory: pytest.TempPathFactory) -> Played:
    own = {"order": "matured", "maturity": "12h"}
    return played(flights, simple(flights), SPAN, tmp_path_factory.mktemp("flights"), own, pane="1h")


def test_every_flight_is_labelled_or_told_to_be_expired(told: Played, flights: Flights) -> None:
    during = (flights.scheduled >= SPAN[0]) & (flights.scheduled < SPAN[1])
    assert all(one.final for one in told.performance)
    assert sum(one.predicted for one in told.performance) == during.sum()
    assert sum(one.labelled for one in told.performance) == (during & flights.known).sum()
    assert sum(one.expired for one in told.performance) == (during & ~flights.known).sum()
    right = ((simple(flights) > 0.5) == flights.late)[during & flights.known].sum()
    assert sum(round((one.realised["accuracy"] or 0) * one.labelled) for one in told.performance) == right


def test_what_is_expected_of_cancelled_flights_is_told_beside(told: Played) -> None:
    stormy = [one for one in told.performance if one.start in BLIZZARD]
    assert [one.expired > one.predicted / 3 for one in stormy] == [True, True]
    for one in stormy:
        known, guessed, both = (of["accuracy"] or 0 for of in (one.realised, one.estimated_expired, one.completed))
        assert both == pytest.approx((known * one.labelled + guessed * one.expired) / one.predicted, abs=1e-4)
        assert one.assumes is not None


def test_each_flight_arrives_once_when_its_maturity_is_over(told: Played, flights: Flights) -> None:
    during = (flights.scheduled >= SPAN[0]) & (flights.scheduled < SPAN[1])
    known = during & flights.known & (flights.landed // HOUR <= flights.scheduled // HOUR + 12)
    found = summed(told.arrivals)
    assert (PLAN.number(found, "due"), PLAN.number(found, "labelled")) == (during.sum(), known.sum())
    assert sum(one.labelled_when_due for one in told.performance) == known.sum()
    assert PLAN.number(found, "errors") == ((simple(flights) > 0.5) != flights.late)[known].sum()
    right, wrong = (quantile(row, 0.5) or 0 for row in PLAN.take(found, "delays"))
    assert 2 * HOUR < right < 4 * HOUR
    assert 2 * HOUR < wrong < 4 * HOUR
    assert all(one.median_delay is not None and one.median_delay < DAY for one in told.performance)


def test_check_notices_that_late_flights_are_known_later(told: Played) -> None:
    (proposed,), (checked,) = told.proposed, told.checked
    assert proposed.level == "note"
    assert "labels.landed.order: matured, labels.landed.maturity: 8h" in proposed.text
    assert checked.level == "ok"
    assert "of the labels have come at maturity, 12h" in checked.text
