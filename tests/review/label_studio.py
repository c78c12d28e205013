"""A real Label Studio: ``python -m tests.review.label_studio``. From requests to tasks, annotations, answers.

It makes an environment of its own (340 MB, once), starts a server on the loopback interface, and works there as people do, by its API.
"""

import argparse
import json
import secrets
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from driftbus.consumers.command.main import main as driftbus
from driftbus.schemas.messages.review import ReviewAnswer

from .. import others
from . import cases
from .cases import MODEL, answers, request, requests

LABEL_STUDIO = "label-studio==1.23.2"
EMAIL = "anna@example.com"
_QUIET = {
    "SSRF_PROTECTION_ENABLED": "false",
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "PYTHONPATH": "",
}
Tasks = list[dict[str, Any]]


class Server(NamedTuple):
    """One that runs."""

    url: str
    token: str

    def asks(self, method: str, path: str, body: object = None) -> Any:  # JSON
        """Its answer."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, sent, headers, method=method), timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server with an account."""
    programs, port = others.environment(".venv-label-studio", LABEL_STUDIO) / "bin", others.free_port()
    token = secrets.token_hex(20)
    words = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port), "--data-dir", str(folder / "data")]
    words += ["--username", EMAIL, "--password", secrets.token_hex(12), "--user-token", token, "--enable-legacy-api-token"]
    server = Server(f"http://127.0.0.1:{port}", token)
    with others.running([programs / "label-studio", *words], folder, _QUIET, lambda: server.asks("GET", "/api/projects/")):
        yield server


def annotated(server: Server, task: dict[str, Any], name: str) -> None:
    """Somebody answers a task."""
    result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [name]}}]
    server.asks("POST", f"/api/tasks/{task['id']}/annotations/", {"result": result, "lead_time": 3.1})


def says(folder: Path, *words: str, token: str = "", code: int = 0) -> str:
    """What a command answers."""
    told = CliRunner(env={"LABEL_STUDIO_TOKEN": token}).invoke(driftbus, ["review", *words, "-c", str(folder / "driftbus.yaml")])
    assert told.exit_code == code, told.output + repr(told.exception)
    return told.output


def round_trip(server: Server, folder: Path, record: Path | None) -> None:
    """Deliver, annotate, skip, correct, deliver."""
    labels = [word for name in cases.TOPICS for word in ("--label", name)]
    configured = cases.configuration(folder)
    alike = [request(place, group="g") for place in (0, 1, 2)]
    with cases.asked(configured, [*alike, *requests(8)[3:]]) as bus:
        project = server.asks("POST", "/api/projects/", {"title": "support"})["id"]
        deliver = ["deliver", MODEL, "--url", server.url, "--project", str(project), "--once", *labels]
        assert says(folder, *deliver, "--set-interface", token=server.token) == "6 tasks brought, 0 answers published\n"
        assert says(folder, *deliver, token=server.token) == "0 tasks brought, 0 answers published\n"
        tasks: Tasks = server.asks("GET", f"/api/tasks?project={project}&fields=all")["tasks"]
        group = next(one for one in tasks if len(one["data"]["cases"]) == 3)
        others = [one for one in tasks if one is not group]
        annotated(server, group, "refund")
        annotated(server, others[0], "card")
        server.asks("POST", f"/api/tasks/{others[1]['id']}/annotations/", {"result": [], "was_cancelled": True})
        assert says(folder, *deliver, token=server.token) == "0 tasks brought, 5 answers published\n"
        assert says(folder, *deliver, token=server.token) == "0 tasks brought, 0 answers published\n"
        found = answers(bus, configured)
        assert {(one.label, one.skipped, one.reviewer) for one in found} == {
            ("refund", None, "label-studio/1"),
            ("card", None, "label-studio/1"),
            (None, "skipped in Label Studio", "label-studio/1"),
        }
        assert sum(one.label == "refund" for one in found) == 3, "near-duplicates are one task, and an answer each"
        corrected = server.asks("GET", f"/api/tasks/{others[0]['id']}/")["annotations"][0]
        corrected["result"][0]["value"]["choices"] = ["account"]
        server.asks("PATCH", f"/api/annotations/{corrected['id']}/", {"result": corrected["result"]})
        annotated(server, others[2], "other")
        exported = server.asks("GET", f"/api/projects/{project}/export?exportType=JSON")
        (folder / "export.json").write_text(json.dumps(exported))
        if record is not None:
            pages = {"tasks": server.asks("GET", f"/api/tasks?project={project}&fields=all&page=1&page_size=100")}
            pages["export"] = exported
            record.write_text(json.dumps(pages, indent=1, ensure_ascii=False) + "\n")
        assert says(folder, "import", str(folder / "export.json"), *labels).startswith("2 answers published")
        assert says(folder, "import", str(folder / "export.json"), *labels).startswith("0 answers published")
        print("by the API after the import:", says(folder, *deliver, token=server.token).strip())
        last: dict[str, ReviewAnswer] = {one.case: one for one in answers(bus, configured)}
        assert last[others[0]["data"]["event_id"]].label == "account", "the later one holds"
        access_token(server, folder, deliver)
        problem = says(folder, *deliver, token="wrong", code=1)
        assert "HTTP 401; is the token right" in problem, problem
        wrong = ["--project" if word == "--project" else str(project + 9) if word == str(project) else word for word in deliver]
        assert "HTTP 404" in says(folder, *wrong, "--set-interface", token=server.token, code=1)


def access_token(server: Server, folder: Path, deliver: list[str]) -> None:
    """Newer accounts have tokens that must be refreshed."""
    server.asks("POST", "/api/jwt/settings", {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
    token = server.asks("POST", "/api/token/")["token"]
    assert says(folder, *deliver, token=token) == "0 tasks brought, 0 answers published\n"


def main() -> None:
    """Go there and back."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--record", type=Path, help="a file for what the server answers")
    record = arguments.parse_args().record
    with tempfile.TemporaryDirectory() as temporary:
        started = time.monotonic()
        with running(Path(temporary)) as server:
            print(f"{LABEL_STUDIO} answers after {time.monotonic() - started:.0f} s")
            round_trip(server, Path(temporary), record)
    print(f"round trip: 8 cases, 6 tasks, answers by annotation, skip, correction, export; {time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
