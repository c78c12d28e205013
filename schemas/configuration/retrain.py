"""``models.NAME.retrain:`` of the configuration: when a model is to be retrained, and what holds it up; a policy each."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, model_validator

from ..duration import Duration, DurationOrNone
from ..fact import Setting
from ..messages.coincidence import CoincidenceType
from ..messages.root_cause import Action, Cause
from .features import Zone

DAY_MS = 86_400_000
#: No job lives longer, and nothing that was decided is remembered for longer than three times that.
LONGEST = 30 * DAY_MS
#: A job of which nothing is heard is cancelled after so long, where nothing lets it wait.
START_WITHIN = 10 * 60_000
#: A hundred years: what begins so long before now is a time that can be written.
LONGEST_WINDOW = 36_500 * DAY_MS

When = Literal["cause", "schedule", "performance", "labels", "event", "person"]
#: What each needs, and nobody else may have.
_OF: dict[str, tuple[str, ...]] = {
    "cause": ("causes",),
    "schedule": ("cron", "zone"),
    "performance": ("worse_than",),
    "labels": ("new_labels",),
    "event": ("events", "settle"),
    "person": (),
}
_NEEDED = {"schedule": "cron", "labels": "new_labels", "performance": "worse_than"}
Event = Literal[CoincidenceType, "deployed", "promoted", "rolled_back"]


def _cron(line: str) -> str:
    try:
        next(CronSim(line, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        msg = f'"{line}" is not a cron line ({error or "it never comes"}); write MINUTE HOUR DAY MONTH WEEKDAY, as "0 3 * * 0"'
        raise ValueError(msg) from None
    return line


_Up = Annotated[DurationOrNone, Field(le=LONGEST)]


class TrainingRows(Setting):
    """Which rows a job is given."""

    window: Annotated[Duration, Field(le=LONGEST_WINDOW)] | None = Field(
        None, description="the newest so long; null: all that the topics hold"
    )
    reviewed: bool = Field(True, description="what people answered counts where labels say otherwise")
    weights: dict[Literal["labels", "people", "outliers"], Annotated[float, Field(gt=0, le=1_000)]] = Field(
        {}, description="of rows whose label is of the labels, or of people, and of those unlike the training data; 1 where none is said"
    )


class Policy(Setting):
    """One reason to retrain a model, and what holds it up."""

    when: When
    causes: tuple[Cause, ...] = Field(("data_drift", "feature_drift"), description="confirmed ones, of which the gate allows it")
    cron: Annotated[str, AfterValidator(_cron)] | None = Field(None, description="five fields")
    zone: Zone = Field("UTC", description="of the cron line")
    worse_than: float | None = Field(None, gt=0, le=10, description="share of its baseline by which the metric is worse")
    new_labels: int | None = Field(None, ge=1, description="since the last launch")
    events: tuple[Event, ...] = Field(("release",), description="what was done; of models, or beside them")
    settle: _Up = Field(7 * DAY_MS, description="how long after such an event")
    on: str | None = Field(None, min_length=1, description="the launcher; null: whoever reads the topic retrain")
    action: Action | None = Field(None, description="null: the first that the gate names, else retrain")
    approval: bool = Field(False, description="a person must approve")
    approve_within: _Up = 7 * DAY_MS
    dry_run: bool = Field(False, description="it is told, not started")
    cooldown: _Up = Field(DAY_MS, description="since the model's last job ended")
    per_day: int = Field(2, ge=1, le=1_000, description="jobs of the model in 24 hours")
    attempts: int = Field(2, ge=1, le=100, description="of one trigger")
    start_within: _Up = Field(START_WITHIN, description="where it is not written, longer by as long as the launcher may let a job wait")
    finish_within: _Up = 6 * 3_600_000
    cancel_within: _Up = 3_600_000
    data: TrainingRows = TrainingRows()

    @model_validator(mode="after")
    def _of_its_kind(self) -> "Policy":
        needed = _NEEDED.get(self.when)
        if needed is not None and getattr(self, needed) is None:
            msg = f"{needed}: when: {self.when} needs it"
            raise ValueError(msg)
        for kind, keys in _OF.items():
            for key in keys:
                if kind != self.when and key in self.model_fields_set:
                    msg = f"{key}: is of when: {kind}, not of {self.when}; leave it out"
                    raise ValueError(msg)
        if not self.causes or not self.events:
            msg = f"{'events' if self.causes else 'causes'}: none is named, so nothing ever starts; leave it out for the default"
            raise ValueError(msg)
        return self
