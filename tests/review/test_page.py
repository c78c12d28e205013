"""The page's server: what it shows, what becomes of an answer, and who may not give one."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.desk.asking import Questions
from driftbus.consumers.desk.desk import Desk
from driftbus.consumers.desk.page import Page, served
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.review import ReviewRequest

from . import cases
from .cases import MODEL, QUESTIONS, SLOT, answers, request, requests, slots

NOW = SLOT + 1_000_000


class Shown(NamedTuple):
    """A page that is served."""

    address: str
    bus: Bus
    configuration: Configuration

    def asks(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any, http.client.HTTPMessage]:  # JSON
        """Its answer: status, content, headers."""
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path if path.startswith("//") else parts.path + path, sent, own | headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, json.loads(content) if content[:1] in b"{[" and content else content, response.headers

    def answers(self, body: object, **headers: str) -> tuple[int, Any]:
        """What becomes of an answer."""
        status, said, _ = self.asks("POST", "answer", body, **headers)
        return status, said

    @property
    def state(self) -> Any:  # JSON
        """What it shows."""
        return self.asks("GET", "state")[1]


@contextmanager
def shown(
    folder: Path, said: list[ReviewRequest], drifting: tuple[str, ...] = (), names: tuple[str, ...] = cases.TOPICS, **labels: Any
) -> Iterator[Shown]:
    configured = cases.configuration(folder, **labels)
    with cases.asked(configured, [*said, *slots(said, drifting)]) as bus, page_of(configured, bus, MODEL, names) as page:
        yield page


@contextmanager
def page_of(configured: Configuration, bus: Bus, model: str, names: tuple[str, ...] = ()) -> Iterator[Shown]:
    """The page of a model, turned by a thread of its own."""
    desk = Desk(bus, configured, model)
    page = Page(desk, Questions(configured, ArtifactStore(configured.artifacts), desk, names), "anna", model)
    ends = threading.Event()

    def turn() -> None:
        while not ends.is_set():
            page.turn(0.02)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        with served(page, 0) as address:
            yield Shown(address, bus, configured)
    finally:
        ends.set()
        thread.join()


def test_a_case_is_shown_answered_and_taken_back(tmp_path: Path) -> None:
    with shown(tmp_path, requests(3)) as page:
        state = page.state
        assert (state["done"], state["left"], state["undoable"], state["reviewer"]) == (0, 3, False, "anna")
        case = state["case"]["case"]
        status, after = page.answers({"cases": [case], "label": "card", "answered": NOW})
        assert (status, after["done"], after["left"], after["undoable"]) == (200, 1, 2, True)
        assert after["case"]["case"] != case
        assert page.answers({"cases": [case], "label": "card", "answered": NOW}) == (200, after)  # tried again
        assert [(one.case, one.label) for one in answers(page.bus, page.configuration)] == [(case, "card")]
        back = page.asks("POST", "undo", {"answered": NOW + 1})[1]
        assert (back["case"]["case"], back["done"], back["left"]) == (case, 0, 3)


def test_it_says_why_and_hides_nothing_that_acts(tmp_path: Path) -> None:
    one = request(2, shown={"q": QUESTIONS[3], "n\u202ea": True, "x": None, "z": 0.25}, score=0.4, segment="app", again=True)
    with shown(tmp_path, [one], drifting=("app",)) as page:
        case = page.state["case"]
        assert [kind for kind, _ in case["why"]] == ["unlike", "drifting", "uncertain", "second"]
        assert "\u202e" not in json.dumps(case, ensure_ascii=False)
        assert case["texts"][0][1].startswith("\\u202eytefas")
        assert case["fields"] == [["n\\u202ea", "true"], ["x", None], ["z", "0.25"]]


@pytest.mark.parametrize(
    ("labels", "right", "wrong"),
    [
        ({"outcome": "category"}, ["card", "other"], ["nothing", True, 1, None]),
        ({"outcome": "binary"}, [True, False], ["yes", 1, 0]),
        ({"outcome": "binary", "positive": "fraud"}, ["fraud", False], ["x", True, 1]),
        ({"outcome": "number"}, [1, 2.5, -1e9], ["1", True, 10**400, -(10**4_000)]),
    ],
)
def test_only_what_is_asked_for_can_be_answered(tmp_path: Path, labels: dict[str, Any], right: list[Any], wrong: list[Any]) -> None:
    names = cases.TOPICS if labels["outcome"] == "category" else ()
    with shown(tmp_path, requests(4), names=names, **labels) as page:
        for label in wrong:
            status, said = page.answers({"cases": [page.state["case"]["case"]], "label": label, "answered": NOW})
            assert (status, "error" in said) == (422, True)
        for place, label in enumerate(right):
            assert page.answers({"cases": [page.state["case"]["case"]], "label": label, "answered": NOW + place})[0] == 200
        assert [one.label for one in answers(page.bus, page.configuration)] == right


def test_what_is_no_answer_is_refused(tmp_path: Path) -> None:
    bodies: list[object] = [b"", b"{", b"[]", b"\xff", {}, {"cases": [], "answered": 1}, {"cases": "x", "answered": 1}]
    bodies += [{"cases": ["x"], "answered": answered, "label": "card"} for answered in (-1, 1, 10**15, 1.5, None)]
    with shown(tmp_path, requests(1)) as page:
        bodies.append({"cases": [page.state["case"]["case"]], "answered": NOW, "label": "card", "reviewer": "ben"})
        for body in bodies:
            assert page.answers(body)[0] == 422
        assert page.state["left"] == 1


def test_nobody_else_may_ask_or_answer(tmp_path: Path) -> None:
    with shown(tmp_path, requests(1)) as page:
        body = {"cases": [page.state["case"]["case"]], "label": "card", "answered": NOW}
        host = urlsplit(page.address).netloc
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            assert page.answers(body, **headers)[0] == 403
        assert page.answers(body, Host="evil.example")[0] == 421
        assert page.asks("GET", "", Host=f"evil.example:{urlsplit(page.address).port}")[0] == 421
        assert page.answers(json.dumps(body).encode(), **{"Content-Type": "text/plain"})[0] == 415
        assert page.answers(b" " * 70_000)[0] == 413
        for path in ("//", "//state", "//x/state", "///state"):
            assert page.asks("GET", path)[0] == 404
        assert page.asks("GET", "../page.css")[0] == 404
        assert page.asks("GET", "answer")[0] == 404
        assert page.asks("POST", "state", body)[0] == 404
        assert page.asks("PUT", "answer", body)[0] == 501
        assert answers(page.bus, page.configuration) == []
        assert page.answers(body, Origin=f"http://{host}", **{"Sec-Fetch-Site": "same-origin"})[0] == 200


def test_the_page_needs_nothing_from_anywhere(tmp_path: Path) -> None:
    with shown(tmp_path, requests(1)) as page:
        for path, kind in (("", "text/html"), ("page.css", "text/css"), ("page.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
            status, content, headers = page.asks("GET", path)
            assert (status, headers.get_content_type()) == (200, kind)
            assert not re.search(rb"https?:|[\"'(]//|@import|url\(|eval\(", content.replace(b"http://www.w3.org/2000/svg", b""))
            assert b"innerHTML" not in content
            assert b"style=" not in content
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy


def test_groups_are_answered_at_one_go(tmp_path: Path) -> None:
    with shown(tmp_path, [request(place, group="g") for place in range(3)]) as page:
        case = page.state["case"]
        assert len(case["others"]) == 2
        after = page.answers({"cases": [case["case"], *(other for other, _ in case["others"])], "label": "card", "answered": NOW})[1]
        assert (after["done"], after["left"], after["case"]) == (3, 0, None)
        assert len(answers(page.bus, page.configuration)) == 3
