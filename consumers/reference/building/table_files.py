"""The files of a table: one, several, those of a folder, or those that a pattern matches where no file has it for a name."""

from collections.abc import Sequence
from pathlib import Path

from .columns import UnusableReference

#: What a file is, by the end of its name; packed ones may have another behind it.
KINDS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".ndjson": "json", ".json": "json"}
PACKED = (".gz", ".zst")


class UnusableTable(UnusableReference):
    """A file that cannot be read as the configuration describes it. Its text says what to change."""


def kind_of(path: Path) -> str | None:
    """What kind of table a file is; None: of none.

    >>> kind_of(Path("a.csv.gz")), kind_of(Path("a.2026.parquet")), kind_of(Path("a.xlsx"))
    ('csv', 'parquet', None)
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return KINDS.get(suffixes[-1]) if suffixes else None


def files_of(named: str | Sequence[str]) -> list[Path]:
    """In the order of the list, and each folder's or pattern's in the order of their names; all of one kind."""
    found = [file for name in ([named] if isinstance(named, str) else named) for file in _files(name)]
    kinds = {kind_of(file) for file in found}
    if len(kinds) > 1:
        msg = f"{named} are files of several kinds: {', '.join(sorted(file.name for file in found)[:4])}; name those of one"
        raise UnusableTable(msg)
    return found


def _files(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith((".", "_")) and kind_of(file))
        if not found:
            msg = f"{name} is a folder without a table; tables end in {', '.join(KINDS)}"
            raise UnusableTable(msg)
        return found
    if not path.exists() and any(letter in name for letter in "*?["):
        found = sorted(file for file in _matching(path) if file.is_file())
        if not found:
            msg = f"{name}: no file is so called, and none matches it in {Path.cwd()}"
            raise UnusableTable(msg)
        return found
    if kind_of(path) is None:
        msg = f"{name} is not a table that can be read; use one of {', '.join(KINDS)}, which may be packed ({', '.join(PACKED)})"
        raise UnusableTable(msg)
    if not path.is_file():
        msg = f"{name} does not exist in {Path.cwd()}" if not path.is_absolute() else f"{name} does not exist"
        raise UnusableTable(msg)
    return [path]


def _matching(path: Path) -> list[Path]:
    root = Path(path.anchor) if path.is_absolute() else Path()
    return list(root.glob(str(path.relative_to(path.anchor)) if path.is_absolute() else str(path)))
