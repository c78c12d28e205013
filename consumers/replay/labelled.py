"""A table's rows as labels in the canonical form, and whether they would meet their predictions: what `replay --labels` puts on the bus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import LabelMapping, Labels, Table
from ...schemas.configuration.mapping import Place
from ...schemas.duration import written
from ...schemas.outcome import id_halves
from ..decode.labels import LabelDecoder
from ..decode.outcomes import is_null
from ..decode.scalars import classify, quoted
from ..reference.building.tables import TableRows, UnusableTable, open_table
from .canonical import Message, ids_of, values_of
from .event_line import lasted

#: Rows at a time, as of predictions.
_ROWS = 16_384
#: Refused labels, and ids that meet nothing, of which so many are told.
_MOST_TOLD = 5
#: The members of a label in the canonical form.
_MEMBERS = ("id", "label", "model", "revision", "retracted")
_MS = 1_000
#: In the place of a time: there is none.
_UNKNOWN = np.iinfo(np.int64).min


class Predicted:
    """The ids and times of a table's predictions, by which labels find them."""

    def __init__(self, file: Path, rows: TableRows) -> None:
        self.file, self.time, self.id = file, rows.table.time, rows.table.id  #: columns; without one of ids, rows have numbers
        self.without, self.examples = 0, list[str]()
        hashes, times = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
        for chunk in rows.chunks([] if self.id is None else [self.id], rows=_ROWS):
            ids = _texts(ids_of(chunk, self.id))
            there = [place for place, id_ in enumerate(ids) if id_]
            self.without += len(ids) - len(there)
            self.examples += [ids[place] for place in there[: _MOST_TOLD - len(self.examples)]]
            hashes.append(id_halves([ids[place] for place in there])[:, 0])
            times.append(chunk.times[there])
        self._hashes, first = np.unique(np.concatenate(hashes), return_index=True)
        self._times = np.concatenate(times)[first]

    def times(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """When the first prediction of each id was made; `_UNKNOWN` where there is none."""
        if not len(self._hashes):
            return np.full(len(ids), _UNKNOWN)
        wanted = id_halves(ids)[:, 0]
        at = np.minimum(np.searchsorted(self._hashes, wanted), len(self._hashes) - 1)
        return np.where(self._hashes[at] == wanted, self._times[at], _UNKNOWN)


class LabelledFile(NamedTuple):
    """A file of labels."""

    name: str  #: of the stream
    file: Path
    labels: Labels
    zone: str  #: of times that name none


@dataclass
class Meeting:
    """How labels and predictions of two files meet, as far as one pass can tell."""

    rows: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)  #: the first of them
    unknown: int = 0  #: labels of no prediction
    examples: list[str] = field(default_factory=list)
    early: int = 0  #: labels that come too long before their prediction
    late: int = 0
    delays: list[NDArray[np.int64]] = field(default_factory=list)


def canonical(labels: Labels, topic: str) -> Labels:
    """The same, read from messages in the canonical form on one topic."""
    also = {name: Place("path", name) for name in ("model", "revision", "retracted")}
    return labels.model_copy(update={"topics": (topic,), "mapping": LabelMapping.model_validate(also), "where": None})


def columns_of(of: LabelledFile, names: Sequence[str], needed: Sequence[str] = ("id", "label")) -> dict[str, str]:
    """The column of each member of a label that there is: as it is named, else called as its place in a message is, by the whole path or
    its last step. Raises `UnusableTable` where one that is named or needed is not there.
    """
    found: dict[str, str] = {}
    for member in _MEMBERS:
        named, place = getattr(of.labels.columns, member), getattr(of.labels.mapping, member)
        called = [place.name, place.name.rpartition(".")[2]] if place is not None and place.source in {"path", "header"} else []
        likely = list(dict.fromkeys(called if named is None else [named]))
        column = next((name for name in likely if name in names), None)
        if column is not None:
            found[member] = column
        elif named is not None or member in needed:
            what = "the label" if member == "label" else f"{member} of a label"
            msg = f"{of.file} has no column {' or '.join(map(repr, likely))} ({what}); its columns: {', '.join(names)}"
            raise UnusableTable(f"{msg}; write labels.{of.name}.columns: {{{member}: COLUMN}}")
    return found


def label_messages(of: LabelledFile, predicted: Predicted, meeting: Meeting) -> Iterator[Message]:
    """A message a row, in the order of their times, of which ``meeting`` takes note.

    A label without a time comes with its prediction. Where the predictions' own file holds the labels, a row without one says nothing.
    """
    columns, beside = of.labels.columns, of.file.samefile(predicted.file)
    time = columns.time or (predicted.time if beside else None)
    with open_table(
        Table(file=str(of.file), time=time), zone=of.zone, otherwise=predicted.time if beside and columns.time else None
    ) as rows:
        found = columns_of(of, rows.names, ("label",) if beside else ("id", "label"))
        if beside and (predicted.id is None or "id" not in found):
            found = {name: column for name, column in found.items() if name != "id"} | (
                {} if predicted.id is None else {"id": predicted.id}
            )
        reading = _Reading(of, rows, found, predicted, meeting, timed=beside or time is not None)
        told = reading.messages(only_labelled=beside)
        yield from told if reading.timed else sorted(told, key=lambda message: message.timestamp)


@dataclass
class _Reading:
    """One pass over a table of labels."""

    of: LabelledFile
    rows: TableRows
    columns: Mapping[str, str]
    predicted: Predicted
    meeting: Meeting
    timed: bool  #: rows have times of their own

    def messages(self, *, only_labelled: bool) -> Iterator[Message]:
        encode, decoder = msgspec.json.Encoder().encode, LabelDecoder(canonical(self.of.labels, self.of.labels.topics[0]))
        last = 0
        for chunk in self.rows.chunks(list(dict.fromkeys(self.columns.values())), rows=_ROWS):
            members = {"id": ids_of(chunk, self.columns.get("id"))}
            members |= {member: values_of(chunk, name) for member, name in self.columns.items() if member != "id"}
            places = [place for place, value in enumerate(members["label"]) if not (only_labelled and is_null(value))]
            values = [
                encode({member: column[place] for member, column in members.items() if column[place] is not msgspec.UNSET})
                for place in places
            ]
            made = self.predicted.times(_texts([members["id"][place] for place in places]))
            times = chunk.times[places] if self.timed else made
            read = decoder.read(values, None, None)
            self.meeting.rows += len(values)
            self._refuse([(int(chunk.numbers[places[one.row]]), one.reason) for one in read.rejected])
            self._note(read.ids, times[read.rows], made[read.rows])
            last = int(times.max(initial=last))
            yield from map(Message, np.where(times == _UNKNOWN, last, times).tolist(), [b""] * len(values), values)

    def _refuse(self, refused: Sequence[tuple[int, str]]) -> None:
        """Rows of the file, with reasons, which begin with the member that they speak of."""
        meeting = self.meeting
        meeting.refused += len(refused)
        for number, reason in refused[: _MOST_TOLD - len(meeting.reasons)]:
            member, _, why = reason.partition(": ")
            why = why if self.of.labels.key is None else "what stands there cannot be read"
            meeting.reasons.append(f"{self.of.file} row {number:,}, column {self.columns.get(member, member)}: {why}")

    def _note(self, ids: Sequence[str], times: NDArray[np.int64], made: NDArray[np.int64]) -> None:
        meeting, unknown = self.meeting, made == _UNKNOWN
        meeting.unknown += int(unknown.sum())
        meeting.examples += [ids[place] for place in np.flatnonzero(unknown)[: _MOST_TOLD - len(meeting.examples)].tolist()]
        delays = (times - made)[~unknown]
        meeting.early += int((delays < -self.of.labels.early).sum())
        meeting.late += int((delays > self.of.labels.wait).sum())
        meeting.delays.append(delays)


def told_of(of: LabelledFile, predicted: Predicted, meeting: Meeting) -> Iterator[str]:
    """What a person should know of it, in lines. Raises `UnusableTable` where no label meets a prediction."""
    key, there, file = f"labels.{of.name}", meeting.rows - meeting.refused, predicted.file
    met = there - meeting.unknown
    if not meeting.rows:
        msg = f"{of.file} holds no label"
        raise UnusableTable(msg)
    if not there:
        msg = f"none of {meeting.rows:,} labels can be read: {meeting.reasons[0]} (outcome: {of.labels.outcome}; see {key})"
        raise UnusableTable(msg)
    hidden = of.labels.key is not None
    if not met:
        own, theirs = (", ".join(_shown(some, hidden=hidden)) for some in (meeting.examples, predicted.examples))
        msg = f"no label in {of.file} is of a prediction in {file}: ids are like {own}, and there (column {predicted.id!r}) {theirs}"
        raise UnusableTable(msg)
    yield f"{of.file}: {met:,} labels ({key}) are of predictions in {file}, {_behind(int(np.median(np.concatenate(meeting.delays))))}"
    yield from meeting.reasons
    if meeting.refused > len(meeting.reasons):
        yield f"{of.file}: {meeting.refused:,} labels cannot be read, in all"
    if meeting.unknown:
        some = ", ".join(_shown(meeting.examples, hidden=hidden))
        yield f"{of.file}: {meeting.unknown:,} labels are of no prediction in {file}, such as {some}"
    if predicted.without:
        yield f"{file}: {predicted.without:,} predictions have no id (column {predicted.id!r}), and get no label"
    for number, side, name, length in (
        (meeting.early, "before", "early", of.labels.early),
        (meeting.late, "behind", "wait", of.labels.wait),
    ):
        if number:
            yield f"{of.file}: {number:,} labels come more than {written(length)} {side} their predictions, and do not count ({key}.{name})"
    if meeting.early > met / 2:
        yield f"{of.file}: are times of another zone? those without one are taken for {of.zone} (models.NAME.zone)"


def _shown(ids: Sequence[object], *, hidden: bool) -> list[str]:
    """As they stand there; of ids that are personal data how long they are."""
    return [f"({len(str(id_))} characters)" if hidden else quoted(id_) for id_ in ids]


def _behind(delay: int) -> str:
    """How far in the median, to the second."""
    length = lasted(timedelta(milliseconds=abs(delay)))
    return "with them" if abs(delay) < _MS else f"in the median {length} {'behind' if delay > 0 else 'before'} them"


def _texts(ids: Sequence[object]) -> list[str]:
    """As they are matched; empty where there is none."""
    texts = (classify("categorical", False, id_) for id_ in ids)
    return [text if isinstance(text, str) else "" for text in texts]
