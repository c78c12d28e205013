"""Which settings the user's override, and which not."""

import logging

import pytest

from driftbus.consumers.bus import kafka_settings

_USER: kafka_settings.Settings = {"bootstrap.servers": "b:1", "linger.ms": 7, "session.timeout.ms": 9000, "client.id": "me"}


def test_settings_reach_the_client_they_are_for() -> None:
    consumer, producer, admin = kafka_settings.consumer(_USER, "g", "i"), kafka_settings.producer(_USER, "t"), kafka_settings.admin(_USER)
    assert consumer["session.timeout.ms"] == 9000
    assert producer["linger.ms"] == 7
    assert "linger.ms" not in consumer | admin
    assert "session.timeout.ms" not in producer | admin
    assert {"bootstrap.servers": "b:1", "client.id": "me"}.items() <= admin.items()
    assert kafka_settings.admin({**_USER, "reconnect.backoff.ms": 50})["reconnect.backoff.ms"] == 50
    assert (consumer["group.id"], consumer["group.instance.id"], producer["transactional.id"]) == ("g", "i", "t")


def test_partitions_that_are_added_are_looked_for_often_unless_the_user_says_how() -> None:
    key = "topic.metadata.refresh.interval.ms"
    assert kafka_settings.consumer(_USER, "g")[key] == 5_000
    assert kafka_settings.consumer({**_USER, key: 1000}, "g")[key] == 1000
    assert key not in kafka_settings.producer(_USER, "t") | kafka_settings.admin(_USER)


def test_the_new_group_protocol_can_be_chosen() -> None:
    consumer = kafka_settings.consumer({**_USER, "group.protocol": "consumer"}, "g", "i")
    assert "partition.assignment.strategy" not in consumer


def test_what_the_promises_rest_on_is_refused() -> None:
    for key in ("isolation.level", "transactional.id", "partition.assignment.strategy", "enable.auto.commit"):
        with pytest.raises(ValueError, match=rf"kafka\.{key}: set by driftbus"):
            kafka_settings.check({**_USER, key: "x"})
    with pytest.raises(ValueError, match=r"bootstrap\.servers is missing"):
        kafka_settings.check({})


def test_the_setting_that_makes_reading_slow_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        kafka_settings.check(_USER)
        assert not caplog.records
        kafka_settings.check({**_USER, "fetch.queue.backoff.ms": 1000})
    assert "four times slower" in caplog.text
