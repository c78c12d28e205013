"""Every way of asking, and servers and functions that hang, drip, lie and die: an answer by the deadline, or why there is none."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.golden.asking import Asked, Batch, Caller, Erred, Invalid, Replies, TimedOut
from driftbus.consumers.golden.kserve import KServeCaller, inputs
from driftbus.consumers.golden.plain_http import PlainHTTPCaller
from driftbus.consumers.golden.python_callable import PythonCaller
from driftbus.schemas.configuration.golden import KServe, PlainHTTP, PythonCallable
from driftbus.schemas.stored.golden import GoldenRow

from .servers import Server, elapsed, serving

#: Of a call that is not answered; of one that is; and what a busy machine may take on top.
DEADLINE_S, LONG_S, SLACK_S = 0.6, 20.0, 5.0
FUNCTIONS = "tests.golden.functions"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def batch(rows: int = 3, **more: Any) -> Batch:
    features = [{"right": float(number), **more} for number in range(rows)]
    return Batch(
        Asked("5f0c", 2, "m", "1"), 40, [GoldenRow(id=f"{number}", features=one, label=0.0) for number, one in enumerate(features)]
    )


def asked(caller: Caller, batch_: Batch, seconds: float = LONG_S, *, once: bool = True) -> Replies:
    began = time.monotonic()
    try:
        return caller.ask(batch_, began + seconds)
    finally:
        assert elapsed(began) < seconds + SLACK_S
        if once:
            caller.close()


def kserve(server: Server, manner: str, **settings: Any) -> KServeCaller:
    return KServeCaller(KServe(url=f"{server.address}/{manner}", **settings))


def many(server: Server, manner: str) -> PlainHTTPCaller:
    settings = {"template": {"instances": "{rows}", "ids": "{ids}"}, "answer": "predictions", "version": "version"}
    return PlainHTTPCaller(PlainHTTP.model_validate({"url": f"{server.address}/{manner}", **settings}))


def single(server: Server, manner: str) -> PlainHTTPCaller:
    return PlainHTTPCaller(PlainHTTP.model_validate({"url": f"{server.address}/{manner}", "version": "version"}))


def test_v2_asks_a_batch_and_reads_its_answers(server: Server) -> None:
    found = asked(kserve(server, "good"), batch())
    assert found == Replies([0.0, 1.0, 2.0], ["1"] * 3)
    path, body, header = server.calls[-1]
    assert path == "/good/v2/models/m/versions/1/infer"
    assert body["id"] == header == "driftbus-golden/5f0c/2/40"
    assert body["inputs"] == [{"name": "right", "shape": [3], "datatype": "FP64", "data": [0.0, 1.0, 2.0]}]


def test_v2_names_the_model_as_its_server_does(server: Server) -> None:
    asked(kserve(server, "good", model="a/b", versioned=False), batch())
    assert server.calls[-1][0] == "/good/v2/models/a%2Fb/infer"


def test_v2_inputs_have_types() -> None:
    rows = [
        GoldenRow(id="a", features={"b": True, "i": 1, "f": 1, "t": "x", "v": [1.0, 2.0], "n": None}, label=0),
        GoldenRow(id="b", features={"b": False, "i": 2, "f": 1.5, "t": None, "v": [3.0, 4.0]}, label=0),
    ]
    found = {str(one["name"]): (one["datatype"], one["shape"], one["data"]) for one in inputs(rows, None)}
    assert found == {
        "b": ("BOOL", [2], [True, False]),
        "i": ("INT64", [2], [1, 2]),
        "f": ("FP64", [2], [1, 1.5]),
        "t": ("BYTES", [2], ["x", None]),
        "v": ("FP64", [2, 2], [1.0, 2.0, 3.0, 4.0]),
        "n": ("FP64", [2], [None, None]),
    }
    [matrix] = inputs([GoldenRow(id="a", features={"y": 2, "x": 1}, label=0)], "input")
    assert matrix == {"name": "input", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}


def test_a_template_asks_row_by_row_or_many(server: Server) -> None:
    assert asked(single(server, "good"), batch()) == Replies([0.0, 1.0, 2.0], ["1"] * 3)
    assert [call[2] for call in server.calls[-3:]] == [f"driftbus-golden/5f0c/2/{row}" for row in (40, 41, 42)]
    assert asked(many(server, "good"), batch()) == Replies([0.0, 1.0, 2.0], ["1"] * 3)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(server: Server) -> None:
    caller = single(server, "fresh")
    for _ in range(5):
        assert asked(caller, batch(1), once=False).values == [0.0]
    caller.close()


@pytest.mark.parametrize("manner", ["hang", "drip", "drip-head"])
@pytest.mark.parametrize("way", [kserve, many])
def test_what_is_too_slow_has_timed_out(server: Server, way: Any, manner: str) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut):
        asked(way(server, manner), batch(), DEADLINE_S)
    assert elapsed(began) >= DEADLINE_S * 0.9


@pytest.mark.parametrize("manner", ["hang", "drip"])
def test_each_row_by_itself_has_timed_out(server: Server, manner: str) -> None:
    found = asked(single(server, manner), batch(), DEADLINE_S)
    assert [type(one) for one in found.values] == [TimedOut] * 3


BAD = {
    "500": Erred,
    "404": Erred,
    "redirect": Erred,
    "die": Erred,
    "vanish": Erred,
    "nonsense": Invalid,
    "deep": Invalid,
    "empty": Invalid,
    "few": Invalid,
    "huge": Invalid,
}


@pytest.mark.parametrize("manner", BAD)
@pytest.mark.parametrize("way", [kserve, many])
def test_a_bad_answer_is_none_and_its_reason_is_ours(server: Server, way: Any, manner: str) -> None:
    with pytest.raises(BAD[manner]) as told:
        asked(way(server, manner), batch())
    assert str(told.value).isprintable()
    assert "31m" not in str(told.value)


def test_a_redirect_is_not_followed(server: Server) -> None:
    server.calls.clear()
    with pytest.raises(Erred, match="HTTP 307"):
        asked(kserve(server, "redirect"), batch())
    assert len(server.calls) == 1


def test_an_answer_to_another_request_is_none(server: Server) -> None:
    with pytest.raises(Invalid, match="another request"):
        asked(kserve(server, "other-id"), batch())


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(Erred, match="refused"):
        asked(KServeCaller(KServe(url="http://127.0.0.1:1")), batch())


def test_what_is_under_way_can_be_cut(server: Server) -> None:
    caller = kserve(server, "hang")
    threading.Timer(0.2, caller.cut).start()
    with pytest.raises(TimedOut):
        asked(caller, batch())


def python(name: str) -> PythonCaller:
    return PythonCaller(PythonCallable(function=f"{FUNCTIONS}:{name}"), 30.0)


@pytest.mark.parametrize("name", ["right", "as_array", "prints"])
def test_a_function_answers(name: str) -> None:
    caller = python(name)
    for _ in range(2):
        assert asked(caller, batch(), once=False).values == [0.0, 1.0, 2.0]
    caller.close()


@pytest.mark.parametrize(
    ("name", "error"), [("hangs", TimedOut), ("spins", TimedOut), ("dies", Erred), ("raises", Erred), ("few", Invalid), ("nothing", Erred)]
)
def test_a_function_that_does_not_answer(name: str, error: type[Exception]) -> None:
    caller = python(name)
    with pytest.raises(error) as told:
        asked(caller, batch(), 1.5 if error is TimedOut else 9.0)
    assert "31m" not in str(told.value)
    caller.close()


def test_a_function_that_dies_is_not_started_for_ever() -> None:
    caller = python("dies")
    began = time.monotonic()
    for _ in range(10):
        with pytest.raises(Erred):
            asked(caller, batch(), once=False)
    assert elapsed(began) < 30
    caller.close()


def test_what_a_function_has_started_dies_with_it(tmp_path: Path) -> None:
    caller, note = python("nested"), tmp_path / "pid"
    with pytest.raises(TimedOut):
        asked(caller, batch(note=str(note)), 3.0)
    caller.close()
    deadline = time.monotonic() + SLACK_S
    while _lives(int(note.read_text())):
        assert time.monotonic() < deadline


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_function_can_be_cut() -> None:
    caller = python("hangs")
    threading.Timer(1.0, caller.cut).start()
    with pytest.raises(TimedOut):
        asked(caller, batch())
    caller.close()
