"""Files by their names: a name is a name, whatever is in it; what is written stands there whole, or not at all."""

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What DuckDB, in the name of a file that it reads, takes for a pattern.
_PATTERN = re.compile(r"([*?\[])")


def sql_text(text: str) -> str:
    """A text as SQL writes it.

    >>> print(sql_text("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def sql_file(file: Path | str) -> str:
    """A file that is to be read, as SQL names it: that one, not those that its name would match, nor one in somebody's home or on a server.

    >>> print(sql_file("/data/a[1]*.csv"))
    '/data/a[[]1][*].csv'
    """
    return sql_text(_PATTERN.sub(r"[\1]", str(Path(file).absolute())))


@contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """A place to write to, which takes the file's place when the block has ended well; until then, and else, what was there stays.

    Its name ends like the file's. What a link points to is replaced, not the link; a pipe or a device (``-``: standard output) is written
    to as it is.
    """
    file = Path("/dev/stdout") if str(file) == "-" else file
    if file.exists() and not file.is_file():
        yield file
        return
    target = file.resolve()
    part = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
