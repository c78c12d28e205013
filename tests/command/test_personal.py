"""Secrets are planted wherever users' data may be, everything is run, and all that was stored, published or printed is looked through."""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import load
from driftbus.consumers.streams.records import end_records

from .conftest import BEGINNING, User, prepared

KEYS = {"DRIFTBUS_PERSONAL": "a key that nobody knows", "DRIFTBUS_IDS": "another key for ids"}
INPUTS = "scored", "known"
CONFIGURATION = """\
application: shop
bus: embedded
embedded: bus.sqlite
snapshot_every: 1ms
topics: {partitions: 2}
streams:
  predictions: {topics: [scored], pane: 10s, clock: record}
labels:
  outcomes: {topics: [known], wait: 10m, early: 1m, about: 10m}
models:
  fraud:
    reference: {file: train.csv, time: at, score: score}
    labels: outcomes
    examples: {}
    false_alarms: 1 per 1h
    ood: {of: question, samples: true, embedder: sketch}
    review: {budget: 600 per hour}
    golden: {call: {callable: {function: "scoring:right"}}}
"""
RULES = """\
    personal:
      drop: [ssn, "PLANTEDNAME*"]
      hash: [customer]
      mask: {question: ['PLANTED[A-Z]{3,9}[0-9]{2,4}'], country: ['PLANTED[A-Z]{3,9}']}
      key: DRIFTBUS_PERSONAL
"""
#: What each of them is, and whether it is found somewhere where there are no rules.
SECRETS = {
    "PLANTEDSSN": True,  # a feature
    "PLANTEDNAME": True,  # of a feature that the reference does not know
    "PLANTEDCUSTOMER": True,  # a category
    "PLANTEDNEWCUSTOMER": True,  # one that the reference does not know
    "PLANTEDLAND": True,  # a category that is masked
    "plantedtext": True,  # a word, as it is counted
    "PLANTEDFIELD": True,  # a value of the wrong type
    "PLANTEDBROKEN": True,  # in a record that cannot be read
    "PLANTEDMODEL": True,  # in the place of the model
    "PLANTEDCLOCK": True,  # in a record of a wrong time
    "PLANTEDLABEL": True,  # in a label that cannot be read
    "PLANTEDGOLDEN": True,  # a row of a golden set
    "PLANTEDID": True,  # of a prediction and its label
    "PLANTEDKEY": False,  # of a record
    "PLANTEDHEADER": False,
    **dict.fromkeys(KEYS.values(), False),
}
ROWS = 2_000


class Row(NamedTuple):
    """One row, in training and live."""

    amount: float
    country: str
    customer: str
    question: str
    ssn: str
    score: float


def rows(seed: int, rows: int, shifted_from: int | None = None) -> Iterator[Row]:
    """From a row on other customers ask other things."""
    draw = np.random.default_rng(seed)
    for i in range(rows):
        shifted = shifted_from is not None and i >= shifted_from
        customer = f"PLANTEDNEWCUSTOMER{i % 3}" if shifted else f"PLANTEDCUSTOMER{int(draw.integers(20))}"
        asked = " ".join(draw.choice(["what", "is", "the", "balance", "of", "my", "account", "please"], 8))
        question = f"{asked} PLANTEDTEXT{'99' if shifted else int(draw.integers(10, 40))} thanks"
        country = "PLANTEDLAND" if shifted or i % 2 else "NZ"
        yield Row(round(float(draw.normal(2.0 * shifted)), 4), country, customer, question, f"PLANTEDSSN{i % 7}", round(draw.random(), 3))


def written(name: str, columns: list[str], table: list[list[object]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([columns, *table])
    Path(name).write_text(out.getvalue())


def live() -> list[Output]:
    sent = []
    for i, row in enumerate(rows(2, ROWS, ROWS // 2)):
        time = BEGINNING + i * 1000
        features = row._asdict() | {"PLANTEDNAME1": "x"}
        score = features.pop("score")
        value = {"model": "fraud", "version": "1", "id": f"PLANTEDID{i}", "features": features, "score": score}
        sent.append(Output("scored", i % 2, b"PLANTEDKEY", json.dumps(value).encode(), (("trace", b"PLANTEDHEADER"),), time))
        label = json.dumps({"id": f"PLANTEDID{i}", "label": i % 5 == 0}).encode()
        sent.append(Output("known", 0, b"PLANTEDKEY", label, (), time + 20_000))
    good = json.loads(sent[0].value or b"")
    field = good | {"features": good["features"] | {"amount": "PLANTEDFIELD"}}
    bad = [json.dumps(one).encode() for one in (field, good | {"model": ["PLANTEDMODEL"]}, good | {"model": "m\0PLANTEDMODEL"})]
    bad.append(b'{"model": "fraud", "note": "PLANTEDBROKEN')
    outputs = [Output("scored", 0, None, one, (), BEGINNING + 500_000) for one in bad]
    outputs.append(Output("scored", 0, None, json.dumps(good | {"id": "PLANTEDCLOCK"}).encode(), (), BEGINNING + 10**10))
    outputs += [Output("known", 0, None, json.dumps({"id": "b", "label": "PLANTEDLABEL"}).encode(), (), BEGINNING + 500_000)]
    return [*sent[:1_000], *outputs, *sent[1_000:]]


def story(user: User, rules: bool, said: list[str]) -> None:
    text = CONFIGURATION + (RULES if rules else "")
    text = text.replace("about: 10m}", "about: 10m, key: DRIFTBUS_IDS}") if rules else text
    Path("driftbus.yaml").write_text(text)
    written("train.csv", ["at", *Row._fields], [[BEGINNING - (5_000 - i) * 1000, *row] for i, row in enumerate(rows(1, 5_000))])
    golden = [[i, f"PLANTEDGOLDEN{i}", "PLANTEDCUSTOMER1", f"PLANTEDSSN{i}", i] for i in range(40)]
    Path("scoring.py").write_text("def right(rows, version):\n    return [row['right'] for row in rows]\n")
    written("golden.csv", ["right", "customer" if rules else "name", "country", "ssn", "label"], golden)
    with closing(open_bus(load())) as bus:
        for topic, partitions in zip(INPUTS, (2, 1), strict=True):
            bus.create(topic, partitions, settings={"retention.ms": "-1", "message.timestamp.after.max.ms": str(2**62)})
    user.says("topics", "create")
    said.append(user.says("reference", "build", "fraud", "--version", "1", "--from-start"))
    said.append(user.says("golden", "build", "fraud", "golden.csv", "--label", "label", "--loss", "absolute"))
    said.append(user.says("golden", "run", "fraud", "--version", "1", "--here"))
    with closing(open_bus(load())) as bus:
        bus.publish(live())
        for topic, partitions in zip(INPUTS, (2, 1), strict=True):
            bus.publish(end_records("shop", topic, partitions, BEGINNING + (ROWS + 1_000) * 1000))
    said.append(user.says("run", "--until-end"))
    said += [
        user.says("check"),
        user.says("status"),
        user.says("episodes"),
        user.says("performance", "fraud"),
        user.says("dead-letters", "list"),
    ]
    for line in user.says("dead-letters", "list", "--json").splitlines():
        said.append(user.says("dead-letters", "show", json.loads(line)["place"]))
    for line in user.says("episodes", "--json").splitlines():
        said.append(user.says("show", json.loads(line)["episode"]))


def stored() -> Iterator[tuple[str, bytes]]:
    """All that is kept, by where it is: every cell of the log but those of the input topics, and every artifact."""
    with closing(sqlite3.connect("bus.sqlite")) as database:
        numbers = dict(database.execute("SELECT number, name FROM topics"))
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            topic = numbers.get(int(table.split("_")[1]), "") if table.startswith("log_") else table
            if topic not in INPUTS:
                for row in database.execute(f"SELECT * FROM {table}"):
                    yield topic, b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
    for file in Path("artifacts").rglob("*"):
        if file.is_file():
            yield f"artifacts/{file.name}", file.read_bytes()


class Found(NamedTuple):
    """By secret, where it was found."""

    places: dict[str, set[str]]
    kinds: set[str]  #: of what was looked through
    folder: Path
    said: list[str]  #: by the commands, in their order


def looked_through(folder: Path, rules: bool) -> Found:
    said: list[str] = []
    found = Found({secret: set() for secret in SECRETS}, set(), folder, said)

    def looks(user: User) -> None:
        story(user, rules, said)
        for place, content in [*stored(), *((f"said {number}", text.encode()) for number, text in enumerate(said))]:
            found.kinds.add(place.partition("/")[0].partition(" ")[0])
            for secret in SECRETS:
                if secret.encode() in content:
                    found.places[secret].add(place)

    prepared(folder, looks)
    return found


@pytest.fixture(scope="module")
def environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, environment: None) -> Found:
    return looked_through(tmp_path_factory.mktemp("bare"), rules=False)


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory, environment: None) -> Found:
    return looked_through(tmp_path_factory.mktemp("ruled"), rules=True)


def test_without_rules_every_secret_is_where_the_page_says(bare: Found) -> None:
    """So the search sees them."""
    assert {secret: bool(places) for secret, places in bare.places.items()} == SECRETS
    topics = "summaries", "drift", "dead-letter", "snapshots", "joins", "golden", "models", "ood", "reviews", "examples"
    assert bare.kinds >= {f"shop.{topic}" for topic in topics}


def test_with_rules_none_is_anywhere(ruled: Found) -> None:
    assert {secret: places for secret, places in ruled.places.items() if places} == {}


def test_what_is_hashed_and_masked_is_watched_all_the_same(bare: Found, ruled: Found) -> None:
    shown, hashed = (next(text for text in found.said if text.startswith("episode ") and "customer" in text) for found in (bare, ruled))
    assert "PLANTEDNEWCUSTOMER" in shown
    assert re.search("#[0-9a-f]{16}", hashed)
    assert "country" in hashed
    assert "ssn" not in hashed


def test_labels_find_their_predictions_by_hashes_of_ids(bare: Found, ruled: Found) -> None:
    """With a key and without one the same."""
    tables = [next(text for text in found.said if "accuracy" in text) for found in (bare, ruled)]
    assert tables[0] == tables[1]


def in_folder(user: User, found: Found, monkeypatch: pytest.MonkeyPatch) -> User:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return user.takes(found.folder)


def test_a_letter_without_its_value_goes_back_as_its_topic_has_it(user: User, ruled: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    in_folder(user, ruled, monkeypatch)
    letters = [json.loads(line) for line in user.says("dead-letters", "list", "--json").splitlines()]
    broken = next(one["place"] for one in letters if "cut off" in one["reason"])
    shown = user.says("dead-letters", "show", broken)
    assert "withheld" in shown
    assert "back to scored[0]" in shown
    user.says("dead-letters", "replay", broken, "--yes")
    with closing(open_bus(load())) as bus:
        place = TopicPartition("scored", 0)
        *_, last = (value for batch in bus.read(place, *bus.watermarks(place)) for value in batch.values)
    assert last == b'{"model": "fraud", "note": "PLANTEDBROKEN'


def test_an_older_golden_set_is_not_refreshed_under_new_rules(user: User, bare: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    in_folder(user, bare, monkeypatch)
    user.configures("    false_alarms:", "    personal: {drop: [ssn]}\n    false_alarms:")
    told = user.says("golden", "refresh", "fraud", "golden.csv", "--label", "label", code=1)
    assert "it holds ssn, which drop (ssn) leaves out" in told


def test_a_recording_says_that_it_is_raw(user: User, ruled: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    in_folder(user, ruled, monkeypatch)
    assert "models.NAME.personal leaves nothing out of it" in user.says("record", "all.jsonl")
