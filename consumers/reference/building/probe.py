"""A file of what must be flagged, scored by a reference's index: the share that is says whether its reference is too broad."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....detectors.familiarity.places import NOTHING
from ....detectors.neighbours.texts import Queries
from ....schemas.configuration import Table
from ..familiar import Subject
from ..familiar_rows import RowSubject
from .columns import Key, UnusableReference
from .decoded import decoded
from .tables import OF_TEXTS, TableSource, open_table

#: Rows of it that are read, at most.
MOST_PROBED = 10_000


def probed(subject: Subject | RowSubject, file: str) -> tuple[int, int]:
    """How many are flagged at .05, and how many can be scored; at least one can be."""
    if isinstance(subject, RowSubject):
        flags = _of_rows(subject, file)
    else:
        queries = _queries(subject, file)
        flags = subject.index.flags(queries.vectors, None, queries.firsts)
    scored = flags[flags != NOTHING]
    if not len(scored):
        msg = f"ood.probe: {file} has nothing that {subject.profile.of} could be compared with"
        raise UnusableReference(msg)
    return int(np.count_nonzero(scored)), len(scored)


def _of_rows(subject: RowSubject, file: str) -> NDArray[np.uint8]:
    """Of a table, whose columns are the reference's features; those that it has not are missing."""
    if Path(file).suffix in (".txt", ""):
        msg = f"ood.probe: {file} has lines of text, and rows are compared: write a table with their columns"
        raise UnusableReference(msg)
    features = [field for field in subject.fields if field.role == "feature"]
    texts = {field.name for field in features if field.type in OF_TEXTS}
    with open_table(Table(file=file), raw=lambda name: name in texts) as rows:
        there = [Key("feature", field.name) for field in features if field.name in rows.names]
        if not there:
            msg = f"ood.probe: {file} has none of the reference's features; its columns: {', '.join(rows.names)}"
            raise UnusableReference(msg)
        keys = [Key(field.role, field.name) for field in subject.fields]
        found, read = [np.zeros(0, dtype=np.uint8)], 0
        for chunk in TableSource(rows).chunks(there):
            chosen = np.arange(min(chunk.rows, MOST_PROBED - read))
            found.append(subject.flags_of(decoded(chunk, subject.fields, keys), chosen))
            read += len(chosen)
            if read >= MOST_PROBED:
                break
    return np.concatenate(found)


def _queries(subject: Subject, file: str) -> Queries:
    """Of a text file each line; of a table the column of that name, or, of texts, the only one."""
    name = subject.profile.of
    if Path(file).suffix in (".txt", ""):
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            msg = f"ood.probe: {file} cannot be read: {error}"
            raise UnusableReference(msg) from error
        if subject.profile.kind != "text":
            msg = f"ood.probe: {file} has lines of text, and {name} is an embedding: write a table with a column of that name"
            raise UnusableReference(msg)
        return subject.index.read([line for line in lines if line.strip()][:MOST_PROBED])
    with open_table(Table(file=file), raw=lambda _: True) as rows:
        column = name if name in rows.names else rows.names[0] if len(rows.names) == 1 else None
        if column is None:
            msg = f"ood.probe: {file} has no column {name}; its columns: {', '.join(rows.names)}"
            raise UnusableReference(msg)
        values: list[object] = []
        for chunk in rows.chunks([column]):
            values += list(chunk.columns[column])
            if len(values) >= MOST_PROBED:
                break
    values = values[:MOST_PROBED]
    if subject.profile.kind == "text":
        return subject.index.read([value if isinstance(value, str) else "" for value in values])
    return subject.index.given(np.array([value for value in values if isinstance(value, list)], dtype=np.float64))
