"""What people's answers say, beside realised and estimated performance: in the table, in JSON, in the picture, and of a replay."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.console.performance import story_in
from driftbus.consumers.console.performance_table import WIDE, plain, table
from driftbus.consumers.console.screen import Terminal
from driftbus.consumers.replay.curves import draw
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.reviewed import Reviewed, ReviewedMean, ReviewedShare

from .test_performance import BEGINNING, ESTIMATES, HOUR, record, shown, story


def reviewed(hour: int, version: str = "1", *, mae: float | None = None) -> Reviewed:
    start = BEGINNING + hour * HOUR
    share = ReviewedShare(cases=8) if mae is not None else ReviewedShare(cases=8, share=0.8125, low=0.51, high=0.96)
    mean = None if mae is None else ReviewedMean(cases=8, mean=mae, low=mae / 2, high=mae * 2)
    whose = {"application": "test", "model": "fraud", "version": version}
    return Reviewed(**whose, start=start, about=start + HOUR, asked=10, answered=8, all=share, uniform=share, mae=mean)


@pytest.mark.parametrize("width", [80, WIDE])
def test_what_people_say_stands_in_the_same_row(width: int) -> None:
    told = story(*(record(hour, **ESTIMATES) for hour in range(3)))._replace(reviewed=[reviewed(1), reviewed(1, "2"), reviewed(7)])
    lines = shown(told, width)
    assert all(len(line) <= width for line in lines)
    assert "reviewed" in lines[0]
    assert ["0.8125" in line for line in lines[1:]] == [False, True, False]
    assert ("0.51 .. 0.96" in lines[2]) is (width >= WIDE)
    assert "reviewed" not in shown(told._replace(reviewed=[reviewed(7)]), width)[0]
    assert "reviewed" not in shown(story(record(1))._replace(records=[record(1, segment="red")], reviewed=[reviewed(1)]), width)[0]
    found = [one["reviewed"]["answered"] for one in plain(told) if "reviewed" in one]
    assert found == [8]
    assert told.newest(1).reviewed == [reviewed(7)]


def test_of_numbers_it_is_their_error(tmp_path: Path) -> None:
    off: dict[str, Any] = {"realised": {"mae": 2.0}, "low": None, "high": None}
    told = story(*(record(hour, **off) for hour in range(3)))._replace(reviewed=[reviewed(1, mae=2.5)])
    out = StringIO()
    Terminal(out, WIDE).table(table(told, "mae", WIDE))
    assert "1.25 .. 5" in out.getvalue()
    pytest.importorskip("matplotlib")
    for name, people in (("a", told.reviewed), ("b", ())):
        draw(tmp_path / f"{name}.svg", told.records, "mae", told.matured, reviewed=people)
    assert "reviewed" in (tmp_path / "a.svg").read_text()
    assert "reviewed" not in (tmp_path / "b.svg").read_text()


def test_what_a_replay_wrote_of_reviews_is_read_with_the_rest(tmp_path: Path) -> None:
    lines = [record(1), reviewed(1), reviewed(0), record(1, labelled=90)]
    (tmp_path / "told.jsonl").write_text("".join(one.model_dump_json() + "\n" for one in lines))
    told = story_in([tmp_path / "told.jsonl"], Configuration.model_validate({"application": "test", "streams": {"s": {"topics": ["t"]}}}))
    assert list(told.of("fraud", "1", None).reviewed) == [reviewed(0), reviewed(1)]
    assert told.of("fraud", None, "red").reviewed == []
    assert [one.labelled for one in told.records] == [90]
