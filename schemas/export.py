"""JSON Schemas of everything that travels or is stored, for those who read it without Python."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from .configuration import Configuration
from .messages.action import (
    ActionAdopted,
    ActionCoincidence,
    ActionDue,
    ActionEpisode,
    ActionIncident,
    ActionLabels,
    ActionModel,
    ActionObserved,
    ActionReach,
    ActionRequest,
    ActionTick,
    ActionWord,
)
from .messages.action_data import ActionGolden, ActionReviewed
from .messages.action_version import ActionContest, ActionEvaluation, ActionVersion
from .messages.alert import Alerted
from .messages.announcement import Announcement
from .messages.block import Block
from .messages.candidates import Candidates
from .messages.coincidence import Coincidence
from .messages.contest import Contest
from .messages.dead_letter import DeadLetter
from .messages.drift import DriftEvent
from .messages.evidence import Evidence
from .messages.example_words import ExampleAnswer, ExampleHold
from .messages.examples import Examples
from .messages.feedback import Feedback
from .messages.golden import GoldenEvaluation, GoldenRequest, GoldenResult, GoldenStarted
from .messages.golden_proposal import GoldenProposal
from .messages.golden_set import GoldenAnnouncement
from .messages.job import JobStatus
from .messages.learned import LearnedChange, LearnedLosses, LearnedModel
from .messages.model_event import ModelEvent
from .messages.notice import Notice
from .messages.ood import OodSample
from .messages.pane import Pane
from .messages.performance import Performance
from .messages.prediction import Prediction
from .messages.progress import Progress
from .messages.promotion import Promotion
from .messages.retrain import RetrainRequest
from .messages.review import ReviewAnswer, ReviewLabel, ReviewRequest, ReviewSlot
from .messages.reviewed import Reviewed
from .messages.root_cause import RootCauseEvent
from .stored.dataset import Manifest
from .stored.golden import GoldenSet
from .stored.reference import Reference

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: By the name of the file that describes it.
PUBLISHED: dict[str, type[BaseModel]] = {
    "action-adopted": ActionAdopted,
    "action-coincidence": ActionCoincidence,
    "action-contest": ActionContest,
    "action-due": ActionDue,
    "action-episode": ActionEpisode,
    "action-evaluation": ActionEvaluation,
    "action-incident": ActionIncident,
    "action-labels": ActionLabels,
    "action-reviewed": ActionReviewed,
    "action-golden": ActionGolden,
    "action-model": ActionModel,
    "action-observed": ActionObserved,
    "action-reach": ActionReach,
    "action-request": ActionRequest,
    "action-tick": ActionTick,
    "action-version": ActionVersion,
    "action-word": ActionWord,
    "alerted": Alerted,
    "announcement": Announcement,
    "block": Block,
    "candidates": Candidates,
    "coincidence": Coincidence,
    "configuration": Configuration,
    "contest": Contest,
    "dataset-manifest": Manifest,
    "dead-letter": DeadLetter,
    "drift-event": DriftEvent,
    "evidence": Evidence,
    "example-answer": ExampleAnswer,
    "example-hold": ExampleHold,
    "examples": Examples,
    "feedback": Feedback,
    "job-status": JobStatus,
    "learned-change": LearnedChange,
    "learned-losses": LearnedLosses,
    "learned-model": LearnedModel,
    "model-event": ModelEvent,
    "golden-evaluation": GoldenEvaluation,
    "golden-rows": GoldenSet,
    "golden-request": GoldenRequest,
    "golden-result": GoldenResult,
    "golden-proposal": GoldenProposal,
    "golden-set": GoldenAnnouncement,
    "golden-started": GoldenStarted,
    "notice": Notice,
    "ood-sample": OodSample,
    "pane": Pane,
    "performance": Performance,
    "prediction": Prediction,
    "progress": Progress,
    "promotion": Promotion,
    "reference": Reference,
    "retrain-request": RetrainRequest,
    "review-answer": ReviewAnswer,
    "review-label": ReviewLabel,
    "review-request": ReviewRequest,
    "review-slot": ReviewSlot,
    "reviewed": Reviewed,
    "root-cause": RootCauseEvent,
}


class _Plain(GenerateJsonSchema):
    """Without titles that repeat the key; the default of a packed vector is left to its description."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def json_schema(name: str) -> dict[str, Any]:  # any JSON
    """The schema of what `PUBLISHED` lists under a name: what a reader must accept, so what was written before a field came is valid.

    >>> json_schema("drift-event")["$id"]
    'urn:driftbus:schema:drift-event'
    """
    return {"$schema": DIALECT, "$id": f"urn:driftbus:schema:{name}"} | PUBLISHED[name].model_json_schema(schema_generator=_Plain)
