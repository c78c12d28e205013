"""The rows that a job was given, and those that its model answered, as sources of a reference: what `driftbus dataset build` writes."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from ....schemas.configuration import Table
from ....schemas.identity import content_hash
from ....schemas.stored.reference import Role
from .columns import Key, UnusableReference
from .tables import TableRows, TableSource, open_table

MANIFEST, ANSWERS = "manifest.json", "answers.parquet"
_PARTS = "part-*.parquet"
_OUTPUTS: tuple[Role, ...] = ("prediction", "score")


class _Column(msgspec.Struct):
    name: str
    role: str
    field: str | None = None


class _Part(msgspec.Struct):
    file: str
    sha256: str


class _Manifest(msgspec.Struct):
    columns: list[_Column]
    parts: list[_Part] = []


class JobData(NamedTuple):
    """A folder of a job's rows."""

    name: str  #: of the data: the hash of the manifest
    parts: tuple[str, ...]
    features: Mapping[str, str]  #: by column, the name in messages
    time: str | None  #: the column
    answers: Path | None  #: what the new model answered on rows that were held out

    @classmethod
    def of(cls, folder: Path) -> "JobData":
        """What lies in a folder. Raises `UnusableReference`, and why."""
        manifest = folder / MANIFEST
        try:
            content = manifest.read_bytes()
            known = msgspec.json.decode(content, type=_Manifest)
        except OSError as error:
            msg = f"{manifest} cannot be read: {error.strerror}; name the folder that `driftbus dataset build --out` wrote"
            raise UnusableReference(msg) from None
        except msgspec.MsgspecError as error:
            msg = f"{manifest} is no manifest of a data set: {error}"
            raise UnusableReference(msg) from None
        features = {column.name: column.field or column.name for column in known.columns if column.role == "feature"}
        parts = tuple(str(part) for part in sorted(folder.glob(_PARTS)))
        if not features or not parts:
            msg = f"{folder}: {'its manifest names no feature' if parts else f'there is no {_PARTS} beside its manifest'}"
            raise UnusableReference(msg)
        if known.parts and {one.file: one.sha256 for one in known.parts} != {Path(part).name: _sha256(Path(part)) for part in parts}:
            msg = f"{folder}: its parts are not those of its manifest; driftbus dataset verify {folder} says which"
            raise UnusableReference(msg)
        time = next((column.name for column in known.columns if column.role == "time"), None)
        answers = folder / ANSWERS
        return cls(content_hash(content), parts, features, time, answers if answers.exists() else None)


def _sha256(file: Path) -> str:
    with file.open("rb") as part:
        return hashlib.file_digest(part, "sha256").hexdigest()


class JobSource(TableSource):
    """The features of a job's rows. What is personal in them is as the model's rules left it."""

    def __init__(self, rows: TableRows, features: Mapping[str, str]) -> None:
        super().__init__(rows, {Key("feature", name): column for column, name in features.items()})


@contextmanager
def job_rows(data: JobData, zone: str) -> Iterator[JobSource]:
    """The rows that the model was trained on."""
    with open_table(Table(file=data.parts, time=data.time), zone=zone) as rows:
        if gone := sorted(set(data.features) - set(rows.names)):
            msg = f"{rows.label} has no column {', '.join(gone)}, of which its manifest speaks; its columns: {', '.join(rows.names)}"
            raise UnusableReference(msg)
        yield JobSource(rows, data.features)


@contextmanager
def job_answers(file: Path, zone: str) -> Iterator[TableSource]:
    """What the model answered: columns `prediction`, `score`, and `time`. Raises `UnusableReference` where neither output is there."""
    with open_table(Table(file=str(file)), zone=zone) as rows:
        names = set(rows.names)
    outputs = {Key(role, role): role for role in _OUTPUTS if role in names}
    if not outputs:
        msg = f"{file} has neither a column prediction nor one score; its columns: {', '.join(sorted(names))}"
        raise UnusableReference(msg)
    with open_table(Table(file=str(file), time="time" if "time" in names else None), zone=zone) as rows:
        yield TableSource(rows, outputs)
