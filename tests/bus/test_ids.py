"""The ids that processes have on Kafka: names joined by a sign that they may hold."""

import itertools

import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.open import coinciding
from driftbus.consumers.command.main import main
from driftbus.schemas.configuration import Configuration


def configured(instance: str, *streams: str, bus: str = "kafka") -> Configuration:
    return Configuration.model_validate(
        {"application": "a", "bus": bus, "instance": instance, "streams": {name: {"topics": ["t"]} for name in streams}}
    )


@pytest.mark.parametrize(
    ("instance", "streams", "both"),
    [
        ("i-x", ("s", "s-i"), ("streams.s ", "streams.s-i ")),
        ("i-x", ("s-i", "s"), ("streams.s ", "streams.s-i ")),
        ("prod-0", ("fraud", "fraud-prod"), ("streams.fraud ", "streams.fraud-prod ")),
        ("i-j-x", ("s-i", "s-i-j", "s-i-j-k"), None),
        ("j-x", ("s-i", "s-i-j", "s-i-j-k"), ("streams.s-i ", "streams.s-i-j ")),
        ("j-k-x", ("s-i", "s-i-j", "s-i-j-k"), ("streams.s-i ", "streams.s-i-j ")),
        ("x", ("s", "s-i"), None),
        ("i", ("s", "s-i"), None),
        ("ix", ("s", "s-i", "si"), None),
        ("i-x", ("s", "t-i"), None),
        ("i-x", ("s-i",), None),
    ],
)
def test_two_processes_with_one_id_are_refused_by_the_one_that_can_tell(
    instance: str, streams: tuple[str, ...], both: tuple[str, str] | None
) -> None:
    told = coinciding(configured(instance, *streams))
    assert (told is None) == (both is None)
    assert all(key in (told or "") for key in both or ())
    assert coinciding(configured(instance, *streams, bus="embedded")) is None, "its groups know members apart"


def test_whatever_the_names_are_no_two_that_start_have_one_id() -> None:
    parts = ["a", "b", "a-b", "b-a", "a-a", "b-a-b"]
    started = [(stream, name) for stream, name in itertools.product(parts, parts) if coinciding(configured(name, *parts)) is None]
    assert len({f"{stream}-{name}" for stream, name in started}) == len(started) > 0


def test_a_run_says_which_keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("ids") / "driftbus.yaml"
    file.write_text(
        "application: a\ninstance: i-x\nkafka: {bootstrap.servers: 'localhost:1'}\nstreams: {s: {topics: [t]}, s-i: {topics: [t]}}\n"
    )
    told = CliRunner().invoke(main, ["run", "--config", str(file)])
    assert told.exit_code == 1
    assert "instance: i-x with streams.s has the id a-profiler-s-i-x, which is also that of streams.s-i with instance x" in told.output
