"""A MLflow server as it answers: what is done is found again, what a person moved stays, and what it refuses is said without its words."""

import time
from pathlib import Path

import pytest

from driftbus.consumers.calls.answers import Erred, Invalid, TimedOut
from driftbus.consumers.process.settings import ConfigurationError, parsed
from driftbus.consumers.registrar.mlflow import MLflowRegistry
from driftbus.schemas.configuration.registries import MLflow

from .servers import Registry
from .way import goes_its_way, known


def test_a_version_goes_its_way(server: Registry) -> None:
    goes_its_way(server.address, "eta late")
    assert [len(server.models["eta late"])] == [4], "each was made once, one of them by a person"


def test_of_versions_that_were_made_at_once_the_first_counts(server: Registry) -> None:
    registry = MLflowRegistry(MLflow(url=server.address), "m")
    registry.ensure(known("evaluate", "j"))
    server.models["m"].append({**server.models["m"][0], "version": "2"})
    registry.ensure(known("promote", "j"))
    assert server.aliases["m"] == {"champion": "1"}
    registry.stop()


def test_what_it_refuses_is_told_by_its_code_alone(server: Registry, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer s3cret\n")
    registry = MLflowRegistry(MLflow(url=server.address, headers={"Authorization": f"file:{tmp_path / 'token'}"}), "m")
    server.away = True
    with pytest.raises(Erred, match=r"^MLflow: HTTP 503$"):
        registry.ensure(known("shadow", "j"))
    assert server.headers == ["Bearer s3cret"]
    registry.stop()


def test_a_server_that_hangs_is_given_up_in_time(server: Registry) -> None:
    registry = MLflowRegistry(MLflow(url=server.address, timeout=200), "m")
    with server.changing:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            registry.ensure(known("shadow", "j"))
        assert time.monotonic() - began < 5
    registry.stop()


def test_an_answer_that_is_none_is_told(server: Registry) -> None:
    registry = MLflowRegistry(MLflow(url=f"{server.address}/elsewhere"), "m")
    with pytest.raises((Erred, Invalid)):
        registry.ensure(known("shadow", "j"))
    registry.stop()


SMALLEST = "application: a\nstreams: {p: {topics: [t]}}\n"
_OURS = "registries: {ours: {mlflow: {url: 'http://127.0.0.1:5000'}}}\n"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("registries: {r: {}}", "registries.r.mlflow: is missing"),
        ("registries: {r: {mlflow: {url: 'http://mlflow:5000'}}}", "registries.r.mlflow: url: the request would go to mlflow in the clear"),
        ("registries: {r: {mlflow: {url: 'https://m', model: 'a/b'}}}", "registries.r.mlflow.model: "),
        (
            "registries: {r: {mlflow: {url: 'https://m', headers: {Authorization: 'Bearer x'}}}}",
            "registries.r.mlflow.headers.Authorization: is a secret, and stands in the file",
        ),
        ("models: {m: {registry: ours}}", "models.m.registry: 'ours' is not among registries: there are none"),
        (f"{_OURS}models: {{m: {{registry: ours}}}}", "models.m.registry: aliases follow promotion, and there is none"),
        (f"{_OURS}models: {{a/b: {{registry: ours, promotion: {{by: person}}}}}}", "models.a/b.registry: MLflow has no model of that name"),
    ],
)
def test_a_configuration_that_could_not_work_is_refused_at_start(written: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed(SMALLEST + written)
    assert said in str(refused.value)
