"""How alike a reference's rows are: of each subject an index of them, and what is to be expected of known rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....detectors.counting.layout import layout
from ....detectors.counting.sampling import drawn
from ....detectors.counting.segments import Segmenter
from ....detectors.familiarity.known import Flags, cells, tau
from ....detectors.neighbours.distinct import key_of, split
from ....detectors.neighbours.embedder import Embedder
from ....detectors.neighbours.masked import SAMPLES, profiles
from ....detectors.neighbours.report import warning_of_probe
from ....detectors.neighbours.rows import RowIndex
from ....detectors.neighbours.texts import TextIndex
from ....detectors.neighbours.vectors import embedded, scorable
from ....schemas.configuration import Model
from ....schemas.configuration.ood import ROW
from ....schemas.stored.familiarity import FamiliarityOf, FamiliarityProfile
from ....schemas.stored.reference import ProfiledField, Reference
from ..familiar import Subject
from ..familiar_rows import RowSubject, Table
from ..scored import classes_of
from ..token_vectors import installed_tokens
from .columns import Key, Source, UnusableReference
from .decoded import coded, decoded
from .probe import probed

Integers = NDArray[np.int64]
#: Rows that are looked at: of more, a part drawn by their numbers.
MOST_ROWS = 200_000
#: Held-out rows of which it is seen where they lie without each field, and these times masks, at most.
_MASKED, _MASKINGS = 500, 250_000
#: Rows of an index, and held-out ones that p-values are taken from, at most.
SIZE, CALIBRATION = 10_000, 5_000
_TEXTS = ("categorical", "boolean", "text")


@dataclass
class _Gathered:
    """Of the rows that are looked at."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    vectors: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    classes: list[str | None] = field(default_factory=list)
    numbers: list[Integers] = field(default_factory=list)
    times: list[Integers] = field(default_factory=list)
    segments: list[Integers] = field(default_factory=list)
    table: list[tuple[NDArray[np.float64], list[list[object]]]] = field(default_factory=list)


class _Built(NamedTuple):
    profile: FamiliarityProfile
    warnings: tuple[str, ...]


def familiar(
    source: Source, reference: Reference, keys: Sequence[Key], settings: Model, keep: Callable[[bytes], str]
) -> tuple[Reference, tuple[str, ...]]:
    """The reference with its familiarity, and warnings. ``keep`` stores an index, and says its hash."""
    subjects = _subjects(reference, settings)
    segmenter = None if reference.segmentation is None else Segmenter(reference.segmentation, layout(reference))
    assert settings.ood is not None
    rows = not subjects or ROW in settings.ood.subjects
    gathered = _gathered(source, reference, keys, subjects, segmenter, Table(reference.fields) if rows else None)
    built = [_built(gathered, reference, one, settings, keep, segmenter) for one in subjects]
    built += [_of_rows(gathered, reference, settings, keep, segmenter)] if rows else []
    warnings = tuple(f"{one.profile.of}: {warning}" for one in built for warning in one.warnings)
    return reference.model_copy(update={"familiarity": tuple(one.profile for one in built)}), warnings


def _subjects(reference: Reference, settings: Model) -> list[ProfiledField]:
    """The fields that are scored."""
    assert settings.ood is not None
    key, wanted = f"models.{reference.model}.ood.of", settings.ood.subjects
    suited = {field.name: field for field in reference.fields if field.type in ("text", "embedding") and field.values is not None}
    if lacking := [name for name in wanted if name not in suited and name != ROW]:
        msg = f"{key}: {', '.join(lacking)}: no text or embedding of the reference; there is {', '.join(suited) or 'none'}"
        raise UnusableReference(msg)
    return [suited[name] for name in wanted or suited if name != ROW]


def _gathered(
    source: Source,
    reference: Reference,
    keys: Sequence[Key],
    subjects: Sequence[ProfiledField],
    segmenter: Segmenter | None,
    table: Table | None,
) -> _Gathered:
    found, row, fields = _Gathered(), 0, reference.fields
    texts = [field.name for field in fields if field.type in _TEXTS]
    vectors = [field.name for field in fields if field.type == "embedding"]
    answers = next((field.name for field in fields if field.role == "prediction" and field.type in ("categorical", "boolean")), None)
    for chunk in source.chunks(keys):
        chosen = np.flatnonzero(drawn(np.arange(row, row + chunk.rows), MOST_ROWS / max(reference.rows, 1)))
        found.numbers.append(row + chosen)
        row += chunk.rows
        rows = decoded(chunk, fields, keys).of(chosen)
        for one in subjects:
            if one.type == "text":
                values = rows.categorical[texts.index(one.name)]
                found.texts.setdefault(one.name, []).extend(value if isinstance(value, str) else "" for value in values)
            else:
                found.vectors.setdefault(one.name, []).append(rows.vectors[vectors.index(one.name)])
        if table is not None:
            found.table.append(table.of(rows, np.arange(len(chosen))))
        if answers is not None:
            found.classes += classes_of(rows.categorical[texts.index(answers)], np.arange(len(chosen)))
        if chunk.times is not None:
            found.times.append(chunk.times[chosen])
        if segmenter is not None:
            found.segments.append(segmenter.of(rows.numeric, coded(rows)))
    return found


def _built(
    found: _Gathered,
    reference: Reference,
    subject: ProfiledField,
    settings: Model,
    keep: Callable[[bytes], str],
    segmenter: Segmenter | None,
) -> _Built:
    assert settings.ood is not None
    times = np.concatenate(found.times) if found.times else None
    classes = found.classes or None
    try:
        if subject.type == "text":
            texts = found.texts[subject.name]
            index, report = TextIndex.built(
                texts,
                embedder=settings.ood.embedder,
                tokens=installed_tokens(),
                classes=classes,
                times=times,
                size=SIZE,
                calibration=CALIBRATION,
            )
            held_out = _held_out([text.strip() for text in texts], [key_of(text) for text in texts], times)
        else:
            given = np.concatenate(found.vectors[subject.name])
            index, report = TextIndex.of_embeddings(given, classes=classes, times=times, size=SIZE, calibration=CALIBRATION)
            whole = embedded(given)
            held_out = _held_out(scorable(whole).tolist(), [vector.tobytes() for vector in whole.astype("<i2")], times)
    except ValueError as error:
        msg = f"models.{reference.model}.ood: {subject.name}: {error}"
        raise UnusableReference(msg) from error

    def flagged(rows: Integers) -> Flags:
        queries = index.read([texts[row] for row in rows.tolist()]) if subject.type == "text" else index.given(given[rows])
        return index.flags(queries.vectors, None if classes is None else [classes[row] for row in rows.tolist()], queries.firsts)

    flags, numbers = flagged(held_out), np.concatenate(found.numbers)
    index.rows = numbers[index.rows]  # in the data, of which a part may have been drawn
    profile = FamiliarityProfile(
        of=subject.name,
        kind="text" if subject.type == "text" else "embedding",
        index=keep(index.encoded()),
        **_embedder(index.embedder),
        why=report.why,
        classes=classes is not None,
        sample=settings.ood.sample,
        rows=report.reference,
        duplicates=report.duplicates,
        cells=cells(flags),
        tau=tau(flagged, held_out, numbers, timed=times is not None, sample=settings.ood.sample),
        segments=tuple(_segments(reference, found, held_out, flags, segmenter)),
    )
    return _with_probe(Subject(profile, reference.fields, index), report.warnings, settings.ood.probe)


def _of_rows(found: _Gathered, reference: Reference, settings: Model, keep: Callable[[bytes], str], segmenter: Segmenter | None) -> _Built:
    assert settings.ood is not None
    times = np.concatenate(found.times) if found.times else None
    classes = [name or "" for name in found.classes] or None
    values = np.concatenate([part for part, _ in found.table])
    texts = [[value for column in parts for value in column] for parts in zip(*(part for _, part in found.table), strict=True)]
    names = Table(reference.fields).names
    sources = {name: source for name in names if (source := settings.feature(name).source) is not None}
    try:
        index, report = RowIndex.built(values, texts, names, classes=classes, times=times, calibration=CALIBRATION, sources=sources)
    except ValueError as error:
        msg = f"models.{reference.model}.ood: {ROW}: {error}"
        raise UnusableReference(msg) from error
    held_out = report.held_out

    def at(rows: Integers) -> tuple[NDArray[np.float64], list[list[object]], list[str] | None]:
        own = [[column[row] for row in rows.tolist()] for column in texts]
        return values[rows], own, None if classes is None else [classes[row] for row in rows.tolist()]

    def flagged(rows: Integers) -> Flags:
        return index.flags(*at(rows))

    flags, numbers = flagged(held_out), np.concatenate(found.numbers)
    some = held_out[:: -(-len(held_out) // max(SAMPLES[-1], min(_MASKED, _MASKINGS // len(index.masks))))]
    outliers, cured = index.outliers
    masks = profiles(index.left(*at(some)), index.masks, names, cured)
    index.rows = numbers[index.rows]  # in the data, of which a part may have been drawn
    profile = FamiliarityProfile(
        of=ROW,
        kind="row",
        index=keep(index.encoded()),
        classes=classes is not None,
        sample=settings.ood.sample,
        rows=report.reference,
        duplicates=report.duplicates,
        cells=cells(flags),
        tau=tau(flagged, held_out, numbers, timed=times is not None, sample=settings.ood.sample),
        segments=tuple(_segments(reference, found, held_out, flags, segmenter)),
        outliers=outliers,
        masks=masks,
        pairs=index.outliers_paired if masks else (),
    )
    return _with_probe(RowSubject(profile, reference.fields, index), report.warnings, settings.ood.probe)


def _held_out(there: Sequence[object], keys: Sequence[bytes], times: Integers | None) -> Integers:
    """The rows that p-values are taken from, in their order: as the index chose them."""
    rows = np.flatnonzero(np.array([bool(one) for one in there]))
    found = split([keys[row] for row in rows.tolist()], None if times is None else times[rows], size=SIZE, held_out=CALIBRATION)
    return np.sort(rows[found.held_out])


def _embedder(embedder: Embedder | None) -> dict[str, object]:
    return {} if embedder is None else {"embedder": embedder.name, "files": dict(embedder.files)}


def _segments(
    reference: Reference, found: _Gathered, held_out: Integers, flags: NDArray[np.uint8], segmenter: Segmenter | None
) -> Iterator[FamiliarityOf]:
    if segmenter is None:
        return
    place_of = np.concatenate(found.segments)[held_out]
    for one in reference.segments:
        yield FamiliarityOf(name=one.name, rows=one.rows, cells=cells(flags[place_of == segmenter.names.index(one.name)]))


def _with_probe(subject: Subject | RowSubject, warnings: tuple[str, ...], probe: str | None) -> _Built:
    if probe is None:
        return _Built(subject.profile, warnings)
    flagged, rows = probed(subject, probe)
    profile = subject.profile.model_copy(update={"flagged_probe": (flagged, rows)})
    warning = warning_of_probe(flagged / rows)
    return _Built(profile, (*warnings, *([] if warning is None else [warning])))
