"""The demo's data, its model and its messages."""

import json
from datetime import UTC, datetime
from itertools import islice

import numpy as np

from driftbus.consumers.demo.data import DATA, FEATURES, Flights, in_celsius
from driftbus.consumers.demo.messages import LABELS, PARTITIONS, SCORED, labels, predictions
from driftbus.consumers.demo.model import auc, scores
from driftbus.consumers.reference.building.messages import epoch_ms
from driftbus.schemas.messages.prediction import Prediction


def test_the_year_is_whole_and_in_order(flights: Flights) -> None:
    assert (len(flights), int(flights.known.sum())) == (336_776, 327_346)
    assert len(set(flights.id.tolist())) == len(flights)
    assert (np.diff(flights.scheduled) >= 0).all()
    assert (flights.landed > flights.scheduled)[flights.known].all()


def test_late_shares_are_those_of_the_source(flights: Flights) -> None:
    month = (flights.scheduled - 5 * 3_600_000).astype("datetime64[ms]").astype("datetime64[M]").astype(int) % 12
    shares = [flights.late[flights.known & (month == m)].mean() for m in range(12)]
    np.testing.assert_allclose(shares, [0.227, 0.229, 0.228, 0.279, 0.220, 0.308, 0.315, 0.238, 0.132, 0.168, 0.174, 0.326], atol=0.001)


def test_every_flight_has_the_weather_of_its_scheduled_hour_and_airport(flights: Flights) -> None:
    assert np.isnan(flights.numbers["temp"]).mean() < 0.01
    before_the_blizzard = (flights.scheduled // 3_600_000 == epoch_ms("2013-02-08T20:00") // 3_600_000) & (
        flights.categories["origin"] == "LGA"
    )
    assert before_the_blizzard.any()
    assert set(flights.numbers["temp"][before_the_blizzard]) == {33.8}
    assert set(flights.numbers["visib"][before_the_blizzard]) == {2.0}


def test_the_fault_spoils_its_week_only(flights: Flights) -> None:
    start, end = epoch_ms("2013-03-15"), epoch_ms("2013-03-22")
    temp = flights.numbers["temp"].copy()
    spoilt = Flights(flights.id, flights.scheduled, flights.landed, flights.late, flights.categories, {"temp": temp})
    in_celsius(spoilt, start, end)
    during = (flights.scheduled >= start) & (flights.scheduled < end)
    np.testing.assert_array_equal(temp[~during], flights.numbers["temp"][~during])
    np.testing.assert_allclose(temp[during] * 1.8 + 32, flights.numbers["temp"][during], atol=0.01)


def test_the_model_learns_from_three_weeks_what_holds_for_the_year(flights: Flights) -> None:
    training = flights.known & (flights.landed < epoch_ms("2013-01-22"))
    score = scores(flights, training)
    rest = flights.known & ~training
    assert auc(score[rest], flights.late[rest]) > 0.88


def test_predictions_are_canonical_messages_at_the_flights_own_times(flights: Flights) -> None:
    some = list(islice(predictions(flights, np.zeros(len(flights))), 1_000))
    assert {output.partition for output in some} == set(range(PARTITIONS))
    assert [output.timestamp for output in some] == flights.scheduled[:1_000].tolist()
    for number, output in enumerate(some):
        assert (output.topic, output.key) == (SCORED, b"nyc-late")
        message = Prediction.model_validate_json(output.value or b"")
        assert message.id == flights.id[number]
        assert tuple(message.features) == FEATURES
        assert message.score == 0


def test_what_is_not_known_is_null(flights: Flights) -> None:
    cancelled = int(np.flatnonzero(np.isnan(flights.numbers["dep_delay"]))[0])
    output = next(islice(predictions(flights, np.zeros(len(flights))), cancelled, None))
    assert json.loads(output.value or b"")["features"]["dep_delay"] is None


def test_labels_come_when_flights_land_and_never_for_cancelled_ones(flights: Flights) -> None:
    all_ = list(labels(flights))
    assert len(all_) == int(flights.known.sum())
    times = [output.timestamp or 0 for output in all_]
    assert times == sorted(times)
    first = json.loads(all_[0].value or b"")
    assert all_[0].topic == LABELS
    assert datetime.fromisoformat(first["time"]) == datetime.fromtimestamp(times[0] / 1000, UTC)
    assert isinstance(first["label"], bool)


def test_the_data_are_small_and_say_where_they_come_from() -> None:
    assert sum(file.stat().st_size for file in DATA.iterdir()) < 3_500_000
    assert "CC0" in (DATA / "README.md").read_text(encoding="utf-8")
