"""What the log says once a minute, and what Prometheus and an orchestrator are told: without ever holding up the consumers."""

import json
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.console import metrics
from driftbus.consumers.console.logs import Format, logs_to_stderr
from driftbus.consumers.console.metrics import MEASURES, Exposition, Told
from driftbus.consumers.console.numbers import Followed, numbers_of
from driftbus.consumers.console.observer import Observer, Reading, tell
from driftbus.consumers.console.serving import served
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.http_server import DEADLINE_S, MOST_AT_ONCE, ServingError
from driftbus.consumers.process.standing import Standing
from driftbus.schemas.configuration import Metrics

from ..streaming import configuration, prepare, reference, rows, send
from ..waiting import until

DOCS = Path(__file__).parents[2] / "docs"
A, B = TopicPartition("a", 0), TopicPartition("a", 1)
NUMBERS = {
    "profiler": {"rows": 1_234, "panes": 12, "dead_letters": 1, "partitions": 2, "behind_ms": 0},
    "detector": {"buckets": 6, "events": 1, "open_episodes": 1, "partitions": 8, "behind_ms": 2_500},
}


class Clock:
    """Seconds, as a test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """All roles, with traffic, one model of which drifts, read to its end."""
    chosen = configuration(artifacts=str(tmp_path))
    bus = EmbeddedBus(":memory:", "test", "one")
    prepare(bus, chosen, [reference("m0")])
    send(bus, rows(120, ["m0"], shifted=("m0", 60, 120)))
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    yield pipeline
    pipeline.close()
    bus.close()


def test_numbers_are_told_by_role(pipeline: Pipeline) -> None:
    numbers = numbers_of(pipeline, Followed())
    assert set(numbers) == {"profiler", "clerk", "detector", "diagnoser"}
    assert (numbers["profiler"]["rows"], numbers["profiler"]["partitions"], numbers["detector"]["partitions"]) == (480, 4, 8)
    assert (numbers["detector"]["events"], numbers["detector"]["open_episodes"]) == (1, 1)
    assert numbers["profiler"]["behind_ms"] == numbers["detector"]["behind_ms"] == 0
    assert {name for own in numbers.values() for name in own} <= {measure.number for measure in MEASURES}, "what is counted is told"


def test_how_far_behind_is_record_time_and_never_longer_than_it_was_not_at_the_end() -> None:
    wall = Clock()
    followed = Followed(lambda: int(wall.now * 1000))
    assert followed.behind(0, Standing({A: None, B: 40_000}, ())) == 0, "nobody knows yet how long"
    wall.now += 30
    assert followed.behind(0, Standing({A: None, B: 128_000}, ())) == 30_000
    assert followed.behind(0, Standing({A: None, B: 128_000}, [A])) == 2_000, "read as fast as it is written"
    assert followed.behind(0, Standing({A: None, B: 40_000}, [A])) == 30_000, "record time is old: a backlog"
    assert followed.behind(1, Standing({A: None}, ())) == 0, "another consumer's"
    assert followed.behind(0, Standing({A: None}, ())) == 0, "it was at its end a moment ago"


@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_line_a_minute(pipeline: Pipeline, form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    logs_to_stderr(form)
    clock = Clock()
    observer = Observer(clock)
    for second in range(150):
        clock.now = 100.0 + second
        observer(pipeline)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    said = f"480 rows, {pipeline.totals['panes']} panes, 12 buckets, 1 events, 0 dead letters, 1 episodes open, 22 partitions, 0 s behind"
    if form == "plain":
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z INFO {said}", lines[0])
    else:
        told = json.loads(lines[0])
        assert (told["message"], told["level"]) == (said, "info")
        assert (told["rows"], told["open_episodes"], told["behind_s"], told["roles"]) == (
            480,
            1,
            0,
            ["clerk", "detector", "diagnoser", "profiler"],
        )


def test_a_process_of_one_role_tells_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    logs_to_stderr()
    tell({"detector": NUMBERS["detector"]})
    assert "INFO 6 buckets, 1 events, 1 episodes open, 8 partitions, 2 s behind" in capsys.readouterr().err


@contextmanager
def asked(observer: Observer, deadline_s: float = DEADLINE_S, **settings: object) -> Iterator[str]:
    exposition = Exposition(Told(observer, "fraud-watch", "pod-0"))
    with served(Metrics.model_validate({"port": 0, **settings}), exposition.text, observer, deadline_s) as (host, port):
        yield f"http://{host}:{port}"


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_health_and_readiness() -> None:
    clock = Clock()
    observer = Observer(clock)
    with asked(observer, turn_within="10s", ready_within="2s") as url:
        assert get(f"{url}/readyz") == (503, "starting\n")
        assert get(f"{url}/healthz")[0] == 200
        observer.reading = Reading(NUMBERS, 77)
        status, text = get(f"{url}/readyz")
        assert (status, "detector: 8 partitions, 2 s behind" in text) == (503, True)
        observer.reading = Reading({**NUMBERS, "detector": {**NUMBERS["detector"], "behind_ms": 1_999}}, 77)
        assert get(f"{url}/readyz")[0] == 200
        clock.now += 2.5
        assert get(f"{url}/readyz") == (503, "the last turn ended 2 s ago: how far behind it is now is not known (metrics.ready_within)\n")
        observer.turned_at = clock.now
        assert get(f"{url}/readyz")[0] == 200
        observer.reading = Reading({**NUMBERS, "detector": {"partitions": 0, "behind_ms": 0}}, 77)
        assert get(f"{url}/readyz")[0] == 503
        clock.now += 11
        assert get(f"{url}/healthz") == (503, "the last turn ended 11 s ago; at most 10 s are well (metrics.turn_within)\n")
        observer.reading = Reading(NUMBERS, 77)
        status, text = get(f"{url}/metrics")
        assert status == 200
        assert 'driftbus_rows_total{role="profiler"} 1234.0' in text
        assert 'driftbus_behind_seconds{role="detector"} 2.5' in text
        assert "driftbus_turns_total 77.0" in text
        assert "driftbus_seconds_since_turn 11.0" in text
        assert re.search(r'driftbus_info\{application="fraud-watch",instance="pod-0",version=".+"\} 1.0', text)
        assert "process_resident_memory_bytes" in text
        assert get(f"{url}/other")[0] == 404
    with pytest.raises(URLError):
        urllib.request.urlopen(f"{url}/healthz", timeout=1)


def test_whoever_asks_waits_for_no_turn_and_no_turn_waits_for_them(pipeline: Pipeline) -> None:
    """A turn that hangs is answered for; somebody who connects and says nothing keeps neither turns nor others waiting."""
    observer = Observer()
    hanging, go_on = threading.Event(), threading.Event()

    def turns() -> None:
        observer(pipeline)
        hanging.set()
        go_on.wait(30)
        observer(pipeline)

    with asked(observer) as url:
        silent = [socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) for _ in range(20)]
        thread = threading.Thread(target=turns)
        thread.start()
        assert hanging.wait(30)
        assert get(f"{url}/healthz")[0] == get(f"{url}/readyz")[0] == get(f"{url}/metrics")[0] == 200
        go_on.set()
        thread.join(30)
        assert not thread.is_alive()
        for one in silent:
            one.close()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /met",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 90,
        b"\x16\x03\x01\x00",
        b"G" * 60_000,
    ],
    ids=["nothing", "half-a-line", "no-end-of-headers", "many-headers", "tls", "a-long-line"],
)
def test_slow_askers_are_bounded_in_number_and_keep_nobody_waiting(said: bytes) -> None:
    """Threads that have answered end by themselves, in their own time: what must hold soon is the bound, long before any deadline."""
    before = set(threading.enumerate())

    def bounded() -> bool:
        return len(set(threading.enumerate()) - before) <= MOST_AT_ONCE + 1

    with asked(Observer(), deadline_s=600) as url, ExitStack() as slow:
        for _ in range(4 * MOST_AT_ONCE):
            slow.enter_context(_asker(url, said))
        for place in ("healthz", "metrics", "other"):
            assert get(f"{url}/{place}")[0] == (404 if place == "other" else 200)
            until(bounded)


def test_somebody_who_says_a_little_at_a_time_is_left_in_the_end() -> None:
    """Each byte is in time, so that no time-out of the socket ever comes."""
    with asked(Observer(), deadline_s=0.1) as url, _asker(url, b"GET /metrics HTTP/1.1\r\n") as one:
        one.settimeout(0.01)
        deadline = time.monotonic() + 30
        while not _ended(one):
            assert time.monotonic() < deadline
    with asked(Observer(), deadline_s=0.1) as url, ExitStack() as stack:
        silent = [stack.enter_context(_asker(url, b"")) for _ in range(3)]
        assert [one.recv(1) for one in silent] == [b"", b"", b""]


def _asker(url: str, said: bytes) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30)
    with suppress(OSError):  # it was ended for a later one
        one.sendall(said)
    return one


def _ended(asker: socket.socket) -> bool:
    """Say one byte more; whether the other side has had enough."""
    try:
        asker.sendall(b"x")
        return asker.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_port_that_is_taken_says_what_to_change() -> None:
    said = r"write another metrics\.port, or 0 for any that is free"
    with asked(Observer()) as url, pytest.raises(ServingError, match=said), asked(Observer(), port=int(url.rpartition(":")[2])):
        pass


def test_it_is_served_to_this_machine_alone_unless_asked() -> None:
    assert Metrics().host == "127.0.0.1"
    assert configuration().metrics is None


def test_the_metrics_that_are_documented_are_those_that_are_told() -> None:
    written = (DOCS / "metrics.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in written if line.startswith("|")] == metrics.table()
    told = Exposition(Told(Observer(), "a", "b")).text().decode()
    documented = {line.split("`")[1].removesuffix("_total") for line in metrics.table()[2:]}
    assert set(re.findall(r"^# HELP (driftbus_\w+?)(?:_total)? ", told, re.MULTILINE)) == documented
