"""A post-mortem of an incident: what became of it, how it is known, and what of it is not."""

from collections.abc import Iterator, Sequence
from functools import partial

from ...detectors.diagnosis.undoing import image, places
from ...detectors.diagnosis.words import listed, number, quoted, when
from ...schemas.messages.root_cause import EvidencePiece, PersonsWord, RootCauseEvent
from ..console.causes import ToldIncident
from ..console.episodes import ToldEpisode
from ..replay.event_line import changes, short_id
from ..replay.picture import moment
from . import measured
from .document import Document, Items, Part, Picture, Prose, Section, Table
from .drawing import Mark, Span, timeline
from .said import Said
from .stored import Stored

#: Features that are drawn, and lines of each kind in the timeline.
_MOST_DRAWN, _MOST_LINES = 6, 12
_DECISIONS = {"allow": "allowed", "hold": "on hold", "forbid": "forbidden"}


def post_mortem(incident: ToldIncident, said: Said, stored: Stored | None) -> Document:
    """All that is known of it."""
    last = incident.last
    sections = (
        Section("What happened", tuple(_happened(incident))),
        Section("Timeline", tuple(_timeline(incident, said, stored))),
        Section("Before and after", tuple(_measured(last, stored))),
        Section("Evidence", tuple(_evidence(last))),
        Section("Ruled out, and not known", tuple(_not(last))),
        Section("What to do", tuple(_to_do(last))),
        Section("Counted from", tuple(_offsets(last))),
    )
    names = f": {listed(last.scope.features, last.scope.more_features)}" if last.scope.features else ""
    title = f"{_words(last.cause).capitalize()} of model {quoted(f'{last.model} {last.version}')}{names}"
    return Document(title, tuple(_facts(incident)), tuple(one for one in sections if one.parts))


def _facts(incident: ToldIncident) -> Iterator[tuple[str, str]]:
    first, last = incident.revisions[0], incident.last
    yield "Status", last.status + (f", {last.reason}" if last.reason else "")
    yield "Since", when(last.onset.window[0], rows=last.in_rows)
    yield "First said", when(first.run, rows=last.in_rows)
    yield "Confidence", number(last.confidence) + (", calibrated" if last.calibrated else "")
    yield "Retraining", _DECISIONS[last.retrain_gate.decision]
    yield "Harm", last.impact.harm
    if last.scope.owners:
        yield "Owners", listed(last.scope.owners)
    yield "Stream", quoted(last.stream)
    yield "Incident", quoted(last.incident)


def _happened(incident: ToldIncident) -> Iterator[Part]:
    last = incident.last
    yield Prose(last.text, lead=True)
    if last.map is not None:
        yield Prose(f"The map: values now are {image(last.map)}; of quantiles it misses {number(last.map.error)} of their spread.")
    if last.scope.exchanged:
        yield Prose(f"Exchanged: {places(last.scope.exchanged)}.")
    if last.feedback is not None:
        yield Prose(_word(last.feedback, rows=last.in_rows))
    doubts = [
        *([] if last.complete else ["Some rows came too late to be counted."]),
        *(["The wall clock, not the log, said when some windows were complete."] if last.clock_decided else []),
    ]
    if doubts:
        yield Items(tuple(doubts))


def _word(said: PersonsWord, *, rows: bool) -> str:
    who, cause = quoted(said.by or "somebody"), "" if said.cause is None else f" (it is {_words(said.cause)})"
    note = f": {said.note}" if said.note else ""
    return f"A person's word, {who} at {when(said.time, rows=rows)}: {said.answer}{cause}{note}"


def _timeline(incident: ToldIncident, said: Said, stored: Stored | None) -> Iterator[Part]:
    last, revisions = incident.last, incident.revisions
    spans = [Span(f"episode {short_id(one.id)}", _ms(one.first.onset), _episode_end(one), "then") for one in said.episodes[:_MOST_LINES]]
    ends = [*(one.run for one in revisions[1:]), None if incident.is_open else last.run]
    merged: list[Span] = []
    for one, end in zip(revisions, ends, strict=True):
        kind = "now" if one.status in ("confirmed", "resolved") else "dim"
        if merged and merged[-1].name == one.status:
            merged[-1] = merged[-1]._replace(end=end)
        elif end is None or end > one.run:
            merged.append(Span(one.status, one.run, end, kind))
    spans = [*spans, *merged[-_MOST_LINES:]]
    marks = [Mark("onset", last.onset.window[0])]
    marks += [Mark(f"{_words(one.event.kind)} {one.event.version}", one.at) for one in said.events[-_MOST_LINES:]]
    marks += [Mark(f"golden set {one.golden[:8]}", one.time) for one in (() if stored is None else stored.evaluated[-_MOST_LINES:])]
    marks.sort(key=lambda one: (one.time, one.name))
    times = [last.run, *(one.time for one in marks), *(one.start for one in spans), *(one.end for one in spans if one.end is not None)]
    first, newest = min(times), max(times)
    told_at = partial(when, rows=last.in_rows)
    rows = [(told_at(one.run), one.status, number(one.confidence), _DECISIONS[one.retrain_gate.decision]) for one in revisions]
    told = Table(("when", "what"), tuple((told_at(time), name) for time, name in sorted(_moments(spans, marks))))
    drawn = timeline(spans, marks, (first, newest), (told_at(first), told_at(newest)))
    yield Picture(drawn, "Episodes, the incident by its status, and what was done", told)
    yield Table(("said", "status", "confidence", "retraining"), tuple(rows))
    if said.episodes:
        drifted = [(short_id(one.id), one.last.kind, one.last.severity, changes(one.last.signals)) for one in said.episodes[:_MOST_LINES]]
        yield Table(("episode", "of", "severity", "what changed"), tuple(drifted))


def _moments(spans: Sequence[Span], marks: Sequence[Mark]) -> Iterator[tuple[int, str]]:
    for one in spans:
        yield one.start, f"{one.name} begins"
        if one.end is not None:
            yield one.end, f"{one.name} ends"
    yield from ((mark.time, mark.name) for mark in marks)


def _measured(last: RootCauseEvent, stored: Stored | None) -> Iterator[Part]:
    if stored is None or not stored.windows or not stored.baseline:
        yield Prose("Windows are stored when an incident is confirmed, and when it ends. There are none of this one.")
        return
    onset = last.onset.window[0]
    for name in last.scope.features[:_MOST_DRAWN]:
        yield from measured.of_feature(stored, name, last.subtype, onset)
        quantiles = measured.quantiles(stored, name, onset)
        if quantiles is not None:
            yield quantiles
    more = len(last.scope.features) + last.scope.more_features - _MOST_DRAWN
    if more > 0:
        yield Prose(f"{more:,} more features are not drawn.")
    yield from measured.of_model(stored, onset)


def _evidence(last: RootCauseEvent) -> Iterator[Part]:
    if last.evidence:
        yield Table(("for or against", "what", "feature", "value", "threshold", "z"), tuple(map(_piece, last.evidence)), numbers=3)
    if last.more_evidence:
        yield Prose(f"{last.more_evidence:,} more pieces are not listed.")
    if last.onset.coincident:
        done = [f"{_words(one.type)} {quoted(one.ref)}, {_lag(one.lag)}" for one in last.onset.coincident]
        yield Prose("Done near the onset:")
        yield Items(tuple(done))


def _lag(windows: int) -> str:
    if not windows:
        return "in its window"
    return f"{abs(windows)} window{'s' if abs(windows) > 1 else ''} {'before' if windows > 0 else 'after'} it"


def _piece(one: EvidencePiece) -> tuple[str, ...]:
    value = one.value if isinstance(one.value, str) else _maybe(one.value)
    return one.role, _words(one.name), one.feature or "", value, _maybe(one.threshold), _maybe(one.z)


def _not(last: RootCauseEvent) -> Iterator[Part]:
    if last.ruled_out:
        yield Table(("ruled out", "because"), tuple((_words(one.cause), one.because) for one in last.ruled_out))
    if last.alternatives:
        yield Prose(f"It may also be {', or '.join(map(_words, last.alternatives))}.")
    if last.missing_evidence:
        rows = tuple((_words(one.stream), one.state, one.would_decide) for one in last.missing_evidence)
        yield Table(("missing", "state", "would have decided"), rows)


def _to_do(last: RootCauseEvent) -> Iterator[Part]:
    told_at = partial(when, rows=last.in_rows)
    one, gate, data = last.mitigation, last.retrain_gate, last.mitigation.training_data
    blocked = f"; incidents {listed(gate.blocked_by)}" if gate.blocked_by else ""
    excluded = [f"{told_at(start)} to {'now' if end is None else told_at(end)}" for start, end in data.exclude]
    rows = [
        ("do", _words(one.action)),
        ("until then", one.fallback or "-"),
        ("do not", "; ".join(one.do_not) or "-"),
        ("tell", ", ".join(one.notify) or "-"),
        ("golden set", _words(one.golden_set)),
        ("train on", "rows from " + told_at(data.use_from) if data.use_from is not None else "-"),
        ("leave out", "; ".join(excluded) or "-"),
        ("compute again", listed(data.recompute) or "-"),
        ("labelled rows unlike the training data", "add them" if data.outliers else "-"),
        ("retraining", f"{_DECISIONS[gate.decision]}: {gate.because}{blocked}"),
    ]
    if gate.actions:
        rows.append(("may start", ", ".join(map(_words, gate.actions))))
    yield Table(("", ""), tuple(row for row in rows if row[1] != "-"))


def _offsets(last: RootCauseEvent) -> Iterator[Part]:
    counts = last.windows
    yield Prose(
        f"{counts.rows:,} rows, {counts.labelled:,} of them labelled, in {counts.since_onset:,} windows since the onset; "
        f"{counts.baseline:,} windows of baseline. Reference {quoted(last.reference)}, engine {last.engine}."
    )
    rows = tuple((one.topic, str(one.partition), f"{one.offsets[0]:,}", f"{one.offsets[1]:,}") for one in last.panes)
    if rows:
        yield Table(("topic", "partition", "first offset", "last offset"), rows, numbers=3)
    if last.more_panes:
        yield Prose(f"{last.more_panes:,} more partitions are not listed.")


def _episode_end(one: ToldEpisode) -> int | None:
    return None if one.is_open else _ms(one.last.bucket[1])


def _ms(place: str) -> int:
    return round(moment(place).timestamp() * 1000)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _maybe(value: float | None) -> str:
    return "" if value is None else number(value)
