"""Of the rows of models that people are asked about, those that a slot's sample may need: kept with what a reviewer is shown."""

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.familiarity.places import NOTHING
from ...detectors.sampling.chance import draws, unit
from ...detectors.sampling.slot import needed
from ...detectors.sampling.weights import DRIFTING, FLAGGED, of_scores
from ...schemas.configuration import Configuration, Review
from ...schemas.configuration.mapping import Place
from ...schemas.messages.candidates import MOST_NUMBERS, Candidate, Candidates
from ...schemas.messages.progress import InputPartition
from ...schemas.messages.review import LONGEST_CASE, LONGEST_SHOWN, MOST_SHOWN, Value
from ...schemas.outcome import id_hash
from ...schemas.stored.reference import ProfiledField
from ...schemas.text import FIELD, ID, Use, fitted, unfit
from ..decode.interface import Columns
from ..decode.personal import id_key
from ..decode.scalars import category_text
from ..reference.holding import Monitored
from ..reference.scored import Compared, Content
from ..streams.slots import Slots
from .awaiting import Texts, column_of

#: What reviewers see where nothing says what: no texts, and no vectors.
PLAIN = ("numeric", "categorical", "boolean")
_SHOWN = Use(LONGEST_SHOWN, anything=True)
_Floats = NDArray[np.float64]


class Looked(NamedTuple):
    """Decoded rows of one model version."""

    columns: Columns
    inside: NDArray[np.int64]  #: which of the columns' rows they are
    offsets: NDArray[np.int64]
    ids: Callable[[NDArray[np.int64]], Sequence[object]]  #: those of some of them
    payloads: Sequence[bytes | None]
    levels: NDArray[np.int64] | None  #: unlike the training data: 0, 1, 2; -1: not scored. None: nobody asked
    monitored: Monitored
    features: Callable[[bytes | None], Mapping[str, object]]  #: whatever stands among the features of a payload
    compared: Compared | None = None  #: what of them tells near-duplicates apart


class Reviewed(NamedTuple):
    """A model that people are asked about, as a reader of predictions sees it."""

    slots: Slots
    id: Place | None
    grows: float  #: by so much at most a weight may be greater when its slot is drawn
    key: bytes  #: by which ids are hashed; empty: they are not personal

    @property
    def settings(self) -> Review:
        """As configured."""
        return self.slots.settings

    def needed(self, chances: _Floats, weights: _Floats) -> NDArray[np.bool_]:
        """Which of so many rows a slot's sample may need."""
        return needed(chances, weights, *self.slots.most, self.grows)


class _Row(NamedTuple):
    """A row that is kept; what is shown of it is read when the run is over, and many have gone."""

    offset: int
    weight: float
    segment: str | None
    level: int | None
    id: str | None
    prediction: Value
    score: float | None
    payload: bytes | None
    monitored: Monitored
    features: Callable[[bytes | None], Mapping[str, object]]
    content: Content | None  #: of what is compared

    def candidate(self, settings: Review, key: bytes) -> Candidate:
        """As it travels; with a ``key`` without its id."""
        return Candidate(
            offset=self.offset,
            weight=self.weight,
            segment=self.segment,
            level=self.level,
            prediction_id=None if key else self.id,
            prediction_hash=id_hash(self.id, key) if key and self.id is not None else None,
            prediction=self.prediction,
            score=self.score,
            shown=shown(settings, self.monitored.fields, self._seen()),
        )

    def _seen(self) -> Mapping[str, object]:
        """Its features, as far as the model's rules for personal data let them be shown."""
        found, rules = self.features(self.payload), self.monitored.rules
        return rules.shown(found, self.monitored.fields) if rules else found


@dataclass
class Keeping:
    """Of one model version's rows of one bucket in one run."""

    reviewed: Reviewed
    place: InputPartition
    rows: int = 0
    _kept: list[_Row] = field(default_factory=list)
    _chances: _Floats = field(default_factory=lambda: np.zeros(0))
    _compared: Compared | None = None

    def look(self, looked: Looked) -> None:
        """Take the next rows."""
        self.rows += len(looked.inside)
        self._compared = looked.compared
        chances = unit(draws(self.place.topic_id, self.place.partition, looked.offsets))
        scores, predictions = _scores(looked), _predictions(looked)
        weights = of_scores(scores)
        if classes := self.reviewed.settings.classes:
            weights = weights * np.array([1.0 if one is None else classes.get(category_text(one), 1.0) for one in predictions])
        if looked.levels is not None:
            weights = weights * np.where(looked.levels > 0, FLAGGED, 1.0)
        new = np.flatnonzero(self.reviewed.needed(chances, weights))
        self._kept += self._rows(looked, new, weights, scores, predictions)
        self._chances = np.concatenate((self._chances, chances[new]))
        still = np.flatnonzero(self.reviewed.needed(self._chances, np.array([one.weight for one in self._kept])))
        self._kept, self._chances = [self._kept[place] for place in still.tolist()], self._chances[still]

    @property
    def kept(self) -> tuple[Candidate, ...]:
        """In the order of the log."""
        rows = sorted(self._kept, key=lambda one: one.offset)
        found = [one.candidate(self.reviewed.settings, self.reviewed.key) for one in rows]
        for place, vector in self._vectors(rows, found):
            found[place] = found[place].model_copy(update={"vector": vector})
        return tuple(found)

    def _vectors(self, rows: Sequence[_Row], found: Sequence[Candidate]) -> Iterator[tuple[int, bytes]]:
        """By place, as they travel. That of a text says what it is about, so it is hidden where the text is."""
        profile = None if self._compared is None else self._compared.profile
        if profile is None or self._compared is None:
            return
        hidden = [profile.kind == "text" and profile.of not in one.shown for one in found]
        places = [place for place, row in enumerate(rows) if row.content is not None and not hidden[place]]
        vectors = self._compared.vectors([row.content for row in (rows[place] for place in places) if row.content is not None])
        if vectors is None or vectors.shape[1] > MOST_NUMBERS:
            return
        for place, vector in zip(places, vectors.astype("<i2"), strict=True):
            yield place, vector.tobytes()

    def _rows(
        self, looked: Looked, new: NDArray[np.int64], weights: _Floats, scores: _Floats, predictions: Sequence[object]
    ) -> Iterator[_Row]:
        segments, ids = _segments(looked, looked.inside[new]), looked.ids(new)
        contents = None if looked.compared is None else looked.compared.contents(looked.columns, looked.inside[new])
        for place, row in enumerate(new.tolist()):
            id_, score = ids[place], float(scores[row])
            yield _Row(
                offset=int(looked.offsets[row]),
                weight=float(weights[row]),
                segment=segments[place],
                level=None if looked.levels is None or looked.levels[row] < 0 else int(looked.levels[row]),
                id=id_ if isinstance(id_, str) and unfit(id_, ID) is None else None,
                prediction=_plain(predictions[row]),
                score=score if np.isfinite(score) else None,
                payload=looked.payloads[row],
                monitored=looked.monitored,
                features=looked.features,
                content=None if contents is None else contents[place],
            )


def reviewed(configuration: Configuration, stream: str) -> dict[str, Reviewed]:
    """By name, those of a stream's models that people are asked about."""
    found: dict[str, Reviewed] = {}
    for name, model in configuration.models.items():
        slots = Slots.of(model, configuration.streams[stream].pane)
        if slots is not None and configuration.stream_of(name) == stream:
            grows = DRIFTING if model.segments is not None else 1.0
            found[name] = Reviewed(slots, configuration.streams[stream].mapping.id, grows, id_key(configuration, name))
    return found


def levels_of(scored: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Of rows scored for some subjects, shape [n, subjects, 2]: the level of the subject that is least like the training data."""
    flags = scored[:, :, 0].astype(np.int64)
    return np.asarray(np.where(flags < NOTHING, flags, -1).max(axis=1, initial=-1), dtype=np.int64)


def told(
    kept: Iterable[tuple[int, str, str, str | None, int | None, Keeping]], stream: str, place: InputPartition, first: int, last: int
) -> list[Candidates]:
    """What was kept in a run of these offsets, as it travels: by bucket, model, version, reference and since when that holds."""
    found: list[Candidates] = []
    for bucket, model, version, reference, since, keeping in sorted(kept, key=lambda one: (one[0], one[1], one[2], one[3] or "")):
        whole = Candidates(
            stream=stream,
            topic=place.topic,
            topic_id=place.topic_id,
            partition=place.partition,
            first=first,
            last=last,
            bucket=bucket,
            model=model,
            version=version,
            reference=reference,
            since=since,
            rows=keeping.rows,
            cases=keeping.reviewed.slots.most[0],
            uniform=keeping.reviewed.slots.most[1],
            kept=keeping.kept,
        )
        found += whole.split()
    return found


def shown(settings: Review, fields: Sequence[ProfiledField], features: Mapping[str, object]) -> dict[str, Value]:
    """What a reviewer sees of a row: of the fields that are to be shown as many as there is room for, in their order."""
    if settings.show is None:
        names = [one.name for one in fields if one.role == "feature" and one.type in PLAIN and one.name in features]
    else:
        names = [name for name in features if any(fnmatch.fnmatchcase(name, pattern) for pattern in settings.show)]
    found: dict[str, Value] = {}
    room = LONGEST_CASE
    for name in names:
        value = features[name]
        if isinstance(value, list | dict):
            continue
        short, plain = fitted(name, FIELD), _plain(value)
        room -= len(short) + (len(plain) if isinstance(plain, str) else 0)
        if len(found) == MOST_SHOWN or room < 0:
            break
        found[short] = plain
    return found


def _plain(value: object) -> Value:
    """A value as it can be written; None: it cannot, or there is none."""
    if isinstance(value, str):
        return fitted(value, _SHOWN)
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= 2**53) else None


def _scores(looked: Looked) -> _Floats:
    found = column_of(looked.columns, looked.monitored.fields, "score")
    return found[looked.inside] if isinstance(found, np.ndarray) else np.full(len(looked.inside), np.nan)


def _predictions(looked: Looked) -> list[str | float | None]:
    """A mark, which is an int, is no prediction."""
    found = column_of(looked.columns, looked.monitored.fields, "prediction")
    if found is None:
        return [None] * len(looked.inside)
    if isinstance(found, np.ndarray):
        return [None if np.isnan(one) else one for one in found[looked.inside].tolist()]
    return [one if isinstance(one := found[row], str) else None for row in looked.inside.tolist()]


def _segments(looked: Looked, inside: NDArray[np.int64]) -> list[str | None]:
    segmenter = looked.monitored.counting.segmenter
    if segmenter is None:
        return [None] * len(inside)
    numeric, texts = looked.columns.numeric[inside], Texts(looked.columns.categorical, looked.monitored.fields, inside)
    return [segmenter.names[place] for place in segmenter.of(numeric, texts).tolist()]
