"""``driftbus performance`` and ``check`` of segments, groups of features and metrics of one's own."""

import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.command.main import main
from driftbus.consumers.pipeline.topology import ROLES

from ..consumers.test_joiner import run
from ..consumers.test_outcome_columns import log, publish, settings


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("performance")
    chosen = settings(embedded=str(folder / "bus.sqlite"), artifacts=str(folder / "artifacts"))
    sent, _ = log(1, 60)
    with closing(EmbeddedBus(chosen.embedded, "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
    file = folder / "driftbus.yaml"
    file.write_bytes(msgspec.yaml.encode(chosen.model_dump(mode="json", exclude_unset=True)))
    return file


def said(configured: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, [*arguments, "--config", str(configured)], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.output


def test_all_predictions_are_shown_or_those_of_one_segment(configured: Path) -> None:
    every = [json.loads(line) for line in said(configured, "performance", "m0", "--json").splitlines()]
    assert {one["segment"] for one in every} == {None, "red", "green", "(other)"}
    for segment in (None, "red"):
        chosen = [] if segment is None else ["--segment", segment]
        rows = [one for one in every if one["segment"] == segment]
        text = said(configured, "performance", "m0", "--metric", "mean_cost", *chosen)
        assert all(f"{one['realised']['mean_cost']:.4g}" in text for one in rows if one["labelled"])
        alone = said(configured, "performance", "m0", "--json", *chosen).splitlines()
        assert len(alone) == (len(every) if segment is None else len(rows))
    newest = [json.loads(line) for line in said(configured, "performance", "m0", "--json", "--last", "1").splitlines()]
    assert len(newest) == len({one["segment"] for one in every})


def test_a_segment_that_there_is_not_is_named_with_those_that_there_are(configured: Path) -> None:
    assert "segment blue; there are (other), green, red" in said(configured, "performance", "m0", "--segment", "blue", code=1)
    assert "segment blue; there are none" in said(configured, "performance", "m2", "--segment", "blue", code=1)


def test_check_says_what_is_summed(configured: Path) -> None:
    text = said(configured, "check")
    assert "models.m1.outcomes.metrics: sure, mean_cost" in text
    assert "m0/1: outcomes are summed by groups of colour, age, amount" in text
    assert "m1/1: outcomes are summed by groups of amount, age" in text
