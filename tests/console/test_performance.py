"""What a person sees of performance: the table in the width there is, the picture's points, and what is still awaited."""

import json
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.command.main import main
from driftbus.consumers.console.awaited import answers_awaited, still_awaited
from driftbus.consumers.console.deployments import Known
from driftbus.consumers.console.episodes import told as episodes_of
from driftbus.consumers.console.performance import Story, main_metric
from driftbus.consumers.console.performance_table import WIDE, happened, legend, plain, table, title
from driftbus.consumers.console.screen import Terminal
from driftbus.consumers.replay.curves import Happened, draw
from driftbus.consumers.replay.series import began, ripe, series
from driftbus.detectors.outcomes.interval import wilson
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.performance import Performance
from driftbus.schemas.messages.reviewed import Reviewed, ReviewedShare

HOUR = 3_600_000
BEGINNING = 1_772_323_200_000


def record(
    hour: int, version: str = "1", *, made: int = 100, labelled: int = 100, right: int = 90, **more: Any
) -> Performance:  # any field
    """An hour of a model's predictions."""
    within = wilson(right, labelled)
    start, share = BEGINNING + hour * HOUR, right / labelled if labelled else None
    told: dict[str, Any] = {
        "application": "test",
        "labels": "known",
        "model": "fraud",
        "version": version,
        "reference": "r",
        "since": 0,
        "start": start,
        "about": start + HOUR,
        "through": start + 5 * HOUR,
        "predicted": made,
        "labelled": labelled,
        "expired": 0,
        "duplicates": 0,
        "realised": {"accuracy": share, "auc": share},
        "low": within.low if within else None,
        "high": within.high if within else None,
    }
    return Performance.model_validate(told | more)


def story(*records: Performance, deployments: Mapping[int, ModelEvent] | None = None) -> Story:
    known = [Known(BEGINNING + hour * HOUR, event) for hour, event in (deployments or {}).items()]
    return Story(list(records), [], known).of("fraud", None, None)


def event(sequence: int, status: str, bucket: int, **performance: str) -> DriftEvent:
    """An episode of performance that is known of from hour 6 on."""
    said: dict[str, Any] = {
        "onset": iso(BEGINNING + 6 * HOUR),
        "bucket": [iso(BEGINNING + (bucket - 1) * HOUR), iso(BEGINNING + bucket * HOUR)],
    }
    told = {"metric": "accuracy", **performance} if performance else None
    said |= {"episode": "e" * 32, "sequence": sequence, "status": status, "model": "fraud", "version": "1", "stream": "s", "reference": "r"}
    said |= {"kind": "performance", "signals": [], "detector": "eSR", "budget": "1 per 30d", "severity": "major", "performance": told}
    return DriftEvent.model_validate(said | {"complete": True, "clock_decided": False, "configuration": "c"})


EPISODE = [event(0, "opened", 7), event(1, "updated", 8, onset=iso(BEGINNING + 4 * HOUR)), event(2, "resolved", 9)]


def shown(told: Story, width: int) -> list[str]:
    """The lines of the table."""
    out = StringIO()
    Terminal(out, width).table(table(told, "accuracy", width))
    return out.getvalue().rstrip("\n").split("\n")


ESTIMATES: dict[str, Any] = {
    "estimated": {"accuracy": 0.91234},
    "completed": {"accuracy": 0.90123},
    "baseline": {"accuracy": 0.9},
    "baseline_rows": 5000,
}
DEPLOYED = ModelEvent(model="fraud", version="2", kind="deployed", job="build-7", parent="1")


@pytest.mark.parametrize("width", [80, WIDE, 160])
def test_a_line_stays_a_line_in_the_width_there_is(width: int) -> None:
    records = [record(hour, version, made=12_345, labelled=11_000, **ESTIMATES) for hour in range(3) for version in ("3.2.1", "3.3.0")]
    lines = shown(story(*records, deployments={1: DEPLOYED}), width)
    assert len(lines) == 1 + 6
    assert all(len(line.rstrip()) <= width for line in lines)
    assert ["3.2.1" if number % 2 == 0 else "3.3.0" for number in range(6)] == [re.findall(r"3\.\d\.\d", line)[0] for line in lines[1:]]
    for wanted in ("11k/12k" if width < WIDE else "12,345  11,000", "0.9123", "0.9012"):
        assert all(wanted in line for line in lines[1:])


def test_what_happened_stands_in_both_widths() -> None:
    told = story(record(0), record(1), record(1, "2"), deployments={1: DEPLOYED})
    assert [line.split()[-1] for line in shown(told, 80)[1:]] != ["^"] * 3
    assert sum(line.rstrip().endswith("^") for line in shown(told, 80)) == 2
    assert sum("2 deployed" in line for line in shown(told, WIDE)) == 2
    assert happened(told) == ["2026-03-01 01:00  DEPLOYED  fraud/2  job build-7  from 1"]
    assert list(legend(told, 80)) == ["^ what serves changed"]
    assert not list(legend(told, WIDE))
    assert title(told, "accuracy").startswith(
        "fraud/1, fraud/2: accuracy of the predictions made from 2026-03-01 00:00 to 2026-03-01 02:00"
    )


def test_an_episode_is_shown_where_predictions_turned_out_so() -> None:
    """Which was known two hours later."""
    told = Story([record(hour) for hour in range(12)], episodes_of(EPISODE), []).of("fraud", None, None)
    assert ["!" in line for line in shown(told, 80)[1:]] == [4 <= hour < 9 for hour in range(12)]
    assert ["eeeeeeee major" in line for line in shown(told, WIDE)[1:]] == [4 <= hour < 9 for hour in range(12)]
    assert [one["episodes"] for one in plain(told)][3:5] == [[], ["e" * 32]]
    assert [line[18:26].strip() for line in happened(told)] == ["OPENED", "RESOLVED"]
    assert list(legend(told, 80)) == ["! an episode of performance was open"]
    assert began(EPISODE[:1]).timestamp() * 1000 == BEGINNING + 6 * HOUR, "nothing better is known yet"
    assert told.newest(2).episodes == []


@pytest.mark.parametrize("width", [80, WIDE])
def test_numbers_that_count_as_nearer_are_told(width: int) -> None:
    told = story(record(0, clipped=1_200), record(1, clipped=3))
    assert "1,203 labelled predictions were so far off that they count as nearer: mae and rmse are larger than told" in legend(told, width)


def test_json_has_all() -> None:
    told = story(record(0, final=True), record(1, labelled=3, right=3), deployments={1: DEPLOYED})
    first, second = plain(told)
    assert first["matured"]
    assert not second["matured"]
    assert (first["deployments"], [one["job"] for one in second["deployments"]]) == ([], ["build-7"])
    assert first.keys() >= Performance.model_fields.keys()


def test_an_interval_is_matured_when_it_is_labelled_as_final_ones_are() -> None:
    """Half of all labels never come here: nobody waits for them."""
    records = [record(0, labelled=50, right=40, final=True), record(1, labelled=48, right=40), record(2, labelled=20, right=10)]
    assert ripe(records) == {records[0].key, records[1].key}
    assert ripe([]) == frozenset()
    assert ripe([record(0, labelled=80, right=70)]) == frozenset(), "nobody knows yet how many come"
    assert ripe([record(0, made=0, labelled=0, right=0)]) == frozenset()


def test_what_is_not_known_yet_is_named() -> None:
    assert list(still_awaited([record(0, labelled=0, right=0), record(1, labelled=0, right=0)])) == [
        "fraud/1: no label of its 200 predictions counts yet; have some come? see driftbus check, and dead-letters list"
    ]
    (line,) = still_awaited([record(0), record(1, "2", **ESTIMATES)])
    assert line.startswith("fraud/1: estimates, and concept drift, come with the baseline, its first 5,000 labels: 100 so far")


counts = st.integers(0, 5).flatmap(lambda n: st.tuples(st.just(n + 2), st.just(n), st.integers(0, n)))


def test_what_answers_are_awaited_is_said_until_there_are_enough() -> None:
    def told(version: str, about: int, cases: int) -> Reviewed:
        share = ReviewedShare(cases=cases, share=0.9, low=0.8, high=0.95)
        said = {"application": "test", "model": "m0", "version": version, "start": about - 1, "about": about, "asked": 900, "answered": 900}
        return Reviewed.model_validate({**said, "all": share, "uniform": share})

    assert list(answers_awaited([])) == []
    assert list(answers_awaited([told("1", 1, 300), told("1", 2, 250), told("2", 2, 1_000)])) == [
        "m0/1: errors that people find are tested from 1,000 answers to uniform draws on: 550 so far"
    ]


@given(st.lists(counts, max_size=30), st.integers(1, 9))
def test_points_are_means_of_their_intervals(drawn: list[tuple[int, int, int]], most: int) -> None:
    records = [record(hour, made=made, labelled=labelled, right=right) for hour, (made, labelled, right) in enumerate(drawn)]
    points = series(records, "accuracy", most, ripe(records))
    assert len(points) <= most
    assert [point.start for point in points] == sorted({point.start for point in points})
    assert sum(point.end - point.start for point in points) == len(records) * HOUR
    for point in points:
        own = [one for one in records if point.start <= one.start < point.end]
        labelled = sum(one.labelled for one in own)
        if not labelled:
            assert point.realised is None
            continue
        assert point.realised == pytest.approx(sum((one.realised["accuracy"] or 0) * one.labelled for one in own) / labelled)
        assert point.low is not None
        assert point.high is not None
        assert point.realised is not None
        assert point.low - 1e-9 <= point.realised <= point.high + 1e-9


def test_the_mean_of_many_intervals_is_surer_than_each() -> None:
    records = [record(hour) for hour in range(64)]
    (point,) = series(records, "accuracy", 1, ripe(records))
    assert records[0].low is not None
    assert point.low is not None
    assert 0.9 - point.low == pytest.approx((0.9 - records[0].low) / 8)


@pytest.mark.parametrize(
    "records",
    [
        [record(0, labelled=0, right=0)],
        [record(hour, **ESTIMATES) for hour in range(3)],
        [record(hour, version, right=int(right)) for version in "12" for hour, right in enumerate(np.linspace(60, 90, 9))],
        [record(0, realised={"mae": 2.5, "rmse": None}, low=None, high=None)],
        [record(hour, version=f"$v{hour}") for hour in range(7)],
    ],
    ids=["no label", "a few", "two versions", "a number", "many versions"],
)
def test_a_picture_of_anything(tmp_path: Path, records: list[Performance]) -> None:
    draw(tmp_path / "a.svg", records, main_metric(records), ripe(records), EPISODE, [Happened(BEGINNING + HOUR // 2, "$2 deployed")])
    assert (tmp_path / "a.svg").stat().st_size > 1_000


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, and what a replay has written of two hundred hours."""
    monkeypatch.chdir(tmp_path)
    labels = {"labels": {"known": {"topics": ["known"]}}, "models": {"fraud": {"labels": "known"}}}
    (tmp_path / "driftbus.yaml").write_text(
        json.dumps({"application": "test", "bus": "embedded", "streams": {"s": {"topics": ["t"]}}, **labels})
    )
    lines = [record(hour, segment=segment).model_dump_json() for hour in range(200) for segment in (None, "country = NZ")]
    (tmp_path / "performance.jsonl").write_text("\n".join(lines) + "\n")
    event = ModelEvent(model="fraud", version="2", kind="promoted", job="7")
    value = {
        "topic_id": "x",
        "partition": 0,
        "offset": 0,
        "key": event.key,
        "timestamp": BEGINNING + 5 * HOUR,
        "value": event.encoded().decode(),
    }
    (tmp_path / "week.jsonl").write_text(json.dumps({"topic": "test.models", **value}) + "\n" + json.dumps({"topic": "t", **value}) + "\n")
    return tmp_path


def says(*words: str, code: int = 0) -> str:
    told = CliRunner().invoke(main, ["performance", *words])
    assert told.exit_code == code, told.output + repr(told.exception)
    return told.output


@pytest.mark.usefixtures("configured")
def test_a_replay_is_shown_as_the_topics_are() -> None:
    """The whole by default; deployments from the recording that was replayed."""
    lines = says("fraud", "--from", "performance.jsonl", "--from", "week.jsonl", "--plot", "a.png").splitlines()
    assert len(lines) == 1 + 1 + 200 + 1 + 1
    assert "2 promoted" in lines[2 + 5]
    assert lines[-2] == "2026-03-01 05:00  PROMOTED  fraud/2  job 7"
    assert Path("a.png").stat().st_size > 10_000
    newest = ("fraud", "--from", "performance.jsonl", "--last", "7", "--json")
    assert len(says(*newest).splitlines()) == 14, "of the whole, then of its segment"
    assert len(says(*newest, "--segment", "country = NZ").splitlines()) == 7
    assert "[country = NZ]: auc of" in says("fraud", "--from", "performance.jsonl", "--segment", "country = NZ", "--metric", "auc")


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["spam"], "nothing is told of spam; of fraud there is"),
        (["fraud", "--version", "9"], "there are versions 1"),
        (["fraud", "--segment", "x"], "nothing is told of segment x; there are country = NZ"),
        (["fraud", "--from", "driftbus.yaml"], "driftbus.yaml:1: no line of what driftbus replay writes"),
    ],
)
def test_what_is_not_there_says_what_is(words: list[str], reason: str) -> None:
    assert reason in says(*words, "--from", "performance.jsonl", code=1)


@pytest.mark.usefixtures("configured")
def test_a_picture_does_not_replace_what_it_is_drawn_from() -> None:
    assert "which is read" in says("fraud", "--from", "performance.jsonl", "--plot", "performance.jsonl", code=2)
    assert "there are accuracy, auc" in says("fraud", "--from", "performance.jsonl", "--metric", "mae", code=2)
