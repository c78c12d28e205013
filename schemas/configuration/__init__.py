"""The configuration: one YAML file, each key with its bounds, every error with its full path. A file a section."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from ..duration import ROW_MS, Duration, written
from ..fact import Setting
from ..identity import content_hash
from .alerts import Alert
from .diagnosis import Diagnosis, SourceSettings
from .embedder import Embedder
from .feature_log import Agreement, FeatureColumns, FeatureLog, FeatureMapping
from .features import MOST_NAME, Chosen, FeatureSettings, Important
from .golden import Golden
from .labels import LabelColumns, LabelMapping, Labels
from .launchers import Launcher
from .learner import LearnerOf
from .mapping import Place
from .metrics import Metrics
from .model import MOST_PIECES, Model, PairSettings, Trailing
from .ood import Ood
from .outcomes import OutcomesOf
from .personal import Personal
from .promotion import Promotion
from .reference import Table, TopicSlice
from .registries import Registry
from .retrain import Policy, TrainingRows
from .review import MOST_CASES, Review
from .serving import Serving
from .stream import Stream
from .together import features_apart, ids_unkeyed, labels_apart, never_started, unregistered
from .topics import KafkaTopics
from .units import HOUR_MS, FalseAlarms, PaneLength, pane_length
from .waiting import patient

__all__ = [
    "HOUR_MS",
    "MOST_PIECES",
    "ROW_MS",
    "Agreement",
    "Alert",
    "Chosen",
    "Configuration",
    "Diagnosis",
    "Embedder",
    "FalseAlarms",
    "FeatureColumns",
    "FeatureLog",
    "FeatureMapping",
    "FeatureSettings",
    "Golden",
    "Important",
    "KafkaTopics",
    "LabelColumns",
    "LabelMapping",
    "Labels",
    "Launcher",
    "LearnerOf",
    "Metrics",
    "Model",
    "Ood",
    "OutcomesOf",
    "PairSettings",
    "PaneLength",
    "Personal",
    "Policy",
    "Promotion",
    "Registry",
    "Review",
    "Serving",
    "SourceSettings",
    "Stream",
    "Table",
    "TopicSlice",
    "Trailing",
    "TrainingRows",
    "pane_length",
]

#: What stands in the names of groups.
_Named = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]


class Configuration(Setting):
    """All of ``driftbus.yaml``."""

    application: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="names groups, topics, transactional ids and event ids")
    instance: str | None = Field(None, pattern=r"^[A-Za-z0-9._-]+$", description="of this process; stable over its restarts")
    bus: Literal["kafka", "embedded"] = "kafka"
    kafka: dict[str, str | int | float | bool] = Field({}, description="any librdkafka setting")
    embedded: str = Field("driftbus.sqlite", description="the file of the embedded bus")
    artifacts: str = Field("./artifacts", description="a folder, or any fsspec URL", repr=False)
    topics: Annotated[KafkaTopics, Field(validate_default=True)] = KafkaTopics()
    snapshot_every: Duration = 180_000
    metrics: Metrics | None = None
    serving: Serving | None = Field(None, description="what learners have learnt answers requests; null: nobody does")
    streams: Annotated[dict[str, Stream], Field(min_length=1)]
    labels: dict[str, Labels] = {}
    features: dict[str, FeatureLog] = Field({}, description="values of features as training computes them")
    sources: dict[Annotated[str, Field(min_length=1, max_length=MOST_NAME)], SourceSettings] = {}
    models: dict[str, Model] = {}
    launchers: dict[_Named, Launcher] = Field({}, description="what runs jobs")
    registries: dict[_Named, Registry] = Field({}, description="where versions are known")
    alerts: dict[_Named, Alert] = Field({}, description="who is told of what is open")
    _file: str | None = PrivateAttr(default=None)

    @field_validator("topics")
    @classmethod
    def _of_the_application(cls, topics: KafkaTopics, known: ValidationInfo) -> KafkaTopics:
        """Two applications on one cluster have topics of their own, unless somebody wants otherwise."""
        return topics.model_copy(update={"prefix": known.data.get("application")}) if topics.prefix is None else topics

    @field_validator("streams")
    @classmethod
    def _read_with_vectors(cls, streams: dict[str, Stream], known: ValidationInfo) -> dict[str, Stream]:
        """What an embedder writes takes the place of what it reads, for everybody else."""
        embedded = [name for name, stream in streams.items() if stream.embedder is not None]
        if len(embedded) > 1:
            msg = f"{' and '.join(embedded)} have an embedder each; one stream of an application has: give the other an application"
            raise ValueError(msg)
        topics = known.data.get("topics")
        return {name: stream.read_from(topics.embeddings) for name, stream in streams.items()} if topics is not None else streams

    @model_validator(mode="after")
    def _streams_exist(self) -> "Configuration":
        for name, model in self.models.items():
            if model.stream is not None and model.stream not in self.streams:
                msg = f"models.{name}.stream: {model.stream!r} is not among streams: {', '.join(self.streams)}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _something_is_served(self) -> "Configuration":
        if self.serving is not None and not any(model.learner is not None for model in self.models.values()):
            msg = "serving: no model has a learner, so nothing can be served; write models.NAME.learner"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _retrains_can_start(self) -> "Configuration":
        for name, model in self.models.items():
            for problem in (*never_started(name, model, self.launchers), *unregistered(name, model, self.registries)):
                raise ValueError(problem)
            self.models[name] = patient(model, self.launchers, self.models)
        return self

    @model_validator(mode="after")
    def _alerts_of_models(self) -> "Configuration":
        for name, alert in self.alerts.items():
            for model in alert.models or ():
                if model not in self.models:
                    msg = f"alerts.{name}.models: {model!r} is not among models: {', '.join(self.models) or 'there are none'}"
                    raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _no_rule_for_what_is_sent(self) -> "Configuration":
        for name, model in self.models.items():
            stream = self.stream_of(name)
            if model.personal and self.streams[stream].embedder is not None:
                msg = f"models.{name}.personal: the embedder of streams.{stream} is sent texts as they are; leave one of the two out"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _labels_meet_predictions(self) -> "Configuration":
        models = {name: (self.stream_of(name), model) for name, model in self.models.items()}
        for problem in labels_apart(self.streams, self.labels, models):
            raise ValueError(problem)
        for problem in features_apart(self.streams, self.labels, self.features, models):
            raise ValueError(problem)
        for problem in ids_unkeyed(self.labels, self.models):
            raise ValueError(problem)
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
                "review": "leave it out" if model.review else "",
            }
            for key, remedy in remedies.items():
                if remedy and pane.unit == "rows":
                    msg = f"models.{name}.{key}: needs times, and its stream has panes of {pane}; {remedy}"
                    raise ValueError(msg)
            if model.review is not None and (cases := model.review.budget.due(max(model.review.slot, pane.milliseconds))) > MOST_CASES:
                longer = "slot" if model.review.slot > pane.milliseconds else f"slot, here panes of {pane},"
                msg = f"models.{name}.review.budget: {cases:,} cases in one {longer} are too many at once; at most {MOST_CASES:,}"
                raise ValueError(msg)
        return self

    @property
    def file(self) -> str | None:
        """The file that it was read from, by its whole path."""
        return self._file

    def read_from(self, file: str) -> "Configuration":
        """The same, of that file."""
        found = self.model_copy()
        found._file = file
        return found

    def model(self, name: str) -> Model:
        """The settings of a model; one that is not listed has the defaults. Where panes are counted in rows, there is one a second."""
        model = self.models[name] if name in self.models else Model()
        rows = self.streams[self.stream_of(name)].pane.unit == "rows"
        return model.model_copy(update={"rate": 1000 / ROW_MS}) if rows else model

    def source(self, name: str | None) -> SourceSettings:
        """What is known of where values come from; of a source that is not listed nothing is."""
        return SourceSettings() if name is None else self.sources.get(name, SourceSettings())

    def as_of(self, model: str, feature: str) -> Place | None:
        """Where a message says as of when a feature's value is."""
        own = self.model(model).feature(feature)
        return own.as_of or self.source(own.source).as_of

    def stream_of(self, model: str) -> str:
        """The stream that a model's predictions come from."""
        own = self.models.get(model)
        return (None if own is None else own.stream) or next(iter(self.streams))

    def acts_on(self, model: str) -> bool:
        """Whether hands act on a model: whether they do on the stream that its predictions come from."""
        return self.streams[self.stream_of(model)].acted_on

    def withholds(self, stream: str) -> bool:
        """Whether records of a stream are quoted nowhere that nobody can read: they may hold what some model's rules leave out, and ids."""
        own = {name for name, model in self.models.items() if stream in (self.stream_of(name), *model.joins)}
        keyed = stream in self.features and self.features[stream].key is not None
        return keyed or any(self.models[name].personal or self.hides_ids(name) for name in own)

    def hides_ids(self, model: str) -> bool:
        """Whether the ids of a model's predictions are personal: only their hashes are stored, made with a key."""
        own = self.models.get(model, Model())
        return own.personal.id or (own.labels is not None and self.labels[own.labels].key is not None)

    def tested_in(self, stream: str) -> bool:
        """Whether a model of a stream has a golden set: what it answers may come back there, among its predictions."""
        return any(model.golden is not None and self.stream_of(name) == stream for name, model in self.models.items())

    @property
    def joins(self) -> dict[str, Labels | FeatureLog]:
        """All that predictions wait for."""
        return {**self.labels, **self.features}

    def awaited_by(self, join: str) -> tuple[str, ...]:
        """The streams of the models that have these labels, or this feature log, in their order."""
        used = {self.stream_of(name) for name, model in self.models.items() if join in model.joins}
        return tuple(name for name in self.streams if name in used)

    def binned(self, labels: str) -> int:
        """Features whose groups a row of the predictions has that wait for these labels, at most."""
        chosen = [model.grouped for model in self.models.values() if model.labels == labels]
        return max((one if isinstance(one, int) else len(one) for one in chosen), default=0)

    def compared(self, log: str) -> int:
        """Values that a row carries that waits for this feature log, or is of it, at most."""
        return max(
            (own.agreement.compared for own in self.models.values() if own.agreement is not None and own.agreement.log == log), default=0
        )

    def read_as(self, join: str) -> Stream:
        """How the topics of labels, or of a feature log, are cut: as the stream of the predictions that wait for them."""
        own, stream = self.joins[join], self.streams[self.awaited_by(join)[0]]
        return stream.model_copy(update={"topics": own.topics, "format": own.format, "where": own.where, "embedder": None})

    @property
    def read(self) -> dict[str, Stream]:
        """All that is read, of predictions, of labels and of feature logs, each as it is cut."""
        return self.streams | {name: self.read_as(name) for name in self.joins}

    @property
    def embeds(self) -> str | None:
        """The stream whose texts an embedder is asked for."""
        return next((name for name, stream in self.streams.items() if stream.embedder is not None), None)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The topics of all that is read; of a stream with an embedder, what that writes."""
        return tuple(dict.fromkeys(topic for stream in self.read.values() for topic in stream.topics))

    def digest(self, later: Mapping[str, object] = MappingProxyType({}), aside: Collection[str] = (), /, **reads: Collection[str]) -> str:
        """A hash of what one consumer reads: by section (``streams``, ``models``), the keys of each entry that decide its results, or
        parts of them (``ood.important``).

        Keys that are not named change nothing, those of tomorrow neither: a consumer's messages stay what they were. ``later``: keys that
        came later, each with the value with which all is as it was before; ``aside``: keys of settings that decide nothing.
        """
        read = {
            section: {name: entry.model_dump(mode="json", include=_included(keys)) for name, entry in getattr(self, section).items()}
            for section, keys in reads.items()
        }
        return content_hash(msgspec.json.encode(_without(read, later, aside), order="sorted"))


def _included(keys: Collection[str]) -> dict[str, Any]:  # nested as pydantic has it
    """Keys, and parts of what some of them hold: ``ood.important``."""
    found: dict[str, Any] = {}
    for key in keys:
        name, _, part = key.partition(".")
        if part:
            found.setdefault(name, {})[part] = True
        else:
            found[name] = True
    return found


def _without(plain: object, later: Mapping[str, object], aside: Collection[str]) -> object:
    """Plain data without the keys that say nothing new."""
    if not isinstance(plain, dict):
        return plain
    return {
        key: _without(value, later, aside)
        for key, value in plain.items()
        if (key not in later or value != later[key]) and not (key in aside and isinstance(value, str | float | None))
    }
