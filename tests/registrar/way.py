"""A version's way through a registry, whoever answers: the stand-in of the gate, or a MLflow server."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from driftbus.consumers.registrar.mlflow import BEFORE, CHALLENGER, CHAMPION, JOB, VERSION, MLflowRegistry
from driftbus.consumers.registrar.step import Known
from driftbus.schemas.configuration.registries import MLflow
from driftbus.schemas.messages.model_event import ModelArtifact, ModelEvent

_API = "/api/2.0/mlflow/"
Asks = Callable[[str, str, dict[str, Any]], dict[str, Any]]


def asking(address: str) -> Asks:
    """By hand, as a person does it."""

    def asks(method: str, path: str, content: dict[str, Any]) -> dict[str, Any]:
        query, body = (f"?{urlencode(content)}", None) if method == "GET" else ("", json.dumps(content).encode())
        request = Request(f"{address}{_API}{path}{query}", body, {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")  # type: ignore[no-any-return]

    return asks


def aliases(asks: Asks, model: str) -> dict[str, str]:
    """By alias, the job whose version has it, or its number."""
    found = {}
    for alias in (CHAMPION, CHALLENGER):
        try:
            version = asks("GET", "registered-models/alias", {"name": model, "alias": alias})["model_version"]
        except OSError:
            continue
        found[alias] = next((tag["value"] for tag in version.get("tags", ()) if tag["key"] == JOB), version["version"])
    return found


def known(step: str, job: str, version: str = "2", parent: str | None = "1", address: str | None = None) -> Known:
    artifact = ModelArtifact(name=address or "model.bin", sha256="0" * 64)
    made = ModelEvent(model="m", version=version, kind="registered", job=job, by="ann", data=f"sha256:{'1' * 64}", artifact=artifact)
    return Known(step, job, version, parent, made)


def goes_its_way(address: str, model: str) -> None:
    """Twice each, by another client: what is done is found again. Raises `AssertionError`."""
    asks, settings = asking(address), MLflow(url=address)

    def done(one: Known) -> dict[str, str]:
        for _ in range(2):
            registry = MLflowRegistry(settings, model)
            registry.ensure(one)
            registry.stop()
        return aliases(asks, model)

    def tags(job: str) -> list[dict[str, str]]:
        asked = {"filter": f"name = '{model}' and tags.`{JOB}` = '{job}'"}
        found = asks("GET", "model-versions/search", asked).get("model_versions", [])
        return [{"source": one["source"], **{tag["key"]: tag["value"] for tag in one["tags"]}} for one in found]

    assert done(known("evaluate", "j2")) == {}
    [made] = tags("j2")
    assert (made["source"], made[VERSION], made["driftbus.by"]) == (f"driftbus:/sha256/{'0' * 64}", "2", "ann")
    asks("POST", "model-versions/create", {"name": model, "source": "s3://theirs/model", "tags": []})
    asks("POST", "registered-models/alias", {"name": model, "alias": CHAMPION, "version": "2"})
    assert done(known("shadow", "j2")) == {CHAMPION: "2", CHALLENGER: "j2"}
    assert done(known("promote", "j2")) == {CHAMPION: "j2"}
    assert [one[BEFORE] for one in tags("j2")] == ["2"], "what driftbus did not make is remembered"
    assert done(known("roll_back", "j2")) == {CHAMPION: "2"}
    assert done(known("promote", "j3", "3", "2", "s3://ours/it's")) == {CHAMPION: "j3"}
    assert [one["source"] for one in tags("j3")] == ["s3://ours/it's"]
    assert done(known("shadow", "j4", 'it\'s "4"', "3")) == {CHAMPION: "j3", CHALLENGER: "j4"}
    assert done(known("refuse", "j4", 'it\'s "4"', "3")) == {CHAMPION: "j3"}
    asks("POST", "registered-models/alias", {"name": model, "alias": CHAMPION, "version": "1"})
    assert done(known("roll_back", "j3", "3", "2")) == {CHAMPION: "j2"}, "whom a person has put there stays"
    assert done(known("roll_back", "never", "9", "8")) == {CHAMPION: "j2"}
