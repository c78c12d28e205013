"""From rows to a reference: four passes over the source, with no more than the samples of a few columns in memory."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ....detectors.betting import TILTS
from ....detectors.betting.margin import budget, margin
from ....detectors.counting.sampling import drawn
from ....schemas.configuration import Model, PaneLength
from ....schemas.identity import content_hash
from ....schemas.stored.reference import ProfiledField, Reference
from ....schemas.text import FIELD, REMARK, UNKNOWN_FIELD, fitted, unfit
from ...decode.personal import ModelRules
from .columns import Chunk, Key, Kind, Source, UnusableReference
from .coverage import uncovered
from .doubtful import doubts
from .familiarity import familiar
from .fields import FEWEST_VALUES, EmbeddingField, field_of
from .golden import GoldenSource
from .job_rows import JobSource
from .multivariate import together
from .recount import recounted
from .related import related
from .survey import Ignored, Survey, Typed
from .traffic import TrafficProfiling
from .watched import SourceWithNulls, SourceWithRules, TypedSource

__all__ = ["UnusableReference", "build_reference"]

FEWEST_ROWS = 500
#: With fewer, what the margin for an unlucky reference hides is worth a word.
FEW_ROWS = 2_000
#: Up to so many rows quantiles are exact; of more they come from a sample of about so many.
SAMPLE_ROWS = 1_000_000
#: Columns that are worked on at once: bounds memory to their samples.
_AT_ONCE = 32


def build_reference(
    source: Source,
    model: str,
    version: str,
    settings: Model | None = None,
    pane: PaneLength | None = None,
    keep: Callable[[bytes], str] = content_hash,
) -> Reference:
    """The profile of all rows of a source; with panes of so long, that of its traffic too.

    Counts and moments are exact; quantiles too, up to `SAMPLE_ROWS` rows. The same rows make the same reference, to the byte.
    ``keep`` stores what lies beside it (indexes), and says its hash.
    """
    settings = settings or Model()
    rules = ModelRules(model, settings)
    source = personal = SourceWithRules(
        SourceWithNulls(source, settings), settings, rules, hashed=isinstance(source, GoldenSource | JobSource)
    )
    span, traffic, surveys = _Span(), TrafficProfiling(source.label, settings, pane), dict[Key, Survey]()
    for chunk in source.chunks():
        span.add(chunk)
        traffic.add(chunk)
        for key, column in chunk.columns.items():
            surveys.setdefault(key, Survey()).add(column)
        for key in chunk.loose:
            surveys[key].loose = True
    remarks = list(source.remarks())
    if span.rows < FEWEST_ROWS:
        msg = f"{source.label} has {span.rows:,} rows for {model}/{version}, {FEWEST_ROWS} are needed; give more data"
        raise UnusableReference("; ".join([msg, *remarks]))
    typed: dict[Key, Typed] = {}
    ignored = dict.fromkeys(sorted(personal.dropped), f"dropped: models.{model}.personal")
    for key, survey in surveys.items():
        if key.role == "feature" and (why := unfit(key.name, FIELD)):
            ignored[fitted(key.name, UNKNOWN_FIELD)] = f"{why}: rename it to have it watched"
            continue
        decided = survey.decide(settings.feature(key.name), timed=span.first is not None)
        if isinstance(decided, Ignored):
            ignored[_name(key, surveys)] = decided.reason
        elif key.role == "feature" or survey.kinds.keys() - {Kind.MISSING}:  # an output that no row has is none
            typed[key] = decided._replace(zone=settings.zone_of(key.name))
            if key.role == "feature" and rules.written(key.name) and decided.type not in {"categorical", "text"}:
                msg = f"models.{model}.personal.mask: {key.name} is {decided.type}, and patterns are of texts; drop it, or hash it"
                raise UnusableReference(msg)
    if not typed:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in ignored.items())
        msg = f"{source.label} has no column to watch: {reasons or 'there is none besides those with a role'}"
        raise UnusableReference(msg)
    source = TypedSource(source, typed)
    fields = [(_name(key, surveys), key) for key in typed]
    built = tuple(
        field.model_copy(
            update={
                "nulls": settings.nulls_of(key.name),
                "zone": typed[key].zone if field.type == "timestamp" else "UTC",
                "rule": rules.written(key.name) if key.role == "feature" else None,
            }
        )
        for field, (_, key) in zip(_built(source, span.rows, fields, typed), fields, strict=True)
    )
    ids, volume = traffic.ids(), traffic.volume()
    reference = Reference(
        model=model,
        version=version,
        rows=span.rows,
        first=span.first,
        last=span.last,
        longest_gap=span.longest_gap,
        ordered=span.first is not None,
        fields=built,
        ids=ids,
        volume=volume,
        pane=None if pane is None or (ids is None and volume is None) else str(pane),
        ignored=ignored,
    )
    reference, unpaired = together(reference, source, dict(fields), settings)
    reference = related(source, reference, [key for _, key in fields])
    reference = recounted(source, reference, [key for _, key in fields], settings)
    reference, unlike = (reference, ()) if settings.ood is None else familiar(source, reference, [key for _, key in fields], settings, keep)
    rising = [name for name, key in fields if surveys[key].rises and typed[key].type == "numeric"]
    profiled = {key: field for field, (_, key) in zip(reference.fields, fields, strict=True)}
    looked_at = {key.name: (profiled.get(key), survey, typed.get(key)) for key, survey in surveys.items() if key.role == "feature"}
    doubtful = doubts(looked_at, settings, model)
    warnings = *_warnings(source, reference, settings, rising), *doubtful, *traffic.warnings(), *unpaired, *unlike, *remarks
    return reference.model_copy(update={"warnings": tuple(fitted(warning, REMARK) for warning in warnings)})


class _Span:
    """How many rows there are, and when."""

    def __init__(self) -> None:
        self.rows = 0
        self.first: int | None = None
        self.last: int | None = None
        self.longest_gap: int | None = None

    def add(self, chunk: Chunk) -> None:
        self.rows += chunk.rows
        if chunk.times is None or not chunk.rows:
            return
        earliest = int(chunk.times.min())
        self.first = earliest if self.first is None else min(self.first, earliest)
        so_far = np.maximum.accumulate(np.append(earliest if self.last is None else self.last, chunk.times))
        self.longest_gap = max(self.longest_gap or 0, int(np.diff(so_far).max()))
        self.last = int(so_far[-1])


def _name(key: Key, others: dict[Key, Survey]) -> str:
    """Of the field; an output steps back where a feature has its name."""
    return f"{key.name} (output)" if key.role != "feature" and Key("feature", key.name) in others else key.name


def _built(source: Source, rows: int, fields: Sequence[tuple[str, Key]], typed: dict[Key, Typed]) -> Iterator[ProfiledField]:
    for first in range(0, len(fields), _AT_ONCE):
        names = dict(fields[first : first + _AT_ONCE])
        keys = list(names.values())
        builders = {key: field_of(key, typed[key]) for key in keys}
        if embeddings := {key: builder for key, builder in builders.items() if isinstance(builder, EmbeddingField)}:
            for chunk in source.chunks(list(embeddings)):
                for key, builder in embeddings.items():
                    builder.orient(chunk.columns[key])
        row = 0
        for chunk in source.chunks(keys):
            sampled = _sampled(row, chunk.rows, rows)
            row += chunk.rows
            for key, column in chunk.columns.items():
                builders[key].look(column, sampled)
        for chunk in source.chunks(keys):
            for key, column in chunk.columns.items():
                builders[key].count(column)
        for chunk in source.chunks(keys):
            for key, column in chunk.columns.items():
                builders[key].follow(column)
        yield from (builders[key].profiled(name) for name, key in names.items())


def _sampled(first: int, rows: int, total: int) -> NDArray[np.bool_]:
    """Which of these rows are in the sample."""
    return drawn(np.arange(first, first + rows), SAMPLE_ROWS / total)


def _warnings(source: Source, reference: Reference, settings: Model, rising: Sequence[str]) -> Iterator[str]:
    if reference.rows < FEW_ROWS:
        try:
            rows = budget(reference, settings).rows
        except ValueError:  # the rate is unknown, and `check` asks for it
            rows = None
        unseen = TILTS[0] / 2 + margin(rows, reference.rows, len(reference.fields)) / reference.rows**0.5
        yield f"{source.label} has {reference.rows:,} rows: shifts under {unseen:.2g} sd stay unseen; give {FEW_ROWS:,} or more"
    if not reference.ordered:
        yield f"{source.label} has no times: if its rows are not in the order of time, dependence is unchecked"
    for name in rising:
        yield f"{name} rises with every row, as ids and times do; if it is one, ignore it, for it will always drift"
    if reference.segmentation is not None:
        unwatched = [name for name in reference.segmentation.names if name not in {segment.name for segment in reference.segments}]
        if unwatched:
            yield f"segments with fewer than {FEWEST_ROWS} rows are not watched by themselves: {', '.join(unwatched)}"
    yield from uncovered(reference, settings, rising)
    few = {field.name: field.availability.counts[0] for field in reference.fields if field.values is None}
    if few:
        listed = ", ".join(f"{name} ({rows})" for name, rows in few.items())
        yield f"fewer than {FEWEST_VALUES} rows have a value, only availability is watched: {listed}"
