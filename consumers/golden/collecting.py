"""Golden sets from a labelled table: all of it, or a choice in which every class and slice has its share, and no row stands twice."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ...schemas.configuration import Table
from ...schemas.identity import content_hash
from ...schemas.stored.golden import MOST_ROWS, OF_NUMBERS, GoldenRow, GoldenSet, Loss, UnusableGolden, Value, golden_set, label_text
from ...schemas.text import CATEGORY, ID, fitted
from ..decode.personal import ModelRules
from ..reference.building.tables import TableRows, listed, open_table

#: Of labels that are numbers: as many groups of about one size.
_GROUPS = 10


class Collected(NamedTuple):
    """Rows of a table, and what was left out of it."""

    rows: list[GoldenRow]
    unlabelled: int
    repeated: int  #: with the features of another row


class Columns(NamedTuple):
    """What a table's columns are."""

    label: str
    id: str | None = None
    slices: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def collected(file: str, columns: Columns, loss: Loss, rules: ModelRules | None = None) -> Collected:
    """The labelled rows of a table, each once: of rows with the same features the first. Raises where two of these have other labels.

    ``rules``: of the model; what they leave out of its data is in no row, and what they change is changed there, too.
    """
    table = Table(file=file, ignore=columns.ignore)
    with open_table(table) as rows:
        for name in (columns.label, columns.id, *columns.slices):
            if name is not None and name not in rows.names:
                msg = f"{file} has no column {name!r}; its columns: {', '.join(rows.names)}"
                raise UnusableGolden(msg)
            if name is not None and rules is not None and (pattern := rules.settings.dropped(name)) is not None:
                msg = f"column {name!r} is dropped by models.NAME.personal.drop ({pattern}), so no golden set may hold it; name another"
                raise UnusableGolden(msg)
        features = [name for name in rows.features if name not in {columns.label, columns.id}]
        if rules is not None:
            features = [name for name in features if rules.settings.dropped(name) is None]
        return _once(_rows(rows, columns, features, loss, rules))


def _rows(table: TableRows, columns: Columns, features: Sequence[str], loss: Loss, rules: ModelRules | None) -> Iterator[GoldenRow | None]:
    """None: it has no label."""
    for chunk in table.chunks():
        values = {name: listed(chunk.columns[name]) for name in table.names}
        if rules:
            values |= {name: [rules.of(name).seen(one) for one in own] for name, own in values.items() if name != columns.label}
        for place in range(len(chunk.times)):
            label = _plain(values[columns.label][place])
            if label is None:
                yield None
                continue
            content = {name: _plain(values[name][place]) for name in features}
            id_ = _hash(content) if columns.id is None else fitted(str(values[columns.id][place]), ID)
            slices = tuple(sorted({fitted(f"{name}={values[name][place]}", CATEGORY) for name in columns.slices}))
            yield GoldenRow(id=id_, features=content, label=_label(label, loss), slices=slices)


def _once(rows: Iterator[GoldenRow | None]) -> Collected:
    kept, unlabelled, repeated = dict[str, GoldenRow](), 0, 0
    for row in rows:
        if row is None:
            unlabelled += 1
            continue
        before = kept.setdefault(_hash(row.features), row)
        if before is not row:
            repeated += 1
            if before.label != row.label:
                msg = f"rows {before.id!r} and {row.id!r} have the same features and other labels: no model can answer both; leave both out"
                raise UnusableGolden(msg)
    return Collected(list(kept.values()), unlabelled, repeated)


def chosen(rows: Sequence[GoldenRow], most: int, loss: Loss) -> list[GoldenRow]:
    """At most so many: of every class (or tenth of the numbers) in every combination of slices an equal share, as far as it has rows.

    Which of a group is a hash of their content: the same rows are chosen again, and a larger set holds a smaller one of the same groups.
    """
    groups: dict[tuple[object, ...], list[GoldenRow]] = defaultdict(list)
    cuts = _cuts([row.label for row in rows if isinstance(row.label, int | float)]) if loss in OF_NUMBERS else []
    for row in rows:
        of_label = sum(row.label > cut for cut in cuts) if isinstance(row.label, int | float) and loss in OF_NUMBERS else row.label
        groups[of_label, row.slices].append(row)
    ordered = [
        sorted(group, key=lambda row: (_hash(row.features), row.id)) for _, group in sorted(groups.items(), key=lambda one: str(one[0]))
    ]
    return [row for group, share in zip(ordered, _shares([len(group) for group in ordered], most), strict=True) for row in group[:share]]


def refreshed(before: GoldenSet, rows: Sequence[GoldenRow], most: int) -> GoldenSet:
    """A new version: of the old rows and the new ones, each features once (the newer label holds), as many as may be, stratified."""
    together: Mapping[str, GoldenRow] = {_hash(row.features): row for row in (*before.rows, *rows)}
    ids = dict[str, GoldenRow]()
    for row in together.values():
        ids[row.id] = row  # of one id the newer row
    picked = chosen(list(ids.values()), min(most, MOST_ROWS), before.loss)
    known = {str(row.label) for row in picked} if before.loss not in OF_NUMBERS else set()
    classes = (*before.classes, *sorted(known - set(before.classes))) if before.classes else ()
    return golden_set(before.model, before.loss, picked, classes)


def _shares(sizes: Sequence[int], most: int) -> list[int]:
    """As equal as may be, what small groups leave to the larger ones.

    >>> _shares([2, 100, 50], 60)
    [2, 29, 29]
    """
    shares, left = [0] * len(sizes), most
    open_ = sorted(range(len(sizes)), key=lambda place: (sizes[place], place))
    for rank, place in enumerate(open_):
        shares[place] = min(sizes[place], left // (len(open_) - rank))
        left -= shares[place]
    return shares


def _cuts(labels: Sequence[float]) -> list[float]:
    ordered = sorted(labels)
    return [ordered[len(ordered) * place // _GROUPS] for place in range(1, _GROUPS)] if ordered else []


def _plain(value: object) -> Value:
    """As JSON has it: NaN and infinities are none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list):
        if not all(isinstance(one, int | float) for one in value):
            msg = "a list of something else than numbers is no feature: leave its column out"
            raise UnusableGolden(msg)
        return [float(one) for one in value]
    return None if value is msgspec.UNSET else str(value)


def _label(label: Value, loss: Loss) -> float | str:
    if loss not in OF_NUMBERS:
        return label_text(label)
    if isinstance(label, bool | str | list) or label is None:
        msg = f"label {label!r} is no number, and the loss is {loss}; leave the row out, or choose --loss zero_one"
        raise UnusableGolden(msg)
    return float(label)


def _hash(features: Mapping[str, Value]) -> str:
    return content_hash(msgspec.json.encode(features, order="sorted"))[-32:]
