"""Detectors by name through the pipeline: who asks for ks gets ks, restarts continue, and a package may bring its own."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.command.check import findings
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.plugins import UnusablePlugin, found
from driftbus.consumers.process.settings import ConfigurationError, parsed
from driftbus.detectors.episodes.at_work import UnusableDetector
from driftbus.schemas.configuration import Configuration

from ..streaming import by_model, configuration, everything, prepare, reference, rows, send

#: Of 1,500 s of traffic at 4 rows a second, m0's amount is 2 sd up from second 600 to 900.
SHIFTED = ("m0", 600, 900)


def chosen(folder: Path, features: dict[str, object], **changes: object) -> Configuration:
    return configuration(artifacts=str(folder), models={"m0": {"false_alarms": "1 per 1h", "features": features}}, **changes)


def world(settings: Configuration, seconds: int = 1500) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [reference("m0")])
    send(bus, rows(seconds, ("m0",), 4, seed=3, shifted=SHIFTED))
    return bus


def run(bus: EmbeddedBus, settings: Configuration) -> list[dict[str, Any]]:  # events as JSON
    pipeline = Pipeline(bus, settings)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    return [event.content for event in by_model(everything(bus, settings.topics.drift)).get("m0", [])]


def alarms(event: dict[str, Any]) -> dict[str, list[str]]:  # JSON
    return {signal["name"]: [alarm["detector"] for alarm in signal["alarms"]] for signal in event["signals"]}


def test_who_asks_for_ks_gets_ks(tmp_path: Path) -> None:
    settings = chosen(tmp_path, {"amount": {"detectors": [{"ks": {"rows": 200}}], "min_effect": 3}})
    opened, *others = run(world(settings), settings)
    assert (opened["status"], opened["detector"]) == ("opened", "ks")
    assert alarms(opened) == {"amount": ["ks"]}
    (alarm,) = opened["signals"][0]["alarms"]
    assert alarm["statistic"] > alarm["threshold"] > 0.05
    assert alarm["rate"] == pytest.approx(1 / (2 * 3600))
    assert opened["signals"][0]["effect"]["ks"] > 0.1
    assert "2023-11-14T22:23:10Z" < opened["bucket"][1] < "2023-11-14T22:25:30Z"
    assert [event["status"] for event in others][-1] == "resolved"
    assert {event["episode"] for event in others} == {opened["episode"]}


def test_whoever_alarms_later_is_listed_in_the_same_episode(tmp_path: Path) -> None:
    names = ["ks", "cramer_von_mises", "chi_square", "psi", "jensen_shannon", "kl", "wasserstein"]
    written = [{name: {"rows": 200}} for name in names] + ["adwin", "page_hinkley"]
    settings = chosen(tmp_path, {"am*": {"detectors": written}})
    events = run(world(settings), settings)
    assert [event["status"] for event in events][:2] == ["opened", "updated"]
    assert len({event["episode"] for event in events}) == 1
    last = alarms(events[-1])["amount"]
    assert set(last) == {"esr", *names, "adwin", "page_hinkley"}
    assert len(last) == len(set(last))  # each once
    rates = {alarm["detector"]: alarm["rate"] for alarm in events[-1]["signals"][0]["alarms"]}
    assert rates["adwin"] is rates["page_hinkley"] is None
    assert rates["ks"] == pytest.approx(1 / (2 * 9 * 3600), rel=1e-4)
    assert rates["esr"] == pytest.approx(1 / (2 * 3600), rel=1e-4)


def test_without_a_change_the_windowed_ones_are_silent(tmp_path: Path) -> None:
    settings = chosen(
        tmp_path, {"*": {"detectors": ["chi_square", "psi"]}, "a*": {"detectors": ["ks", "psi", "wasserstein", "cramer_von_mises"]}}
    )
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [reference("m0")])
    send(bus, rows(1800, ("m0",), 4, seed=9))
    assert not {alarm["detector"] for event in run(bus, settings) for signal in event["signals"] for alarm in signal["alarms"]} - {"esr"}


@pytest.mark.parametrize("detector", ["ks", "adwin", "kswin"])
def test_a_restart_continues_exactly(tmp_path: Path, detector: str) -> None:
    settings = chosen(tmp_path, {"amount": {"detectors": [detector], "min_effect": 3}}, snapshot_every="1ms")
    bus = world(settings, 700)
    expected = run(bus, settings)
    bus = world(settings, 700)
    for turns in range(2, 40):
        dying = Pipeline(bus, settings)
        for turn, _ in enumerate(dying.run_until_end()):
            if turn >= turns:
                break
    assert run(bus, settings) == expected
    assert expected[0]["detector"] == detector


def test_one_asked_for_by_a_pattern_is_left_out_where_it_cannot_judge(tmp_path: Path) -> None:
    settings = chosen(tmp_path, {"*": {"detectors": ["ks", "ddm"]}})
    found_ = list(findings(world(settings, 30), settings, 100))
    told = [text for level, text in found_ if "ks" in text or "ddm" in text]
    assert told == [
        "m0/1: ks on amount, age, score: each at most one false alarm in 8 h of traffic",
        "m0/1: ddm on colour: states no rate of false alarms",
        "m0/1: ddm: amount has not two values, as errors have: use ks, chi_square or psi; there it is left out",
        "m0/1: ddm: age has not two values, as errors have: use ks, chi_square or psi; there it is left out",
        "m0/1: ks: colour is categorical and has not an order: use chi_square, psi, jensen_shannon or kl; there it is left out",
        "m0/1: ddm: score has not two values, as errors have: use ks, chi_square or psi; there it is left out",
    ]


def test_one_asked_for_by_name_where_it_cannot_judge_is_refused(tmp_path: Path) -> None:
    settings = chosen(tmp_path, {"colour": {"detectors": ["ks"]}})
    bus = world(settings, 30)
    with pytest.raises(UnusableDetector, match=r"^models\.m0\.features\.colour\.detectors: ks: colour is categorical"):
        run(bus, settings)
    assert any(level == "wrong" and "colour is categorical" in text for level, text in findings(bus, settings, 100))


TEXT = """
application: test
streams: {predictions: {topics: [scored]}}
models:
  m0:
    features:
      "amount*": {detectors: %s}
"""


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[kss]", "models.m0.features.amount*.detectors.0: there is no detector 'kss'; did you mean ks?"),
        ("[ks, {ks: {row: 1}}]", "models.m0.features.amount*.detectors.1.ks.row: unknown key; known here: rows"),
        ("[{ks: {rows: 3}}]", "models.m0.features.amount*.detectors.0.ks.rows: 3: input should be greater than or equal to 100"),
        ("[{kswin: {stat_size: 90}}]", "models.m0.features.amount*.detectors.0.kswin: stat_size 90 needs a window_size of at least twice"),
        ("[3]", "models.m0.features.amount*.detectors.0: 3 is not a detector; write ks, or {ks: {rows: 1000}}"),
        ("[{ks: 3}]", "models.m0.features.amount*.detectors.0: {'ks': 3} is not a detector"),
        ("ks", "models.m0.features.amount*.detectors: "),
    ],
)
def test_mistakes_are_told_with_their_path(written: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parsed(TEXT % written, {})
    assert str(caught.value).startswith(message)


def test_they_cannot_be_combined_with_a_reference_that_moves() -> None:
    with pytest.raises(ConfigurationError, match=r"compare with one reference at all times; leave out season"):
        parsed(TEXT.replace("features:", "season: day\n    features:") % "[ks]", {})


PLUGIN = """
from driftbus.detectors.named.interface import Plain, Seen, Verdict, WatchedSignal, Watcher
from driftbus.schemas.fact import Setting


class Counting:
    rate = None

    def __init__(self, most: int) -> None:
        self.most = most

    def start(self) -> Plain:
        return 0

    def step(self, state: Plain, seen: Seen) -> tuple[Plain, Verdict]:
        rows = int(state) + int(seen.counts.sum())
        return rows, Verdict(rows > self.most, rows, self.most)


class Settings(Setting):
    most: int = 100

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        return Counting(self.most)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with an installed package that brings the detector `rowcount`."""
    (tmp_path / "rowcounting.py").write_text(PLUGIN)
    information = tmp_path / "rowcounting-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: rowcounting\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[driftbus.detectors]\nrowcount = rowcounting:Settings\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("rowcounting", None)


def test_an_installed_package_brings_its_own(tmp_path: Path, installed: Path) -> None:
    settings = chosen(tmp_path, {"age": {"detectors": [{"rowcount": {"most": 1000}}]}}, snapshot_every="1ms")
    (event, *_) = run(world(settings, 400), settings)
    assert (event["detector"], event["signals"][0]["name"]) == ("rowcount", "age")
    assert event["signals"][0]["alarms"] == [{"detector": "rowcount", "statistic": 1040.0, "threshold": 1000.0, "rate": None}]
    with pytest.raises(ConfigurationError, match=r"detectors\.0\.rowcount\.least: unknown key; known here: most"):
        parsed(TEXT % "[{rowcount: {least: 1}}]", {})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("rowcount = rowcounting:Setings", "cannot be loaded from rowcounting:Setings"),
        ("rowcount = rowcounting:Counting", "has no model_validate"),
        ("ks = rowcounting:Settings", "driftbus has one of this name"),
    ],
)
def test_a_package_that_cannot_be_used_is_named(installed: Path, line: str, reason: str) -> None:
    (installed / "rowcounting-1.0.dist-info/entry_points.txt").write_text(f"[driftbus.detectors]\n{line}\n")
    with pytest.raises(UnusablePlugin, match=f"of rowcounting.*{reason}"):
        found()
