"""A registry of models as a MLflow server answers (3.17.2, measured): a missing alias is 400, setting is idempotent, creating is not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..loopback import Loopback, Silent

Answer = tuple[int, dict[str, Any]]
_API = "/api/2.0/mlflow/"


class Registry(Loopback):
    """Models, their versions and aliases."""

    def __init__(self, cuts: int = 0) -> None:
        """``cuts``: one line in so many is cut, when what was asked for has been done."""
        super().__init__(_Handler)
        self.cuts, self.cut = cuts, 0
        self.models: dict[str, list[dict[str, Any]]] = {}
        self.aliases: dict[str, dict[str, str]] = {}
        self.calls: list[tuple[str, str]] = []
        self.moved: list[tuple[str, str, str]] = []  #: model, alias, version, each time that it changed
        self.away = False  #: it answers 503
        self.headers: list[str | None] = []
        self.changing = threading.Lock()

    def versions(self, model: str) -> list[dict[str, str]]:
        """The tags of each, in their order."""
        return [{tag["key"]: tag["value"] for tag in one["tags"]} for one in self.models.get(model, [])]


class _Handler(Silent, BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:  # as the library calls it
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self._answer(asked)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    do_DELETE = do_POST  # noqa: N815

    def _answer(self, asked: dict[str, Any]) -> None:
        path = urlsplit(self.path).path.removeprefix(_API)
        with self.server.changing:
            self.server.calls.append((self.command, path))
            self.server.headers.append(self.headers.get("Authorization"))
            status, said = (503, {}) if self.server.away else _said(self.server, f"{self.command} {path}", asked)
            cut = self.server.cuts and not len(self.server.calls) % self.server.cuts
            self.server.cut += bool(cut)
        if cut:
            self.close_connection = True
            return
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _said(server: Registry, call: str, asked: dict[str, Any]) -> Answer:
    if call == "GET model-versions/search":
        return _searched(server, asked["filter"])
    name = asked["name"]
    if call == "POST registered-models/create":
        if name in server.models:
            return 400, {"error_code": "RESOURCE_ALREADY_EXISTS"}
        server.models[name], server.aliases[name] = [], {}
        return 200, {"registered_model": {"name": name}}
    if name not in server.models:
        return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
    versions, aliases = server.models[name], server.aliases[name]
    if call == "POST model-versions/create":
        if ":" not in asked["source"] or asked["source"].startswith("file:"):
            return 400, {"error_code": "INVALID_PARAMETER_VALUE"}
        versions.append({"name": name, "version": str(len(versions) + 1), "source": asked["source"], "tags": list(asked["tags"])})
        return 200, {"model_version": versions[-1]}
    if call == "POST model-versions/set-tag":
        versions[int(asked["version"]) - 1]["tags"].append({"key": asked["key"], "value": asked["value"]})
        return 200, {}
    if call == "GET registered-models/alias":
        if asked["alias"] not in aliases:
            return 400, {"error_code": "INVALID_PARAMETER_VALUE"}
        return 200, {"model_version": versions[int(aliases[asked["alias"]]) - 1]}
    if call == "POST registered-models/alias":
        if int(asked["version"]) > len(versions):
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        if aliases.get(asked["alias"]) != asked["version"]:
            server.moved.append((name, asked["alias"], asked["version"]))
        aliases[asked["alias"]] = asked["version"]
        return 200, {}
    if call == "DELETE registered-models/alias":
        aliases.pop(asked["alias"], None)
        return 200, {}
    return 404, {"error_code": "ENDPOINT_NOT_FOUND"}


def _searched(server: Registry, asked: str) -> Answer:
    """``name = 'x' and tags.`k` = 'v'``, the newest first."""
    name, _, tag = asked.removeprefix("name = '").partition("' and tags.`")
    key, _, value = tag.partition("` = ")
    found = [one for one in server.models.get(name, []) if {"key": key, "value": value[1:-1]} in one["tags"]]
    return 200, {"model_versions": found[::-1]} if found else {}


@contextmanager
def serving(cuts: int = 0) -> Iterator[Registry]:
    """One that answers."""
    server = Registry(cuts)
    with server.answering():
        yield server
