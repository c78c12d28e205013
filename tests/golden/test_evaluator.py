"""The evaluator on the embedded bus: every request has one evaluation, whatever answers, hangs, or dies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.addressing import source
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.golden.evaluator import make
from driftbus.consumers.pipeline.own_topics import own_topics
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.golden_records import ask, output, place_of
from driftbus.consumers.reference.golden_records import asked as asked_for
from driftbus.consumers.reference.golden_sets import announced, announcement
from driftbus.detectors.golden.fold import MOST_ATTEMPTS
from driftbus.schemas.messages.golden import GoldenStarted

from ..streaming import everything
from .servers import Server, serving
from .worlds import ROWS, asked, asking, evaluations, evaluator, prepared, rows_of, settings_of, stored, turned, written


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(":memory:", "app", "one")
    yield bus
    bus.close()


def http(server: Server, manner: str) -> dict[str, Any]:
    return {"http": {"url": f"{server.address}/{manner}", "version": "version", "at_once": 4}}


def test_a_request_comes_to_its_evaluation(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    golden = prepared(bus, settings)
    [found] = asked(bus, settings, [asking(settings, golden, "now")])
    assert (found.status, found.verdict, found.attempt, found.rows, found.good) == ("complete", "first", 1, ROWS, True)
    assert found.counts == {"answered": ROWS, "timeout": 0, "error": 0, "invalid": 0}
    assert found.metrics == pytest.approx({"mae": 0.1, "rmse": 0.1}, rel=1e-3)
    [even] = found.slices
    assert (even.name, even.rows, even.answered) == ("even", ROWS // 2, ROWS // 2)
    assert even.metrics["mae"] == pytest.approx(0.1, rel=1e-3)
    assert len(found.latency_ms) == 4


def test_a_worse_version_is_told_against_the_last_good_one(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    golden = prepared(bus, settings)
    requests = [asking(settings, golden, "a"), asking(settings, golden, "b"), asking(settings, golden, "c", "2")]
    first, second, third = asked(bus, settings, requests)
    assert [one.verdict for one in (first, second, third)] == ["first", "same", "worse"]
    assert third.change == pytest.approx(9.0, rel=1e-3)
    assert (second.against, second.last_good, second.good) == (first.request, first.request, True)
    assert (third.against, third.last_good, third.good) == (second.request, second.request, False)


def test_two_who_ask_for_the_same_cause_ask_once(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    golden = prepared(bus, settings)
    one = asking(settings, golden, "slot")
    assert len(asked(bus, settings, [one, one])) == 1
    assert len(asked(bus, settings, [one])) == 1, "nor later"
    assert written(bus, settings)[one.request, "evaluation"] == 1


def test_what_can_no_longer_matter_is_gone(bus: EmbeddedBus, tmp_path: Path, server: Server) -> None:
    """The embedded bus compacts at once: what is left is the first, the last good one, and every evaluation."""
    settings = settings_of(tmp_path, http(server, "good"))
    golden = prepared(bus, settings)
    requests = [asking(settings, golden, str(number)) for number in range(5)]
    found = asked(bus, settings, requests)
    left = {request for (request, kind), _ in written(bus, settings).items() if kind == "result"}
    assert left == {requests[0].request, requests[4].request}
    assert len(found) == 5
    again = asked(bus, settings, [asking(settings, golden, "more")])
    assert again[:5] == found
    assert again[5].against == found[0].request


MANNERS = {
    "hang": ("timeout", "no answer in time"),
    "drip": ("timeout", "no answer in time"),
    "500": ("error", "HTTP 500"),
    "die": ("error", "the answer ends before it is whole"),
    "nonsense": ("invalid", "the answer is no JSON"),
    "text": ("invalid", "an answer is none of its kind"),
    "other-version": ("invalid", "another version answered"),
}


@pytest.mark.parametrize("manner", MANNERS)
def test_a_server_that_fails_fails_the_evaluation_and_no_model(bus: EmbeddedBus, tmp_path: Path, server: Server, manner: str) -> None:
    spans = {"deadline": "300ms", "within": "1s"} if manner in {"hang", "drip"} else {"deadline": "20s", "within": "60s"}
    call = http(server, manner)
    if manner == "text":
        del call["http"]["version"]
    settings = settings_of(tmp_path, call, **spans)
    golden = prepared(bus, settings)
    [found] = asked(bus, settings, [asking(settings, golden, "now")])
    code, reason = MANNERS[manner]
    assert (found.status, found.verdict, found.good) == ("failed", "unknown", False)
    assert found.counts[code] == ROWS
    assert found.reasons == {reason: ROWS}


def test_four_percent_that_time_out_make_nothing_better_or_worse(bus: EmbeddedBus, tmp_path: Path, server: Server) -> None:
    """The hard rows are those that lose most."""
    rows = [row.model_copy(update={"label": row.label + (50.0 if row.features["hard"] else 0.5)}) for row in rows_of(100)]  # type: ignore[operator]
    good = settings_of(tmp_path, http(server, "good"))
    golden = prepared(bus, good, rows)
    first = asked(bus, good, [asking(good, golden, "a")])[0]
    slow = good.model_copy(update={"models": settings_of(tmp_path, http(server, "slow"), deadline="2s").models})
    _, second = asked(bus, slow, [asking(slow, golden, "b")])
    assert (second.status, second.counts["timeout"], second.common) == ("partial", 4, 96)
    assert second.metrics["mae"] < first.metrics["mae"] / 3
    assert (second.verdict, second.change) == ("same", 0.0)
    third = asked(bus, good, [asking(good, golden, "c")])[-1]
    assert (third.status, third.verdict, third.change) == ("complete", "same", 0.0)


def test_versions_that_change_in_the_middle_are_not_mixed(bus: EmbeddedBus, tmp_path: Path, server: Server) -> None:
    """Of a model whose messages name no version, that of the first row counts."""
    settings = settings_of(tmp_path, http(server, "good"))
    golden = prepared(bus, settings)
    [found] = asked(bus, settings, [asking(settings, golden, "now", "-")])
    assert (found.status, found.answered_by) == ("complete", "1")


def test_a_function_that_hangs_is_killed(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {"callable": {"function": "tests.golden.functions:hangs"}}, deadline="1s", within="2s")
    golden = prepared(bus, settings)
    [found] = asked(bus, settings, [asking(settings, golden, "now")])
    assert (found.status, found.counts["timeout"]) == ("failed", ROWS)


def test_a_turn_never_waits_for_a_model(bus: EmbeddedBus, tmp_path: Path, server: Server) -> None:
    settings = settings_of(tmp_path, http(server, "hang"), deadline="1s", within="2s")
    golden = prepared(bus, settings)
    ask(bus, settings, [asking(settings, golden, "now")])
    one = evaluator(bus, settings)
    turns = 0
    while not evaluations(bus, settings):
        one.turn(0.0)
        turns += 1
    one.close()
    assert turns > 10


def test_a_set_that_is_not_there_and_a_model_without_one_fail(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    golden = prepared(bus, settings)
    lost = asking(settings, golden, "a").model_copy(update={"golden": "sha256:" + "0" * 64})
    [found] = asked(bus, settings, [lost])
    assert (found.status, found.verdict) == ("failed", "unknown")
    assert found.reasons == {"the golden set is not in the artifact store, or cannot be read": 1}
    [other] = asked(bus, settings, [asking(settings, golden, "b", model="other")], "other")
    assert other.reasons == {"no golden set is configured for this model": 1}


def test_a_request_that_names_no_set_is_of_the_one_in_use(bus: EmbeddedBus, tmp_path: Path, server: Server) -> None:
    settings = settings_of(tmp_path, http(server, "good"))
    golden = prepared(bus, settings)
    [none] = asked(bus, settings, [asking(settings, None, "a")])
    assert (none.status, none.golden, none.reasons) == ("failed", None, {"the model has no golden set": 1})
    bus.publish([announced(settings, announcement(golden, 1_000, None, None))])
    first, second = asked(bus, settings, [asking(settings, None, "b"), asking(settings, golden, "c")])[1:]
    assert (first.golden, first.verdict) == (golden.hash, "first")
    assert second.against == first.request
    other = stored(settings, rows_of(20))
    bus.publish([announced(settings, announcement(other, 2_000, golden.hash, None))])
    assert asked(bus, settings, [asking(settings, None, "d")])[-1].golden == other.hash
    chosen = settings.models["m"].golden
    assert chosen is not None
    fixed = settings.models["m"].model_copy(update={"golden": chosen.model_copy(update={"set": golden.hash})})
    settings = settings.model_copy(update={"models": {"m": fixed}})
    assert asked(bus, settings, [asking(settings, None, "e")])[-1].golden == golden.hash


def test_where_none_is_configured_there_is_no_evaluator_and_no_topic(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, models=())
    assert not asked_for(settings)
    assert make(Making(bus, settings, ArtifactStore(settings.artifacts), wall_ms)) == []
    assert settings.topics.golden not in {topic.name for topic in own_topics(settings)}
    settings = settings_of(tmp_path)
    assert settings.topics.golden in {topic.name for topic in own_topics(settings)}


def test_strangers_cost_themselves(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    golden = prepared(bus, settings)
    request = asking(settings, golden, "now")
    place = place_of(settings, "m")
    record = output(settings, request)
    foreign = tuple((name, source("another").encode() if name == "ce_source" else value) for name, value in record.headers)
    bus.publish(
        [
            Output(place.topic, place.partition, b"x", b"garbage"),
            record._replace(headers=foreign, key=b"m/of-another/request/0/0"),
            record._replace(key=b"m/under-another/request/0/0"),
            record._replace(value=b"{}", key=b"m/empty/request/0/0"),
            Output(place.topic, place.partition, b"m/none/request/0/0", None),
            record,
        ]
    )
    assert len(asked(bus, settings, [request])) == 1
    letters = [event for events in everything(bus, settings.topics.dead_letter).values() for event in events]
    assert len(letters) == 3
    assert len(asked(bus, settings, [request])) == 1
    assert sum(map(len, everything(bus, settings.topics.dead_letter).values())) == 3, "they are told once"


def test_one_that_died_after_each_start_ends_as_failed(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    golden = prepared(bus, settings)
    request = asking(settings, golden, "now")
    started = [GoldenStarted(request=request.request, model="m", version="1", attempt=number) for number in (1, 2, 3)]
    ask(bus, settings, [request])
    bus.publish([output(settings, one) for one in started])
    [found] = asked(bus, settings, [request])
    assert found.reasons == {"whoever called the model died, each time": 1}


def test_a_large_set_is_answered_in_several_records(bus: EmbeddedBus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    golden = prepared(bus, settings, rows_of(20_000))
    request = asking(settings, golden, "now")
    [found] = asked(bus, settings, [request])
    assert (found.status, found.rows) == ("complete", 20_000)
    assert written(bus, settings)[request.request, "result"] == 2
    sizes = [len(event.value) for events in everything(bus, settings.topics.golden).values() for event in events]
    assert max(sizes) < 512 * 1024


def test_one_that_is_told_to_stop_uses_up_no_attempt(bus: EmbeddedBus, tmp_path: Path, server: Server) -> None:
    """It takes its start back: however often that happens, it is the first attempt that answers."""
    settings = settings_of(tmp_path, http(server, "hang"), deadline="60s", within="60s")
    golden = prepared(bus, settings)
    request = asking(settings, golden, "now")
    ask(bus, settings, [request])
    for _ in range(MOST_ATTEMPTS + 1):
        one = evaluator(bus, settings)
        while not one.totals()["golden_attempts"]:
            one.turn(0.01)
        one.close()
        assert not written(bus, settings)[request.request, "started"], "the embedded bus compacts at once"
    good = settings.model_copy(update={"models": settings_of(tmp_path, http(server, "good")).models})
    [found] = asked(bus, good, [])
    assert (found.request, found.attempt, found.status) == (request.request, 1, "complete")


def test_partitions_go_to_another_process_in_the_middle(bus: EmbeddedBus, tmp_path: Path, server: Server) -> None:
    """Who went took his start back; who comes begins the same attempt."""
    settings = settings_of(tmp_path, http(server, "hang"), deadline="60s", within="60s")
    golden = prepared(bus, settings)
    request = asking(settings, golden, "now")
    ask(bus, settings, [request])
    first = evaluator(bus, settings)
    while not written(bus, settings)[request.request, "started"]:
        first.turn(0.01)
    good = settings.model_copy(update={"models": settings_of(tmp_path, http(server, "good")).models})
    second = evaluator(bus.as_instance("two"), good)
    third = evaluator(bus.as_instance("three"), good)
    first.close()
    while not evaluations(bus, settings):
        second.turn(0.01)
        third.turn(0.01)
    [found] = evaluations(bus, settings)
    assert (found.attempt, found.status) == (1, "complete")
    second.close()
    third.close()


def test_models_in_two_partitions_are_asked_at_once(bus: EmbeddedBus, tmp_path: Path, server: Server) -> None:
    settings = settings_of(tmp_path, http(server, "hang"), models=("m", *"abcdefgh"), deadline="1s", within="1s")
    name = next(name for name in settings.models if place_of(settings, name) != place_of(settings, "m"))
    golden = prepared(bus, settings)
    other = stored(settings, model=name)
    ask(bus, settings, [asking(settings, golden, "now"), asking(settings, other, "now", model=name)])
    one = evaluator(bus, settings)
    turned(one, bus, settings, 1)
    assert len(evaluations(bus, settings, name)) == 1
    one.close()
