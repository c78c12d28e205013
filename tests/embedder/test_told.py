"""What a person sees of an embedder: `driftbus check` asks it, `driftbus status` tells how far it is, and a replayed table gets vectors."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.command.checks.embedder import vectors_of
from driftbus.consumers.command.main import main
from driftbus.consumers.console.standing import PartitionStanding, standing
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.configuration import Configuration

from .server import SIZE, Server, serving
from .worlds import TOPIC, configured, embed, memory, messages, prepare, questions, settings, written

MODULE = "tests.embedder.functions"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def embedders(bus: EmbeddedBus, chosen: Configuration) -> list[PartitionStanding]:
    return [one for one in standing(bus, chosen).partitions if one.role == "embedder"]


def test_its_status_follows_from_what_it_committed(server: Server, tmp_path: Path) -> None:
    bus, chosen = memory(), settings(server, tmp_path, attempts=1)
    prepare(bus, chosen, messages(40))
    asking = bus.as_instance("elsewhere")
    assert [(one.embeds, one.to_read) for one in embedders(asking, chosen)] == [("waits", 20), ("waits", 20)]
    server.down = True
    pipeline = Pipeline(bus, chosen, ["embedder"])
    while any(one.embeds != "fails" for one in embedders(asking, chosen)):
        pipeline.turn()
    assert all(one.embeds_since is not None and one.to_read == 20 for one in embedders(asking, chosen))
    server.down = False
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    assert [(one.embeds, one.embeds_since, one.to_read) for one in embedders(asking, chosen)] == [("answers", None, 0)] * 2


def test_the_command_has_a_row_a_partition(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = written(tmp_path, "watch", TOPIC, **server.settings(attempts=1))
    Path("driftbus.yaml").write_text(json.dumps(chosen | {"bus": "embedded", "embedded": "bus.sqlite"}))
    with closing(EmbeddedBus("bus.sqlite", "watch", "one")) as bus:
        prepare(bus, Configuration.model_validate(chosen), messages(40))
        embed(bus, Configuration.model_validate(chosen))
    told = CliRunner(catch_exceptions=False).invoke(main, ["status"]).output
    of_embedder = told[told.index("embedder: asked") : told.index("profiler")]
    assert of_embedder.count("answers") == 2
    assert "vectors" in of_embedder
    (first, _) = json.loads(CliRunner().invoke(main, ["status", "--json"]).output)["partitions"][:2]
    assert (first["role"], first["embeds"], first["to_read"]) == ("embedder", "answers", 0)


def test_its_state_survives_its_process(server: Server, tmp_path: Path) -> None:
    bus, chosen = memory(), settings(server, tmp_path)
    prepare(bus, chosen, messages(40))
    embed(bus, chosen)
    embed(bus, chosen)
    assert [one.embeds for one in embedders(bus, chosen)] == ["answers"] * 2


def test_a_check_asks_it_once(server: Server, tmp_path: Path) -> None:
    (found,) = vectors_of(settings(server, tmp_path))
    assert found.level == "ok"
    assert found.text.startswith(f"streams.predictions.embedder: words@1 answers: {SIZE} numbers, ")
    assert found.text.endswith(" ms a short text, 64 a call")
    assert len(server.asked) == 1


def test_a_check_says_what_is_wrong_with_it(server: Server, tmp_path: Path) -> None:
    (of_another_size,) = vectors_of(settings(server, tmp_path, size=SIZE + 1))
    assert (of_another_size.level, f"(64, {SIZE}) for 64 texts, {SIZE + 1} numbers each" in of_another_size.text) == ("wrong", True)
    server.down = True
    (down,) = vectors_of(settings(server, tmp_path, down="pass"))
    assert (down.level, "words@1 does not answer: HTTP 503" in down.text) == ("note", True)
    (absent,) = vectors_of(configured(tmp_path, callable=f"{MODULE}:absent"))
    assert (absent.level, "embedder.callable" in absent.text) == ("wrong", True)


def test_a_replayed_table_gets_vectors(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its second half is unlike the training data, which nothing but the embedder's vectors shows."""
    monkeypatch.chdir(tmp_path)
    _write("train.jsonl", [*questions(3_000, seed=1)])
    rows = [*questions(3_000)]
    for row in rows[1_500:]:
        row["question"] = " ".join(f"new{word}" for word in row["question"].split())
    _write("history.jsonl", rows)
    chosen = written(tmp_path, "watch", TOPIC, **server.settings())
    Path("driftbus.yaml").write_text(json.dumps(chosen | {"bus": "embedded", "embedded": "bus.sqlite"}))
    told = CliRunner(catch_exceptions=False).invoke(main, ["replay", "history.jsonl", "--events", "events.jsonl"])
    assert told.exit_code == 0, told.output
    events = [msgspec.json.decode(line) for line in Path("events.jsonl").read_bytes().splitlines()]
    assert "ood" in {event["kind"] for event in events}, told.output


def _write(file: str, rows: Sequence[Mapping[str, object]]) -> None:
    Path(file).write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
