"""Every error of the client library is in the table, the document shows the table, and the code goes by it."""

import re
import time
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from driftbus.consumers.bus import kafka_errors
from driftbus.consumers.bus.interface import BusError, Stopped
from driftbus.consumers.bus.kafka_error_table import TABLE, Outcome, meaning
from driftbus.consumers.bus.kafka_errors import Ended
from driftbus.consumers.bus.kafka_patience import Patience

_DOCUMENT = Path(__file__).parents[2] / "docs" / "kafka-errors.md"
#: All that the library names.
_CODES = {
    code: name for name in dir(KafkaError) if re.fullmatch(r"_?[A-Z][A-Z_]*", name) and isinstance(code := getattr(KafkaError, name), int)
}


def test_the_table_has_every_code_and_no_other() -> None:
    assert len(_CODES) > 150
    missing = sorted(_CODES[code] for code in _CODES.keys() - TABLE.keys())
    assert not missing, f"decide in kafka_error_table what becomes of {', '.join(missing)}"
    assert not TABLE.keys() - _CODES.keys()


def test_the_document_shows_the_table() -> None:
    shown = [line for line in _DOCUMENT.read_text(encoding="utf-8").splitlines() if re.match(r"\| -?\d+ \|", line)]
    assert shown == [f"| {code} | `{_CODES[code]}` | {TABLE[code].outcome} | {TABLE[code].why} |" for code in sorted(TABLE)]


@pytest.mark.parametrize("code", sorted(TABLE), ids=lambda code: _CODES.get(code, "?"))
def test_only_what_the_table_says_ends_a_process(code: int) -> None:
    error, trying = KafkaError(code), Patience(None).trying("asking")
    if TABLE[code].outcome is Outcome.ENDS and code not in kafka_errors.PASSING_S:
        with pytest.raises(BusError, match=re.escape(TABLE[code].why)):
            trying.judged(error)
    else:
        assert trying.judged(error) > 0
    assert kafka_errors.over(error) == (TABLE[code].outcome is Outcome.ANEW)


@pytest.mark.parametrize(
    "name", ["_NOENT", "_TRANSPORT", "_ALL_BROKERS_DOWN", "COORDINATOR_NOT_AVAILABLE", "_WAIT_COORD", "FENCED_LEADER_EPOCH"]
)
def test_what_a_silent_broker_leads_to_is_waited_for(name: str) -> None:
    assert meaning(getattr(KafkaError, name)).outcome is Outcome.WAITS


def test_a_code_of_a_later_release_is_waited_for_a_while() -> None:
    code = max(_CODES) + 1000
    assert meaning(code).outcome is Outcome.UNEXPECTED
    assert Patience(None).trying("asking").judged(KafkaError(code)) > 0


def test_a_command_ends_when_its_time_is_over_and_a_consumer_does_not() -> None:
    away = KafkaError(KafkaError._NOENT, "no leaders found")
    with pytest.raises(BusError, match=r"asking: not in 0 s: no leaders found \(_NOENT\)"):
        Patience(0).trying("asking").judged(away)
    waits = [trying.judged(away) for trying in [Patience(None).trying("asking")] for _ in range(100)]
    assert waits == sorted(waits)
    assert max(waits) <= 1


@pytest.mark.parametrize("code", sorted(kafka_errors.PASSING_S), ids=lambda code: _CODES.get(code, "?"))
def test_what_starting_brokers_answer_ends_a_process_when_they_go_on_so(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now, long_s = 1.0, kafka_errors.PASSING_S[code]
    monkeypatch.setattr(time, "monotonic", lambda: now)
    error, trying = KafkaError(code), Patience(None).trying("creating topic t")
    for answer in (error, error, KafkaError(KafkaError._TRANSPORT), error, error):  # behind another answer it may be another broker
        assert trying.judged(answer) > 0
        now += 0.9 * long_s
    with pytest.raises(BusError, match=re.escape(f"({error.name()}); {TABLE[code].why}")):
        trying.judged(error)


def test_a_process_that_is_to_stop_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftbus.consumers.bus.kafka_patience.STOPPING_S", -1.0)
    patience = Patience(None)
    trying = patience.trying("asking")
    trying.judged(KafkaError(KafkaError._TRANSPORT))
    patience.stop()
    with pytest.raises(Stopped, match="asking"):
        trying.judged(KafkaError(KafkaError._TRANSPORT))
    with pytest.raises(BusError, match="ACLs"):  # what must be changed is said all the same
        trying.judged(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))


def test_an_ended_client_is_another_thing_than_a_refusal() -> None:
    with pytest.raises(Ended, match="_FENCED"):
        kafka_errors.end(KafkaError(KafkaError._FENCED), "group g")
    with pytest.raises(BusError, match="ACLs") as refused:
        kafka_errors.end(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), "group g")
    assert not isinstance(refused.value, Ended)


def test_all_clients_are_closed_by_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, and whatever each of them waits for, the process is given 15 s in all."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    patience = Patience(None)
    assert [patience.closing_s for _ in range(20)] == [3.0] * 20
    patience.stop()
    for _ in range(20):
        now += patience.closing_s
    assert now < 12
    assert patience.closing_s > 0  # each is begun
