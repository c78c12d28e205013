"""Label Studio's JSON, as a real server has said it (`tests.review.label_studio --record`), to answers; and what is sent to it."""

import copy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.desk import label_studio
from driftbus.consumers.desk.asking import Choice, Question, Questions
from driftbus.consumers.desk.desk import Desk
from driftbus.consumers.desk.label_studio_server import Delivered, Delivery, LabelStudioError, Project
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.messages.review import ReviewAnswer

from . import cases
from .cases import MODEL, answers, request, requests

RECORDED = json.loads((Path(__file__).parent / "label_studio.json").read_text())
ASKED = [*(request(place, group="g") for place in (0, 1, 2)), *requests(8)[3:]]
Work = tuple[Desk, Questions, Bus]


@contextmanager
def desk(folder: Path) -> Iterator[Work]:
    configured = cases.configuration(folder)
    with cases.asked(configured, ASKED) as bus:
        made = Desk(bus, configured, MODEL)
        made.refresh()
        yield made, Questions(configured, ArtifactStore(str(folder)), made, cases.TOPICS), bus


class Replayed(ThreadingHTTPServer):
    """What the real server said, and what it was sent."""

    def __init__(self, tasks: list[dict[str, Any]]) -> None:
        self.tasks, self.sent = tasks, list[dict[str, Any]]()
        self.status = 200
        self.page: Any = ...  #: in place of the tasks
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def project(self) -> Project:
        """It, as driftbus knows it."""
        return Project(f"http://127.0.0.1:{self.server_address[1]}", 1, "t" * 40)


class Handler(BaseHTTPRequestHandler):
    server: Replayed

    def do_GET(self) -> None:
        listed = {"tasks": self.server.tasks if "page=1&" in self.path else []}
        self._says(listed if self.server.page is ... else self.server.page)

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if isinstance(sent, list):  # else for an access token
            self.server.sent += sent
        self._says({"task_count": 1})

    def _says(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def replayed(tasks: list[dict[str, Any]]) -> Iterator[Replayed]:
    with Replayed(tasks) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_what_was_annotated_comes_back_once(tmp_path: Path) -> None:
    with desk(tmp_path) as (made, questions, bus), replayed(RECORDED["tasks"]["tasks"]) as server:
        assert Delivery(made, questions, server.project).round() == Delivered(tasks=0, answers=6, unread=0)
        assert Delivery(made, questions, server.project).round() == Delivered(tasks=0, answers=0, unread=0)
        found = {(one.label, one.skipped, one.reviewer) for one in answers(bus, cases.configuration(tmp_path))}
        labels = {("refund", None), ("account", None), ("other", None), (None, label_studio.SKIPPED)}
        assert found == {(*said, "label-studio/1") for said in labels}
        read = list(label_studio.answers(RECORDED["export"], made, questions))
        assert made.publish([one for one in read if isinstance(one, ReviewAnswer)], newer=True) == 0  # the export says the same
        assert len(read) == 6


def test_tasks_are_those_that_the_real_server_took(tmp_path: Path) -> None:
    with desk(tmp_path) as (made, questions, _), replayed([]) as server:
        delivery = Delivery(made, questions, server.project)
        server.status = 500
        with pytest.raises(LabelStudioError, match="HTTP 500"):
            delivery.round()
        server.status = 200
        assert delivery.round() == Delivered(tasks=6, answers=0, unread=0)
        assert delivery.round().tasks == 0  # though the server has not yet made them

        def by_cases(tasks: list[dict[str, Any]]) -> dict[Any, Any]:
            datas = [one["data"] for one in tasks]
            return {frozenset(data["cases"]): data if len(data["cases"]) == 1 else set(data) for data in datas}

        assert by_cases(server.sent) == by_cases(RECORDED["tasks"]["tasks"])
        server.tasks = [{"id": place, "annotations": [], **one} for place, one in enumerate(server.sent[:4])]
        assert Delivery(made, questions, server.project).round().tasks == 2  # another process, after one that died midway


@pytest.mark.parametrize("token", ["s3cret\nX-Other: 1", "s3cret\u2026", "s3 cret", "s3cret\0", ""])
def test_a_token_that_is_none_is_refused_and_never_repeated(token: str) -> None:
    with pytest.raises(LabelStudioError, match="--token: ") as told:
        Project("http://127.0.0.1:8080", 1, token)
    assert "s3" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["http://h:99999", "http://h:x", "http://[::1", "http://ann:s3cret@h", "ftp://ann:s3cret@h", "h:8080", "http://h/\u00e9", ""]
)
def test_an_address_that_is_none_is_refused_without_what_is_secret_in_it(url: str) -> None:
    with pytest.raises(LabelStudioError, match="--url: ") as told:
        Project(url, 1, "t")
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://[2001:db8::5]", ("2001:db8::5", 80)),
        ("https://[2001:db8::5]/studio", ("2001:db8::5", 443)),
        ("http://[::1]:8080", ("::1", 8080)),
        ("https://studio.example", ("studio.example", 443)),
    ],
)
def test_the_end_of_an_address_is_no_port(monkeypatch: pytest.MonkeyPatch, url: str, place: tuple[str, int]) -> None:
    asked = list[tuple[str, int]]()

    def looked_up(name: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append((name, port))
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with pytest.raises(LabelStudioError):
        list(Project(url, 1, "t").tasks())
    assert set(asked) == {place}


def test_what_would_travel_in_clear_is_known() -> None:
    assert Project("http://studio.example", 1, "t").in_clear
    assert not any(Project(url, 1, "t").in_clear for url in ("https://studio.example", "http://127.0.0.1:8080", "http://[::1]:8080"))


@pytest.mark.parametrize("page", [[], None, 5, {}, {"tasks": 1}, {"tasks": [1]}, {"tasks": [{"id": 1}]}, {"tasks": [{"data": []}]}])
def test_another_server_is_told_as_such(tmp_path: Path, page: Any) -> None:
    with desk(tmp_path) as (made, questions, _), replayed([]) as server:
        server.page = page
        for token in ("t" * 40, "a.b.c"):
            with pytest.raises(LabelStudioError, match="is --url that of the server itself"):
                Delivery(made, questions, Project(f"http://127.0.0.1:{server.server_address[1]}", 1, token)).round()


def test_the_one_who_annotated_last_holds(tmp_path: Path) -> None:
    one = copy.deepcopy(next(task for task in RECORDED["export"] if not task["annotations"][0]["was_cancelled"]))
    older = copy.deepcopy(one["annotations"][0])
    older |= {"id": 99, "updated_at": "2020-01-01T00:00:00Z"}
    older["result"][0]["value"]["choices"] = ["other"]
    one["annotations"] = [one["annotations"][0], older, older | {"completed_by": {"id": 7, "email": "ben@example.com"}}]
    with desk(tmp_path) as (made, questions, _):
        found = [said for said in label_studio.answers([one], made, questions) if isinstance(said, ReviewAnswer)]
        by_person = {said.reviewer: said.label for said in found}
        right = one["annotations"][0]["result"][0]["value"]["choices"][0]
        assert by_person == {"label-studio/1": right, "label-studio/7": "other"}


_PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
_JSON = st.recursive(_PLAIN, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    with desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 40), value=_JSON)
def test_a_damaged_export_stops_nothing(work: Work, place: int, value: object) -> None:
    damaged = copy.deepcopy(RECORDED["export"])
    places = list(_places(damaged[0]))
    holder, key = places[place % len(places)]
    holder[key] = value
    for said in label_studio.answers(damaged, *work[:2]):
        assert isinstance(said, ReviewAnswer) or said.why


def _places(node: Any) -> Iterator[tuple[Any, Any]]:  # JSON
    for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(child, dict | list):
            yield from _places(child)


def test_the_interface_is_xml_whatever_labels_are_called() -> None:
    names = ["a\"b'", "<c>", "d&e", "\u202ef"]
    made = label_studio.interface(Question("?", "category", tuple(Choice(name, name) for name in names)))
    assert made.count("<Choice ") == 4
    assert "<c>" not in made
    assert "\u202e" not in made
    assert "<Number " in label_studio.interface(Question("?", "number"))
