"""``models:`` of the configuration: what is watched, and how closely."""

import fnmatch
from collections.abc import Collection, Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from ..duration import Duration, DurationOrNone, written
from ..fact import Setting
from ..messages.block import MOST_BINNED
from .diagnosis import Diagnosis, OrOff
from .examples import ExamplesOf
from .feature_log import Agreement
from .features import FeatureSettings, Important, NullValues, OrIgnore, Zone
from .golden import Golden
from .learner import LearnerOf
from .ood import Ood
from .outcomes import OutcomesOf
from .personal import Personal
from .promotion import Promotion
from .reference import Table, TopicSlice
from .retrain import Policy
from .review import Review
from .segments import Segments, conditions
from .units import FalseAlarms, Rate


class PairSettings(Setting):
    """How changes are watched that several numeric fields show only together."""

    sample: int = Field(10, ge=1, le=10_000, description="rows of which one is counted")
    most: int = Field(24, ge=2, le=64, description="fields that are paired")


_or_off = BeforeValidator(
    lambda written_: None if written_ in (False, "off") else written_, json_schema_input_type=PairSettings | Literal["off"]
)


#: Of a trailing reference: the counts of each are remembered.
MOST_PIECES = 400


class Trailing(Setting):
    """A reference that follows the model's own recent past."""

    length: Duration = Field(28 * 86_400_000, description="of the past that is compared with")
    every: Duration = Field(7 * 86_400_000, description="how often it moves on")
    lag: DurationOrNone = Field(86_400_000, description="the newest rows stay out: what has just begun must not be normal at once")

    @model_validator(mode="after")
    def _longer(self) -> "Trailing":
        if not 2 <= self.length / self.every <= MOST_PIECES:
            msg = f"length: {written(self.length)} must be 2 to {MOST_PIECES} times every, which is {written(self.every)}"
            raise ValueError(msg)
        return self


class Model(Setting):
    """A monitored model."""

    stream: str | None = None
    labels: str | None = Field(None, description="the stream of its labels")
    outcomes: OutcomesOf = OutcomesOf()
    examples: ExamplesOf | None = Field(None, description="its labelled rows are written down whole; null: nobody does")
    learner: LearnerOf | None = Field(None, description="a model that learns from its labelled rows; null: none does")
    agreement: Agreement | None = Field(None, description="served values are compared with those of a feature log; null: nobody does")
    reference: Table | TopicSlice | Literal["golden"] | None = Field(None, description="golden: the rows of its golden set")
    false_alarms: Rate = FalseAlarms(30 * 86_400_000, "time")
    rate: float | None = Field(None, gt=0, description="rows per second, where the reference has no times")
    min_effect: float = Field(0.0, ge=0, le=3)
    important: Important = Important()
    segments: Segments | None = None
    pairs: Annotated[PairSettings | None, _or_off] = PairSettings()
    season: Literal["day", "week"] | None = Field(None, description="compare each hour with the same hour of the day, or of the week")
    volume: bool | None = Field(None, description="whether rows per bucket are watched; null: if the reference is a part of a topic")
    silence: Duration | Literal["never"] | None = Field(None, description="without a row; null: 3 x the reference's longest gap")
    trailing: Trailing | None = None
    nulls: NullValues = Field((), description="values that stand for none, in every feature that does not say others")
    zone: Zone = Field("UTC", description="of times that name none")
    golden: Golden | None = Field(None, description="rows with known answers on which the model itself is tested")
    review: Review | None = Field(None, description="people are asked about some of its predictions")
    ood: Ood | None = Field(None, description="whether what is asked is like the training data; null: nobody looks")
    diagnosis: OrOff = Field(Diagnosis(), description="causes are looked for behind what drifts; off: nobody looks")
    retrain: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")], Policy] = Field({}, description="when it is trained anew")
    promotion: Promotion | None = Field(None, description="what a new version must show; null: nobody looks")
    registry: str | None = Field(None, description="where its versions are known; null: nowhere else")
    features: dict[str, Annotated[FeatureSettings, OrIgnore]] = {}
    personal: Personal = Field(Personal(), description="what of users' data is left out or changed before anything is stored")
    _unread: frozenset[str] = PrivateAttr(default=frozenset())

    @model_validator(mode="before")
    @classmethod
    def _learns_from_examples(cls, written_: Any) -> Any:  # whatever was written
        """Who learns needs rows: all there are, unless something else is said."""
        if isinstance(written_, dict) and written_.get("learner") is not None and written_.get("examples") is None:
            return {**written_, "examples": {}}
        return written_

    @model_validator(mode="after")
    def _one_division(self) -> "Model":
        divisions = {"segments": self.segments, "season": self.season, "trailing": self.trailing}
        chosen = [name for name, setting in divisions.items() if setting is not None]
        if len(chosen) > 1:
            msg = f"{' and '.join(chosen)}: write one of them; they cannot be combined"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _outcomes_of_labels(self) -> "Model":
        if self.labels is None and self.outcomes != OutcomesOf():
            msg = "outcomes: nothing becomes known of predictions without labels; write labels: NAME"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _tested_by_labels(self) -> "Model":
        if self.labels is None and self.promotion is not None and self.promotion.by == "test":
            msg = "promotion.by: versions are compared by their labels, and there are none; write labels: NAME, or promotion.by: person"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _examples_of_labels(self) -> "Model":
        if self.labels is None and self.examples is not None:
            key = "examples" if self.learner is None else "learner"
            msg = f"{key}: nothing becomes known of predictions without labels; write labels: NAME"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _nothing_asked_of_personal_data(self) -> "Model":
        rules = {} if self.segments is None else self.segments.rules
        asked: dict[str, tuple[str, ...]] = {}
        if self.segments is not None and self.segments.by is not None:
            asked["segments.by"] = (self.segments.by,)
        asked |= {f"segments.rules.{name}": tuple(one.field for one in conditions(rule)) for name, rule in rules.items()}
        asked |= {"outcomes.features": self.outcomes.features if isinstance(self.outcomes.features, tuple) else ()}
        if self.agreement is not None and isinstance(self.agreement.features, tuple):
            asked["agreement.features"] = self.agreement.features
        for key, names in asked.items():
            for name in names:
                if (pattern := self.personal.dropped(name)) is not None:
                    msg = f"{key}: {name} is dropped by personal.drop ({pattern}), so that nothing can be said by it; leave out one of them"
                    raise ValueError(msg)
                if key.startswith("segments.rules") and (rule := self.personal.rule(name, "")) is not None and rule.hash is not None:
                    msg = f"{key}: {name} is hashed by personal.hash, and its values cannot be compared; write segments.by: {name}"
                    raise ValueError(msg)
        for name, settings in self.features.items():
            rule = self.personal.rule(name, "")
            if rule is not None and settings.type not in (
                (None, "categorical") if rule.hash is not None else (None, "categorical", "text")
            ):
                does = "hash" if rule.hash is not None else "mask"
                msg = (
                    f"features.{name}.type: {settings.type}, and personal.{does} makes it a text; leave out one of them, or drop the field"
                )
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

    @property
    def unread(self) -> frozenset[str]:
        """Of what its predictions wait for, the sections (labels, agreement) that are configured and not there."""
        return self._unread

    def without_joins(self, there: Collection[str]) -> "Model":
        """The model where only these of its joins are there: nobody waits for the others, and whoever lacks them says so."""
        wanted = {"labels": self.labels, "agreement": None if self.agreement is None else self.agreement.log}
        gone = frozenset(section for section, name in wanted.items() if name is not None and name not in there)
        found = self.model_copy(update=dict.fromkeys(gone))
        found._unread = gone
        return found

    @property
    def joins(self) -> tuple[str, ...]:
        """What its predictions wait for: labels, a feature log."""
        return tuple(name for name in (self.labels, None if self.agreement is None else self.agreement.log) if name is not None)

    @property
    def grouped(self) -> tuple[str, ...] | int:
        """The features by whose groups outcomes are summed, or how many: where causes are looked for, as many as there may be."""
        if self.outcomes.features is not None:
            return self.outcomes.features
        return 0 if self.labels is None or self.diagnosis is None else MOST_BINNED

    @property
    def inner(self) -> bool:
        """Whether outcomes are summed apart for those rows that were compared with the training data, and are no outliers."""
        return self.ood is not None and self.diagnosis is not None and self.grouped not in (0, ())

    def feature(self, name: str) -> FeatureSettings:
        """The settings of one feature: of all patterns that match, the later ones win, key by key; its own name wins over all."""
        merged: dict[str, Any] = {}  # of differing types, by key
        for _, settings in self._matching(name):
            merged |= {key: getattr(settings, key) for key in settings.model_fields_set}
        return FeatureSettings(**merged)

    def nulls_of(self, name: str) -> tuple[str | float, ...]:
        """What stands for none in a feature."""
        own = self.feature(name).nulls
        return self.nulls if own is None else own

    def zone_of(self, name: str) -> str:
        """Where a feature's times are from that do not say it."""
        return self.feature(name).zone or self.zone

    def sources_of(self, names: Iterable[str]) -> dict[str, str]:
        """By feature, where its values come from, of those that have a source."""
        return {name: source for name in names if (source := self.feature(name).source) is not None}

    def owners_of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Who is asked when these features break, each once, in their order."""
        return tuple(dict.fromkeys(owner for name in names if (owner := self.feature(name).owner) is not None))

    def _matching(self, name: str) -> list[tuple[str, FeatureSettings]]:
        found = [(pattern, own) for pattern, own in self.features.items() if pattern != name and fnmatch.fnmatchcase(name, pattern)]
        return [*found, (name, self.features[name])] if name in self.features else found

    def pattern(self, feature: str, key: str) -> str:
        """The pattern that a feature has this setting from; its own name where none has it."""
        found = (pattern for pattern, own in reversed(self._matching(feature)) if key in own.model_fields_set)
        return next(found, feature)
