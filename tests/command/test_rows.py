"""Panes of so many rows, on the command line."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from .conftest import SECONDS, User, amounts, messages, table

DRIFTING = amounts(SECONDS * 10, seed=2, shifted_from=SECONDS * 5)


@pytest.fixture
def counting(user: User) -> User:
    """Somebody who counts rows instead of seconds."""
    user.configures("pane: 10s", "pane: 100 rows")
    user.configures("1 per 1h", "1 per 20000 rows")
    return user


def test_a_replay_speaks_of_rows(counting: User) -> None:
    table(Path("history.csv"), DRIFTING)
    told = counting.says("replay", "history.csv", "--plot", "drift.svg", "--measures", "measures.csv", "--events", "events.jsonl")
    assert re.match(r"row 3100          OPENED    [0-9a-f]{8}  fraud/-  major     amount: mean up \(KS", told)
    assert "<!-- row -->" in Path("drift.svg").read_text(), "the name of the axis"
    with Path("measures.csv").open(newline="") as lines:
        assert [*csv.DictReader(lines)][-1]["end"] == "row 6000"
    opened = json.loads(Path("events.jsonl").read_text().splitlines()[0])
    assert (opened["onset"], opened["bucket"]) == ("row 3000", ["row 3000", "row 3100"])


def test_a_topic_of_two_partitions_cannot_be_run(counting: User) -> None:
    counting.creates()
    counting.publishes(messages(DRIFTING))
    said = "streams.predictions.pane: 100 rows are counted in a topic of one partition, and fraud.scored has 2"
    assert said in counting.says("check", code=1)
    assert said in counting.says("run", "--until-end", code=1)


def test_a_reference_begins_at_a_row(counting: User) -> None:
    counting.creates(partitions=1)
    assert "write the number of a row" in counting.says("reference", "build", "fraud", "--since", "2026-03-01T10:00:00Z", code=2)
    assert "from row 3000 on" in counting.says("reference", "build", "fraud", "--since", "row 3040")


def test_what_drifted_after_so_many_rows_cannot_be_sliced_by_time(counting: User) -> None:
    table(Path("history.csv"), DRIFTING)
    counting.creates(partitions=1)
    counting.publishes([message._replace(partition=0) for message in messages(DRIFTING)])
    counting.says("reference", "build", "fraud", "--version", "1", "--from-start")
    counting.says("run", "--until-end")
    watched = counting.says("watch", "--from-start", "--until-end")
    assert re.search("row 3100          OPENED    [0-9a-f]{8}  fraud/1", watched)
    assert "panes of 100 rows, which know no times" in counting.says("reference", "accept", "", code=1)


def test_a_root_cause_is_told_and_explained_by_rows_and_without_a_broker(counting: User) -> None:
    """From a row on two of three amounts are null. What the replay keeps of it is enough for pictures."""
    lost = np.where((np.arange(len(DRIFTING)) >= SECONDS * 5) & (np.arange(len(DRIFTING)) % 3 > 0), np.nan, amounts(SECONDS * 10, seed=2))
    table(Path("history.csv"), lost)
    told = counting.says("replay", "history.csv", "--causes", "causes.jsonl", "--explain", "why")
    assert re.search("row [0-9]{4}          CONFIRMED ", told)
    events = [json.loads(one) for one in Path("causes.jsonl").read_text().splitlines()]
    confirmed = next(one for one in events if one["status"] == "confirmed")
    assert (confirmed["cause"], confirmed["scope"]["features"]) == ("feature_unavailability", ["amount"])
    assert confirmed["text"].startswith("Since row 3000, of model")
    page = (Path("why") / f"{confirmed['incident']}.html").read_text()
    assert page.count("<svg") == 3, "the timeline, the series that decides, and values before and after"
    assert "row 3000" in page
    for text in (told, page, *(one["text"] for one in events)):
        assert "1970" not in text
