"""Whether data are as they were written: everything that their manifest says of them is found out again."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from ...schemas.stored.dataset import DatasetPart, Manifest
from ..reference.files import sql_file
from .folder import MANIFEST, PARTS, UnusableFolder, manifest_of
from .parts import hashed


def verify(folder: Path) -> Manifest:
    """The manifest, if all is as it says. Raises `UnusableFolder` that lists whatever is not."""
    manifest = manifest_of(folder)
    if wrong := list(_wrong(folder, manifest)):
        msg = f"{folder} is not as it was written: {'; '.join(wrong[:5])}{'; ...' if len(wrong) > 5 else ''}"
        raise UnusableFolder(msg)
    return manifest


def _wrong(folder: Path, manifest: Manifest) -> Iterator[str]:
    if (folder / MANIFEST).read_bytes() != manifest.encoded():
        yield f"{MANIFEST} was changed"
    rows = manifest.rows
    if rows.accounted != rows.taken:
        yield f"{rows.taken:,} rows were taken, and it accounts for {rows.accounted:,}"
    if rows.written != sum(part.rows for part in manifest.parts):
        yield f"{rows.written:,} rows were written, and its parts have {sum(part.rows for part in manifest.parts):,}"
    names = {part.file for part in manifest.parts}
    there = {file.name for file in folder.glob(PARTS)}
    yield from (f"{name} is missing" for name in sorted(names - there))
    yield from (f"{name} is none of its parts" for name in sorted(there - names))
    with duckdb.connect(":memory:") as connection:
        for part in manifest.parts:
            if part.file in there:
                yield from (f"{part.file}: {why}" for why in _of_part(connection, folder / part.file, part, manifest))


def _of_part(connection: duckdb.DuckDBPyConnection, file: Path, part: DatasetPart, manifest: Manifest) -> Iterator[str]:
    if file.stat().st_size != part.bytes:
        yield f"{file.stat().st_size:,} bytes instead of {part.bytes:,}"
    elif (found := hashed(file)) != part.sha256:
        yield f"its hash is {found[:12]}..., not {part.sha256[:12]}..."
    else:
        relation = f"read_parquet({sql_file(file)})"
        described = [(name, type_) for name, type_, *_ in connection.execute(f"describe select * from {relation}").fetchall()]
        if described != [(column.name, column.type) for column in manifest.columns]:
            yield "its columns are others"
        rows = connection.execute(f"select count(*) from {relation}").fetchall()[0][0]
        if rows != part.rows:
            yield f"{rows:,} rows instead of {part.rows:,}"
