"""How queries are compared with the training data: by what, whether it can be had here, whether what must be flagged is, what it costs."""

import math
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from ....detectors.counting import Counting
from ....detectors.familiarity.places import NOTHING, UNLIKE
from ....schemas.configuration import Configuration
from ....schemas.stored.familiarity import LEVELS, FamiliarityProfile
from ....schemas.stored.reference import Reference
from ....schemas.unusable import Unusable
from ...decode.interface import Columns
from ...decode.json import JSONDecoder
from ...decode.personal import rules_of
from ...reference.artifacts import ArtifactError, ArtifactStore
from ...reference.building.probe import probed
from ...reference.familiar import Familiar, Subject
from ...reference.familiar_rows import RowSubject
from ...reference.scored import Compared
from .finding import Finding
from .samples import Sample

#: Distinct held-out rows below which small shares of new queries are found late.
FEW = 3_000
#: Of what is to be flagged a smaller part is too little.
LEAST = 0.5
#: Of the time that a profiler takes for its rows without it, what comparing them may take.
_SHARE = 1 / 3
#: Rows with which it is measured, at least.
_ROWS = 200


def unlike(
    configuration: Configuration, reference: Reference, sample: Sample, rows: Sequence[int], store: ArtifactStore
) -> Iterator[Finding]:
    """Of one model version that has ``ood:``; ``rows`` are those of the sample's messages that are of it."""
    settings, who = configuration.model(reference.model).ood, f"{reference.model}/{reference.version}"
    if settings is None:
        return
    key = f"models.{reference.model}.ood"
    if not reference.familiarity:
        remedy = f"driftbus reference build {reference.model} --version {reference.version}"
        yield Finding("note", f"{key}: the reference was built without it, so nothing is compared: {remedy}")
        return
    try:
        subjects = Familiar(store).subjects(reference)
    except (Unusable, ArtifactError) as error:
        yield Finding("wrong", f"{key}: {error}")
        return
    for subject in subjects:
        yield Finding("ok", f"{who}: {described(subject.profile)}")
        if subject.profile.calibration < FEW and not any(one.startswith(f"{subject.profile.of}: ") for one in reference.warnings):
            yield Finding("note", f"{key}: {subject.profile.of} has {subject.profile.calibration:,} held-out rows, fewer than {FEW:,}")
        if settings.probe is not None and isinstance(subject, Subject | RowSubject):
            yield from _of_probe(key, subject, settings.probe)
    rules = rules_of(configuration, reference.model)
    if rules.amiss(reference.fields) is None:  # else that is told, and its rows are not counted
        stream = configuration.streams[configuration.stream_of(reference.model)]
        decoder = JSONDecoder(stream.mapping, keys=rules.keys)
        yield from _costs(key, decoder, reference, subjects, sample, rows, settings.important)


def described(profile: FamiliarityProfile) -> str:
    """In a line: by what, with how many rows.

    >>> described(FamiliarityProfile(of="question", kind="text", index="", embedder="sketch/1024", rows=9, cells=(0, 1, 19)))
    'question is compared with 9 rows of the reference (sketch/1024); p-values from 20 others'
    """
    by = "" if not profile.embedder else f" ({profile.embedder}{f': {profile.why}' if profile.why else ''})"
    line = f"{profile.of} is compared with {profile.rows:,} rows of the reference{by}; p-values from {profile.calibration:,} others"
    parts = [", by predicted class" * profile.classes, f"; {profile.duplicates:,} duplicates left out" * bool(profile.duplicates)]
    if profile.flagged_probe is not None:
        flagged, probed_ = profile.flagged_probe
        parts.append(f"; of the probe {flagged / probed_:.0%} were flagged")
    return line + "".join(parts)


def _now(key: str, important: float, subject: Compared, flags: NDArray[np.uint8]) -> Finding:
    """What of the last messages is flagged."""
    scored = int((flags < NOTHING).sum())
    share = int(((flags >= UNLIKE) & (flags < NOTHING)).sum()) / max(scored, 1)
    text = f"{key}: {share:.1%} of the last {scored:,} messages are flagged at .05 as unlike {subject.profile.of}"
    return Finding("note" if share > max(LEVELS) + important else "ok", text)


def _of_probe(key: str, subject: Subject | RowSubject, probe: str) -> Iterator[Finding]:
    try:
        flagged, rows = probed(subject, probe)
    except (Unusable, OSError, ValueError) as error:
        yield Finding("wrong", f"{key}.probe: {error}")
        return
    text = f"{key}.probe: {flagged:,} of {rows:,} are flagged at .05 as unlike {subject.profile.of}"
    broad = flagged < LEAST * rows
    yield Finding("note" if broad else "ok", f"{text}: the reference is too broad to see what is like them" if broad else text)


def _costs(
    key: str,
    decoder: JSONDecoder,
    reference: Reference,
    subjects: Sequence[Compared],
    sample: Sample,
    rows: Sequence[int],
    important: float,
) -> Iterator[Finding]:
    """Measured on the last messages, against what a profiler takes for them anyway; and what of them is flagged."""
    if len(rows) < _ROWS:
        return
    counting, chosen = Counting(reference), np.array(rows, dtype=np.intp)
    began = time.perf_counter()
    columns: Columns = decoder.columns(reference.fields, sample.values, chosen)
    counting.count(columns.numeric, columns.categorical, columns.vectors)
    without = time.perf_counter() - began
    places = np.arange(len(rows))
    for subject in subjects:  # what is made once is no cost of a row
        subject.scored(columns, places[:1], np.zeros(1, dtype=np.bool_))
    began = time.perf_counter()
    flags = [subject.scored(columns, places, np.zeros(len(rows), dtype=np.bool_)).flags for subject in subjects]
    each = (time.perf_counter() - began) / len(rows)
    yield from starmap(partial(_now, key, important), zip(subjects, flags, strict=True))
    now = max(subject.profile.sample for subject in subjects)
    text = f"{key}: {each * 1e6:,.0f} us a row that is compared, one in {now}; all else takes {without / len(rows) * 1e6:,.0f} us a row"
    proposed = max(1, math.ceil(each * len(rows) / (without * _SHARE)))
    if now >= proposed:
        yield Finding("ok", text)
    else:
        yield Finding("note", f"{text}; with {key}.sample: {proposed} it would be less than a third of that (build the reference anew)")
