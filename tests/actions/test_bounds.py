"""How large records of the ledger and of the topic of retrains are at most, whatever the data."""

from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.intake.copying import Copying
from driftbus.consumers.reference import ledger
from driftbus.detectors.actions.state import Ledger
from driftbus.detectors.actions.step import step
from driftbus.schemas.bounds import RECORDS
from driftbus.schemas.configuration import Policy
from driftbus.schemas.messages.action import ActionReach, ActionWord
from driftbus.schemas.messages.action_version import ActionContest, ActionEvaluation, ActionVersion
from driftbus.schemas.messages.contest import MOST_DAYS, STAKES, Contest, ContestDay
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.promotion import Promotion, Proof
from driftbus.schemas.messages.retrain import MOST_SOURCES, RetrainRequest, Source
from driftbus.schemas.messages.root_cause import Mitigation, RetrainGate, Scope, TrainingData

from ..streaming import configuration
from .test_command import allowed

#: Six bytes a character in JSON.
LONG = "\x01" * 500
MODEL = "m" * 500
WINDOWS = 400
SETTINGS = configuration(models={MODEL: {"retrain": {"p" * 100: {"when": "cause", "cooldown": 0}}}})


def size(output: Output) -> int:
    return len(output.key or b"") + len(output.value or b"") + sum(len(name) + len(value) for name, value in output.headers)


def largest(number: int, *, decision: str) -> tuple[Output, ActionReach]:
    """A root cause as large as one can be, as it is copied; and a reach."""
    names = tuple(f"{i:03}{LONG}"[:500] for i in range(20))
    exclude = tuple((10 * i, 10 * i + 5) for i in range(WINDOWS))
    cause = allowed().model_copy(
        update={
            "incident": f"{number:032x}",
            "model": MODEL,
            "version": "v" * 500,
            "versions": names * 2,
            "scope": Scope(features=names),
            "mitigation": Mitigation(action="retrain", training_data=TrainingData(exclude=exclude, recompute=names * 3)),
            "retrain_gate": RetrainGate.model_validate(
                {"decision": decision, "because": "b" * 2_000, "blocked_by": [f"{i:032x}" for i in range(WINDOWS)], "actions": ["retrain"]}
            ),
        }
    )
    [fact] = Copying(SETTINGS).feed(0, 0, cause)
    sources = tuple(
        Source(topic="t" * 249, topic_id="i" * 36, partition=2**31 - 1 - i, offsets=(2**62, 2**62)) for i in range(MOST_SOURCES)
    )
    return ledger.output(SETTINGS, fact), ActionReach(model=MODEL, time=10**13, sources=sources)


def test_no_record_is_beyond_its_bound() -> None:
    own, policies = Ledger(), {"p" * 100: Policy(when="cause", cooldown=0)}
    output, reach = largest(0, decision="forbid")
    assert size(output) <= RECORDS["action-incident"]
    assert size(ledger.output(SETTINGS, reach)) <= RECORDS["action-reach"]
    step("test", MODEL, own, 1_700_000_000_000, reach, policies)
    for number in range(WINDOWS):
        for decision, status in (("forbid", "confirmed"), ("hold", "resolved")):
            fact = ledger.read("test", b"", largest(number, decision=decision)[0].value, ())
            assert fact is not None
            revision = 1 + (status == "resolved")
            one = fact.model_copy(update={"status": status, "revision": revision, "features": fact.features[:3]})  # type: ignore[union-attr]  # an incident
            step("test", MODEL, own, 1_700_000_000_000, one, policies)
    asking = ledger.read("test", b"", largest(WINDOWS, decision="allow")[0].value, ())
    assert asking is not None
    said = step("test", MODEL, own, 1_700_000_000_000, asking, policies)
    sizes = {type(one): size(addressed(SETTINGS, "retrain", one, 0)) for one in said}
    assert sizes[RetrainRequest] <= RECORDS["retrain-request"]
    assert sizes[JobStatus] <= RECORDS["job-status"]
    word = ActionWord(model=MODEL, kind="cancel", job="0" * 32, by="b" * 500, note="\x01" * 2_000)
    assert size(ledger.output(SETTINGS, word)) <= RECORDS["action"]


def test_no_record_of_versions_is_beyond_its_bound() -> None:
    most, other, wealth = 2**53, "w" * 500, (-(2**62),) * len(STAKES)
    day = ContestDay(start=10**13, rows=most, better=-most, squares=most, gained=-(2**62), wins=wealth, losses=wealth)
    where = {"partition": 2**31 - 1, "place": most, "day": most, "days": (day,) * MOST_DAYS}
    of = {"model": MODEL, "version": "v" * 500, "other": other, **where}
    told = Contest.model_validate({**of, "application": "a" * 249, "labels": "l" * 500, "through": 10**13})
    assert size(addressed(SETTINGS, "performance", told, 0)) <= RECORDS["contest"]
    copied = ActionContest.model_validate({**of, "time": 10**13})
    assert size(ledger.output(SETTINGS, copied)) <= RECORDS["action-contest"]
    names = {"model": MODEL, "version": "v" * 500}
    word = ActionVersion.model_validate({**names, "kind": "refuse", "by": "b" * 500, "note": "\x01" * 2_000})
    found = {
        "request": "r" * 64,
        "golden": LONG,
        "slice": LONG,
        "status": "complete",
        "verdict": "worse",
        "change": 0.1,
        "slice_change": 0.1,
    }
    evaluation = ActionEvaluation.model_validate({**names, **found})
    step_ = Promotion.model_validate(
        {**names, "parent": other, "job": "j" * 500, "step": "refuse", "reason": LONG, "by": "b" * 500, "time": 10**13}
        | {"evidence": Proof(slice=LONG), "reference": LONG, "parent_reference": LONG, "golden": LONG}
    )
    assert size(addressed(SETTINGS, "retrain", step_, 0)) <= RECORDS["promotion"]
    assert max(size(ledger.output(SETTINGS, one)) for one in (word, evaluation)) <= RECORDS["action"]
