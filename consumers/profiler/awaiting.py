"""Which predictions wait for labels, and as what they do."""

import math
from collections.abc import Callable, Iterator, Sequence
from operator import methodcaller
from typing import NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Configuration
from ...schemas.configuration.mapping import Place
from ...schemas.messages.block import SCORE_ONE, Whose
from ...schemas.outcome import NO_VALUE, in_sample, sampled
from ...schemas.stored.reference import ProfiledField, Role
from ...schemas.text import CATEGORY, fitted
from ..decode.interface import Columns
from ..decode.learnable import learnable, learnt
from ..decode.outcomes import Outcomes
from ..decode.personal import label_key
from ..decode.scalars import classify
from ..decode.tolerant import NotAnObject, Undecodable, decode_generic, member
from ..reference.holding import Monitored
from ..reference.outcomes import GroupingOf, groupings
from ..streams.records import Records
from .waiting import Rows, rows_of

_NUMERIC = ("numeric", "timestamp")
_TEXTS = ("categorical", "boolean", "text")
#: References whose outputs are remembered.
MOST_KNOWN = 256


class Of(NamedTuple):
    """What model version rows are of, and how its rows are counted against its reference."""

    whose: Whose
    monitored: Monitored


class OutputColumn(NamedTuple):
    """Of the decoded columns that of a prediction or a score, among the numbers or among the texts."""

    column: int
    numeric: bool


Output = OutputColumn | None


class Join:
    """One join, as a reader of predictions sees it."""

    def __init__(self, configuration: Configuration, stream: str, labels: str, grouping_of: GroupingOf) -> None:
        self.name = labels
        self._labels, self._id = configuration.labels[labels], configuration.streams[stream].mapping.id
        self._outcomes, self._grouping_of = Outcomes(self._labels), grouping_of
        self._bins, self._key = configuration.binned(labels), label_key(configuration, labels)
        models = configuration.models.items()
        self._whole = {name: own.examples.sample for name, own in models if own.labels == labels and own.examples is not None}
        self._known: dict[str, tuple[Output, Output]] = {}  # by reference, where its prediction and its score stand

    def rows(
        self,
        columns: Columns,
        records: Records,
        inside: NDArray[np.int64],
        among: NDArray[np.int64],
        of: Of,
        code: Callable[[Whose], int],
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Of decoded records of one model version those that are sampled and have an id and a prediction, and which of them these are.

        Parameters
        ----------
        inside, among
            Their rows among the columns, and among the records.
        code
            How rows say whose they are. Their times are for somebody else.
        """
        there, halves = self._sampled(ids_of(self._id, columns, records, inside, among))
        values, scores = self._values(columns, of, inside[there])
        if (known := values != NO_VALUE).all():
            chosen = inside[there]
        else:
            there, halves, values, scores = there[known], halves[known], values[known], scores[known]
            chosen = inside[there]
        rows = rows_of(halves, self._bins, value=values, beside=scores, offset=records.offsets[among[there]])
        grouping = self._grouping_of(of.whose.model, of.whose.reference, of.monitored.fields)
        of = of._replace(whose=of.whose._replace(grouping=grouping.name))
        if not grouping.features and of.monitored.counting.segmenter is None:
            rows["of"] = code(of.whose)
            return rows, there
        numeric, texts = columns.numeric[chosen], Texts(columns.categorical, of.monitored.fields, chosen)
        rows["bins"][:, : len(grouping.features)] = grouping.codes(numeric, texts)
        rows["of"] = _whose(of, numeric, texts, code)
        return rows, there

    def whole(self, columns: Columns, of: Of, inside: NDArray[np.int64], rows: Rows) -> Iterator[tuple[int, bytes]]:
        """All features of those ``rows`` that are written down whole, packed, each with its place among these.

        ``inside``: where the rows are among the columns.
        """
        if (rate := self._whole.get(of.whose.model)) is None:
            return
        some = in_sample(rows["hi"], rate)
        names, values = features_of(columns, of.monitored.fields, inside[some].tolist())
        if names:
            for place, row in zip(np.flatnonzero(some).tolist(), zip(*values, strict=True), strict=True):
                yield place, msgspec.msgpack.encode(dict(zip(names, row, strict=True)))

    def _sampled(self, ids: Sequence[object]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Which of them are ids that wait, and their hashes; others are marks."""
        try:
            return sampled(cast(Sequence[str], ids), self._key, self._labels.sample)
        except (TypeError, AttributeError):  # of a mark, which is no text
            texts = {place: one for place, one in enumerate(ids) if type(one) is str}
            kept, halves = sampled(list(texts.values()), self._key, self._labels.sample)
            return np.fromiter(texts, np.int64, len(texts))[kept], halves

    def _values(self, columns: Columns, of: Of, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The predictions' values, and their scores in units of 2^-20 (-1: none that is a probability)."""
        prediction, score = self._outputs(of)
        scores = _taken(columns, score, rows)
        numbers = scores if isinstance(scores, np.ndarray) else np.full(len(rows), np.nan)
        with np.errstate(invalid="ignore"):
            probable = (numbers >= 0) & (numbers <= 1)
        fixed = np.full(len(rows), -1)
        fixed[probable] = np.rint(numbers[probable] * SCORE_ONE)
        own = _taken(columns, prediction, rows)
        if own is not None:
            return self._outcomes.of_predictions(own), fixed
        if self._labels.outcome == "number":
            return self._outcomes.of_predictions(numbers), fixed
        if self._labels.outcome == "binary":
            return self._outcomes.of_scores(np.where(probable, numbers, np.nan)), fixed
        return np.full(len(rows), NO_VALUE, dtype=np.int64), fixed

    def _outputs(self, of: Of) -> tuple[Output, Output]:
        """Where a reference's prediction and score stand."""
        found = self._known.get(of.whose.reference)
        if found is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            fields = of.monitored.fields
            found = self._known[of.whose.reference] = output_of(fields, "prediction"), output_of(fields, "score")
        return found


def features_of(columns: Columns, fields: Sequence[ProfiledField], places: Sequence[int]) -> tuple[list[str], list[list[object]]]:
    """Names of the features that are numbers or categories, and their values in these rows; None where there is none."""
    names, values = list[str](), list[list[object]]()
    for kinds, numeric in ((_NUMERIC, True), (_TEXTS, False)):
        for place, field in enumerate(field for field in fields if field.type in kinds):
            if learnable(field):
                names.append(field.name)
                if numeric:  # as `learnt` has them, without a call for each
                    numbers = columns.numeric[places, place].tolist()
                    values.append([number if math.isfinite(number) else None for number in numbers])
                else:
                    texts = columns.categorical[place]
                    values.append([learnt(texts[row]) for row in places])
    return names, values


def ids_of(
    place: Place | None, columns: Columns, records: Records, inside: NDArray[np.int64], among: NDArray[np.int64]
) -> Sequence[object]:
    """The ids of decoded rows, or what stands in their place: of those ``inside`` the columns, ``among`` the records."""
    if columns.ids is not None:
        return columns.ids if len(inside) == len(columns.ids) else [columns.ids[row] for row in inside.tolist()]
    if place is None:
        return [None] * len(inside)
    if place.source == "path":  # nobody asked for all of them
        return [_in_payload(place, records.values[row]) for row in among.tolist()]
    if place.source == "header":
        headers = records.headers()
        raw: list[object] = list(map(methodcaller("get", place.name), (dict(headers[row]) for row in among.tolist())))
    else:
        keys = records.keys()
        raw = [keys[row] for row in among.tolist()]
    return [_text(value) for value in raw]


class Texts:
    """Texts of some decoded rows, as codes where somebody asks for a column: those of a pane's rows have the same values."""

    def __init__(self, columns: Sequence[Sequence[object]], fields: Sequence[ProfiledField], rows: NDArray[np.int64]) -> None:
        self._columns, self._rows = columns, rows.tolist()
        self._whole = [field.type == "text" for field in fields if field.type in _TEXTS]

    def looked_up(self, column: int, found: Callable[[object], int]) -> NDArray[np.int64]:
        """A number for every row, by its value."""
        values = self._columns[column]
        own = [values[row] for row in self._rows]
        whole = self._whole[column]
        number_of = {value: found(value if whole or not isinstance(value, str) else fitted(value, CATEGORY)) for value in set(own)}
        return np.fromiter(map(number_of.__getitem__, own), np.int64, len(own))


def _whose(of: Of, numeric: NDArray[np.float64], texts: Texts, code: Callable[[Whose], int]) -> NDArray[np.int64] | int:
    """The code of each row, by its segment where the reference divides them."""
    segmenter = of.monitored.counting.segmenter
    if segmenter is None:
        return code(of.whose)
    segments, segment = np.unique(segmenter.of(numeric, texts), return_inverse=True)
    codes = [code(of.whose._replace(segment=segmenter.names[place])) for place in segments.tolist()]
    return np.array(codes, dtype=np.int64)[segment]


def joins(configuration: Configuration, stream: str) -> dict[str, Join]:
    """By model, those of a stream's models that have labels."""
    by_labels: dict[str, Join] = {}
    grouping_of = groupings(configuration)
    found: dict[str, Join] = {}
    for name, model in configuration.models.items():
        if model.labels is not None and configuration.stream_of(name) == stream:
            found[name] = by_labels.setdefault(model.labels, Join(configuration, stream, model.labels, grouping_of))
    return found


def output_of(fields: Sequence[ProfiledField], role: Role) -> Output:
    """Where the prediction stands, or the score."""
    for kinds, numeric in ((_NUMERIC, True), (_TEXTS, False)):
        roles = [field.role for field in fields if field.type in kinds]
        if role in roles:
            return OutputColumn(roles.index(role), numeric=numeric)
    return None


def column_of(columns: Columns, fields: Sequence[ProfiledField], role: Role) -> NDArray[np.float64] | Sequence[object] | None:
    """The column of the prediction, or of the score; None: the reference has no such field."""
    place = output_of(fields, role)
    if place is None:
        return None
    return np.asarray(columns.numeric[:, place.column]) if place.numeric else columns.categorical[place.column]


def _taken(columns: Columns, place: Output, rows: NDArray[np.int64]) -> NDArray[np.float64] | list[object] | None:
    if place is None:
        return None
    if place.numeric:
        return np.asarray(columns.numeric[rows, place.column])
    texts = columns.categorical[place.column]
    return [texts[row] for row in rows.tolist()]


def _in_payload(place: Place, value: bytes | None) -> object:
    try:
        return classify("categorical", False, member(decode_generic(value), place.path))
    except (Undecodable, NotAnObject):
        return None


def _text(value: object) -> object:
    """An id from a key or header."""
    if not isinstance(value, bytes):
        return None
    try:
        return classify("categorical", False, value.decode()) if value else None
    except UnicodeDecodeError:
        return None
