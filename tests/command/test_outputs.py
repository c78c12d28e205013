"""What a verb writes is none of what it reads, and stands there whole or not at all."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.building.tables import open_table
from driftbus.consumers.reference.files import sql_text, written_whole
from driftbus.consumers.replay.offline import load as load_offline
from driftbus.schemas.configuration import Table

from .conftest import User, amounts, messages, table

ROWS = amounts(400, seed=2)
#: Ways in which one file has two names.
NAMES: dict[str, Callable[[Path, Path], object]] = {
    "the same": lambda file, other: None,
    "relative": lambda file, other: None,
    "a symlink": lambda file, other: other.symlink_to(file.name),
    "an absolute symlink": lambda file, other: other.symlink_to(file.absolute()),
    "a hard link": lambda file, other: os.link(file, other),
}


def other_name(way: str, file: Path) -> Path:
    other = {"the same": file, "relative": Path("..") / Path.cwd().name / file}.get(way, Path("other" + file.suffix))
    NAMES[way](file, other)
    return other


@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("option", ["--events", "--causes", "--measures", "--plot"])
def test_replay_does_not_write_what_it_reads(user: User, way: str, option: str) -> None:
    table(Path("h.csv"), ROWS)
    before = Path("h.csv").read_bytes()
    assert "which is read" in user.says("replay", "h.csv", option, str(other_name(way, Path("h.csv"))), code=2)
    assert Path("h.csv").read_bytes() == before


@pytest.mark.parametrize("file", ["driftbus.yaml", "train.csv", "bus.sqlite", "bus.sqlite-wal", "artifacts/references/x.csv"])
def test_nor_anything_else_of_the_application(user: User, file: str) -> None:
    table(Path("h.csv"), ROWS)
    user.creates()
    user.says("reference", "build", "fraud", "--from-start")
    before = Path(file).read_bytes() if Path(file).exists() else None
    for command in (["replay", "h.csv", "--events", file], ["record", file]):
        assert "name another file" in user.says(*command, code=2)
    assert (Path(file).read_bytes() if Path(file).exists() else None) == before


def test_two_outputs_are_two_files(user: User) -> None:
    table(Path("h.csv"), ROWS)
    assert "--events writes too" in user.says("replay", "h.csv", "--events", "x.csv", "--measures", "./x.csv", code=2)
    assert not Path("x.csv").exists()


def test_a_recording_is_not_written_over(user: User) -> None:
    user.creates()
    user.publishes(messages(ROWS))
    user.says("record", "week.jsonl")
    before = Path("week.jsonl").read_bytes()
    assert "is there already" in user.says("record", "week.jsonl", code=2)
    assert Path("week.jsonl").read_bytes() == before
    assert len(before.splitlines()) == 403


def test_schemas_are_written_over_schemas_only(user: User) -> None:
    user.says("schemas", "export", "published")
    user.says("schemas", "export", "published")
    Path("notes").mkdir()
    Path("notes/pane.json").write_text('{"my": "notes"}')
    assert "is not a schema of driftbus" in user.says("schemas", "export", "notes", code=2)
    assert [path.name for path in Path("notes").iterdir()] == ["pane.json"]
    assert Path("notes/pane.json").read_text() == '{"my": "notes"}'


@pytest.mark.parametrize("option", ["--events", "--causes", "--measures", "--plot"])
def test_an_error_leaves_what_was_there(user: User, option: str) -> None:
    good = Path("good.jsonl" if option != "--plot" else "good.png")
    good.write_text("of last week")
    Path("h.csv").write_text("at,amount\nsoon,1\n")
    user.says("replay", "h.csv", option, str(good), code=1)
    assert good.read_text() == "of last week"
    assert sorted(path.name for path in Path().iterdir() if path.name.startswith(".")) == []


def test_a_process_that_is_killed_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("of last week")
    code = (
        "import os, signal; from pathlib import Path; from driftbus.consumers.reference.files import written_whole\n"
        "with written_whole(Path('good.txt')) as place: place.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == -9
    assert (tmp_path / "good.txt").read_text() == "of last week"


def test_whole_files_keep_links_and_modes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    target, link = tmp_path / "a/file.txt", tmp_path / "link.txt"
    link.symlink_to("a/file.txt")
    for content in ("one", "two"):
        with written_whole(link) as place:
            place.write_text(content)
            assert place.suffix == ".txt"
            assert target.exists() == (content == "two")
        target.chmod(0o640)
    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("two", 0o640)
    with written_whole(Path(os.devnull)) as place:
        assert place == Path(os.devnull)


@pytest.mark.parametrize(
    "name", ["a[1].csv", "x*.csv", "x?.csv", "[!a].csv", "q'.csv", "~u.csv", "country=DE/[a]/t.csv", "{a,b}.csv", "**.csv"]
)
def test_a_name_is_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for other in ("a1.csv", "xx.csv", "b.csv", "a.csv"):
        Path(other).write_text("wrong\n1\n2\n")
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("amount\n7\n")
    for ending, reader in ((".parquet", "parquet"), (".jsonl", "json")):
        with duckdb.connect() as sql:
            sql.execute(f"copy (select 7 as amount) to {sql_text(str(Path(name + ending).absolute()))} (format {reader})")
    for file in (name, f"{name}.parquet", f"{name}.jsonl", str(Path(name).absolute())):
        with open_table(Table(file=file)) as rows:
            assert (rows.names, rows.rows) == (("amount",), 1)


def test_a_temporary_folder_may_have_any_name(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("t[1]'*").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(Path("t[1]'*").absolute()))
    table(Path("h[1].csv"), ROWS)
    user.says("replay", "h[1].csv", "--measures", "m[1].parquet", "--events", "e*.jsonl")
    with duckdb.connect() as sql:
        assert sql.execute("select count(*) from 'm[[]1].parquet'").fetchall()[0][0] > 0
    assert Path("e*.jsonl").is_file()


def summaries(file: str, folder: Path) -> list[tuple[int, bytes | None]]:
    """What a replay's profiler writes; the topic's id is part of it."""
    folder.mkdir()
    offline, _ = load_offline(load(), Path(file), None, "-", folder)
    with closing(open_bus(offline)) as bus, closing(Pipeline(bus, offline)) as pipeline:
        assert isinstance(bus, EmbeddedBus)
        for _ in pipeline.run_until_end():
            pass
        described = bus.describe(["fraud.scored"])["fraud.scored"]
        assert (described.id, described.partitions) == (f"sha256:{hashlib.sha256(Path(file).read_bytes()).hexdigest()}", 1)
        places = [TopicPartition(offline.topics.summaries, number) for number in range(offline.topics.partitions)]
        return [(place.partition, value) for place in places for batch in bus.read(place, *bus.watermarks(place)) for value in batch.values]


def test_two_replays_of_one_file_give_the_same_bytes(user: User, tmp_path: Path) -> None:
    table(Path("h.csv"), ROWS)
    shutil.copy("h.csv", "renamed.csv")
    table(Path("other.csv"), ROWS + 1)
    first, again, renamed, other = (
        summaries(file, tmp_path / f"{n}") for n, file in enumerate(("h.csv", "h.csv", "renamed.csv", "other.csv"))
    )
    assert first == again == renamed
    assert len(first) > 10
    assert other != first
    for name in ("one.jsonl", "two.jsonl"):
        user.says("replay", "h.csv", "--events", name)
    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()
