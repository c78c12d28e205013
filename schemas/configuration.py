"""The configuration: one YAML file, each key with its bounds, every error with its full path."""

import fnmatch
import re
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema, field_validator, model_validator

from .cloud_events import iso
from .duration import Duration, milliseconds, written
from .fact import Setting
from .identity import content_hash
from .mapping import Mapping
from .reference import FieldType
from .segmentation import Segments

#: Where panes are counted in rows, a row's time is its offset, a second for each.
ROW_MS = 1_000
#: Of which each has a law of its own in a reference by season.
HOUR_MS = 3_600_000


class PaneLength(NamedTuple):
    """How long a bucket is: milliseconds, calendar months, or rows of a topic's one partition."""

    unit: Literal["time", "month", "rows"]
    length: int = 1

    def __str__(self) -> str:
        """As it is written."""
        return "month" if self.unit == "month" else f"{self.length} rows" if self.unit == "rows" else written(self.length)

    @property
    def milliseconds(self) -> int:
        """Of a bucket: of the longest month; of rows, each of which is a second."""
        return {"time": 1, "month": 31 * 86_400_000, "rows": ROW_MS}[self.unit] * self.length

    def place(self, time: int) -> str:
        """How people are told a time: as ISO 8601, or as the number of a row.

        >>> PaneLength("time", 1000).place(0), PaneLength("rows", 500).place(30_000_000)
        ('1970-01-01T00:00:00Z', 'row 30000')
        """
        return f"row {time // ROW_MS}" if self.unit == "rows" else iso(time)


def _pane_length(text: object) -> PaneLength:
    if isinstance(text, PaneLength):
        return text
    if text == "month":
        return PaneLength("month")
    if (rows := re.fullmatch(r"(\d[\d_,]*) rows", str(text).strip())) and (length := _rows(rows[1])):
        return PaneLength("rows", length)
    try:
        return PaneLength("time", milliseconds(text))
    except ValueError:
        msg = f'"{text}" is not a duration; write 10s, 5m, 1h, 1d, month or 500 rows'
        raise ValueError(msg) from None


def _rows(digits: str) -> int:
    return int(re.sub(r"[_,]", "", digits))


_as_text = PlainSerializer(str, return_type=str)
_text = WithJsonSchema({"type": "string"})


class FalseAlarms(NamedTuple):
    """How often a model may raise a false alarm: once in so many milliseconds of its traffic, or once in so many rows."""

    per: int
    of: Literal["time", "rows"]

    def __str__(self) -> str:
        """As it is written."""
        return f"1 per {written(self.per) if self.of == 'time' else f'{self.per} rows'}"


def _false_alarms(text: object) -> FalseAlarms:
    if isinstance(text, FalseAlarms):
        return text
    match = re.fullmatch(r"1 per (?:(\d[\d_,]*) rows|(\d+(?:ms|s|m|h|d)))", str(text).strip())
    if match is None:
        msg = f'"{text}" is not a rate of false alarms; write 1 per 30d or 1 per 100000 rows'
        raise ValueError(msg)
    if match[1]:
        return FalseAlarms(_rows(match[1]), "rows")
    return FalseAlarms(milliseconds(match[2]), "time")


class KafkaTopics(Setting):
    """The topics of our own: names, and what `driftbus topics create` gives them."""

    prefix: str = Field("driftbus", pattern=r"^[A-Za-z0-9._-]+$")
    partitions: int = Field(8, ge=1, le=1000, description="of summaries, snapshots and drift; fixed at creation")
    replication: int = Field(1, ge=1, le=10)

    @property
    def summaries(self) -> str:
        """Panes and progress."""
        return f"{self.prefix}.summaries"

    @property
    def snapshots(self) -> str:
        """What detectors remember (compacted)."""
        return f"{self.prefix}.snapshots"

    @property
    def drift(self) -> str:
        """Drift events and notices."""
        return f"{self.prefix}.drift"

    @property
    def models(self) -> str:
        """Reference announcements (compacted)."""
        return f"{self.prefix}.models"

    @property
    def dead_letter(self) -> str:
        """What could not be counted."""
        return f"{self.prefix}.dead-letter"


class Stream(Setting):
    """A configured group of input topics, read and aligned together."""

    topics: Annotated[tuple[str, ...], Field(min_length=1)]
    clock: Literal["live", "record"] = "live"
    pane: Annotated[PaneLength, BeforeValidator(_pane_length), _as_text, _text] = PaneLength("time", 10_000)
    format: Literal["json"] = "json"
    mapping: Mapping = Mapping()
    grace: Duration = 1_000
    max_jump: Duration = 3_600_000
    max_rows: int = Field(50_000, ge=1, le=10_000_000)
    linger: Duration = 2_000
    patience: Duration = 300_000

    @field_validator("pane")
    @classmethod
    def _rows_are_of_one_topic_by_record(cls, pane: PaneLength, known: ValidationInfo) -> PaneLength:
        if pane.unit == "rows" and len(known.data.get("topics", ())) > 1:
            msg = f"{pane} are counted in one topic; give each topic a stream of its own, or write a length of time"
            raise ValueError(msg)
        if pane.unit == "rows" and known.data.get("clock") == "live":
            msg = f"no clock can say that {pane} are complete; add clock: record"
            raise ValueError(msg)
        return pane

    @property
    def longest_jump(self) -> int:
        """Milliseconds a timestamp may be ahead without being judged: `max_jump`, at least ten buckets."""
        return max(self.max_jump, 10 * self.pane.milliseconds)


class Important(Setting):
    """From which effect on a change matters: below it an episode is *minor*."""

    ks: float = Field(0.1, gt=0, le=1)
    psi: float = Field(0.1, gt=0)
    wasserstein_sd: float = Field(0.2, gt=0)
    nulls: float = Field(0.02, gt=0, le=1)
    unseen: float = Field(0.01, gt=0, le=1)
    correlation: float = Field(0.1, gt=0, le=2)
    word_share: float = Field(0.05, gt=0, le=1)


class Chosen(NamedTuple):
    """A detector that is asked for by name, with its settings as they are written: the detector knows which there are."""

    name: str
    settings: dict[str, Any] = {}  # of differing types, by key


def _chosen(text: object) -> Chosen:
    match text:
        case Chosen():
            return text
        case str():
            return Chosen(text)
        case dict() if len(text) == 1:
            (name, settings), *_ = text.items()
            if isinstance(name, str) and isinstance(settings, dict | None):
                return Chosen(name, settings or {})
    msg = f"{text!r} is not a detector; write ks, or {{ks: {{rows: 1000}}}}"
    raise ValueError(msg)


_Detector = Annotated[
    Chosen,
    BeforeValidator(_chosen),
    PlainSerializer(lambda chosen: {chosen.name: chosen.settings}, return_type=dict[str, dict[str, Any]]),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1, "maxProperties": 1}]}),
]


class FeatureSettings(Setting):
    """What differs for a feature, or for all that match a pattern."""

    ignore: bool = False
    type: FieldType | None = None
    min_effect: float | None = Field(None, ge=0, le=3, description="in sd of the rank score; drift below it is not reported")
    direction: Literal["both", "up", "down"] = Field(
        "both", description="in which a change is drift; of two categories, of the last one's rate"
    )
    important: Important | None = None
    detectors: tuple[_Detector, ...] = Field((), description="asked for by name, beside the one that watches everything")


def _feature_settings(written_: object) -> object:
    return {"ignore": True} if written_ == "ignore" else written_


_or_ignore = BeforeValidator(_feature_settings, json_schema_input_type=FeatureSettings | Literal["ignore"])


class Table(Setting):
    """A file of rows, and what its columns are; every other column is a feature."""

    file: str
    time: str | None = None
    id: str | None = None
    prediction: str | None = None
    score: str | None = None
    model: str | None = None
    version: str | None = None
    ignore: tuple[str, ...] = ()


class TopicSlice(Setting):
    """A part of an input topic, as a reference."""

    topic: str
    start: str | None = Field(None, description="ISO time of the first record")
    end: str | None = Field(None, description="ISO time behind the last record")


class Pairs(Setting):
    """How changes are watched that several numeric fields show only together."""

    sample: int = Field(10, ge=1, le=10_000, description="rows of which one is counted")
    most: int = Field(24, ge=2, le=64, description="fields that are paired")


_or_off = BeforeValidator(lambda written_: None if written_ in (False, "off") else written_, json_schema_input_type=Pairs | Literal["off"])


#: Of a trailing reference: the counts of each are remembered.
MOST_PIECES = 400


class Trailing(Setting):
    """A reference that follows the model's own recent past."""

    length: Duration = Field(28 * 86_400_000, description="of the past that is compared with")
    every: Duration = Field(7 * 86_400_000, description="how often it moves on")
    lag: Duration = Field(86_400_000, description="the newest rows stay out: what has just begun must not be normal at once")

    @model_validator(mode="after")
    def _longer(self) -> "Trailing":
        if not 2 <= self.length / self.every <= MOST_PIECES:
            msg = f"length: {written(self.length)} must be 2 to {MOST_PIECES} times every, which is {written(self.every)}"
            raise ValueError(msg)
        return self


class Model(Setting):
    """A monitored model."""

    stream: str | None = None
    reference: Table | TopicSlice | None = None
    false_alarms: Annotated[FalseAlarms, BeforeValidator(_false_alarms), _as_text, _text] = FalseAlarms(30 * 86_400_000, "time")
    rate: float | None = Field(None, gt=0, description="rows per second, where the reference has no times")
    min_effect: float = Field(0.0, ge=0, le=3)
    important: Important = Important()
    segments: Segments | None = None
    pairs: Annotated[Pairs | None, _or_off] = Pairs()
    season: Literal["day", "week"] | None = Field(None, description="compare each hour with the same hour of the day, or of the week")
    volume: bool | None = Field(None, description="whether rows per bucket are watched; null: if the reference is a part of a topic")
    silence: Duration | Literal["never"] | None = Field(None, description="without a row; null: 3 x the reference's longest gap")
    trailing: Trailing | None = None
    features: dict[str, Annotated[FeatureSettings, _or_ignore]] = {}

    @model_validator(mode="after")
    def _one_division(self) -> "Model":
        divisions = {"segments": self.segments, "season": self.season, "trailing": self.trailing}
        chosen = [name for name, setting in divisions.items() if setting is not None]
        if len(chosen) > 1:
            msg = f"{' and '.join(chosen)}: write one of them; they cannot be combined"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _one_reference(self) -> "Model":
        moving = "season" if self.season else "trailing" if self.trailing else None
        for pattern, settings in self.features.items():
            if moving and settings.detectors:
                msg = f"features.{pattern}.detectors: these compare with one reference at all times; leave out {moving}, or them"
                raise ValueError(msg)
        return self

    def feature(self, name: str) -> FeatureSettings:
        """The settings of one feature: of all patterns that match, the later ones win, key by key."""
        merged: dict[str, Any] = {}  # of differing types, by key
        for pattern, settings in self.features.items():
            if fnmatch.fnmatchcase(name, pattern):
                merged |= {key: getattr(settings, key) for key in settings.model_fields_set}
        return FeatureSettings(**merged)

    def pattern(self, feature: str, key: str) -> str:
        """The pattern that a feature has this setting from; its own name where none has it."""
        found = (p for p, own in reversed(self.features.items()) if key in own.model_fields_set and fnmatch.fnmatchcase(feature, p))
        return next(found, feature)


class Configuration(Setting):
    """All of ``driftbus.yaml``."""

    application: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="names groups, transactional ids and event ids")
    instance: str | None = Field(None, pattern=r"^[A-Za-z0-9._-]+$", description="of this process; stable over its restarts")
    bus: Literal["kafka", "embedded"] = "kafka"
    kafka: dict[str, str | int | float | bool] = Field({}, description="any librdkafka setting; ${NAME} comes from the environment")
    embedded: str = Field("driftbus.sqlite", description="the file of the embedded bus")
    artifacts: str = Field("./artifacts", description="a folder, or any fsspec URL")
    topics: KafkaTopics = KafkaTopics()
    snapshot_every: Duration = 180_000
    streams: Annotated[dict[str, Stream], Field(min_length=1)]
    models: dict[str, Model] = {}

    @model_validator(mode="after")
    def _streams_exist(self) -> "Configuration":
        for name, model in self.models.items():
            if model.stream is not None and model.stream not in self.streams:
                msg = f"models.{name}.stream: {model.stream!r} is not among streams: {', '.join(self.streams)}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _panes_suit(self) -> "Configuration":
        for name, model in self.models.items():
            stream = self.stream_of(name)
            pane = self.streams[stream].pane
            if model.season and pane.unit != "rows" and HOUR_MS % pane.milliseconds:
                msg = f"models.{name}.season: panes of {pane} do not fit into the hours that it compares; write streams.{stream}.pane: 1h"
                raise ValueError(msg)
            if model.trailing and pane.unit != "rows" and pane.milliseconds > model.trailing.every:
                msg = f"models.{name}.trailing.every: {written(model.trailing.every)} is shorter than panes of {pane}; write more"
                raise ValueError(msg)
            remedies = {
                "false_alarms": "write 1 per 100000 rows" if model.false_alarms.of == "time" else "",
                "season": "leave it out" if model.season else "",
                "trailing": "leave it out" if model.trailing else "",
            }
            for key, remedy in remedies.items():
                if remedy and pane.unit == "rows":
                    msg = f"models.{name}.{key}: needs times, and its stream has panes of {pane}; {remedy}"
                    raise ValueError(msg)
        return self

    def model(self, name: str) -> Model:
        """The settings of a model; one that is not listed has the defaults. Where panes are counted in rows, there is one a second."""
        model = self.models.get(name, Model())
        rows = self.streams[self.stream_of(name)].pane.unit == "rows"
        return model.model_copy(update={"rate": 1000 / ROW_MS}) if rows else model

    def stream_of(self, model: str) -> str:
        """The stream that a model's predictions come from."""
        return self.models.get(model, Model()).stream or next(iter(self.streams))

    @property
    def hash(self) -> str:
        """Of what decides results: streams and models, never the bus, its secrets, or paths."""
        models = {name: model.model_dump(mode="json", exclude={"reference"}) for name, model in self.models.items()}
        streams = {name: stream.model_dump(mode="json") for name, stream in self.streams.items()}
        return content_hash(msgspec.json.encode({"models": models, "streams": streams}, order="sorted"))
