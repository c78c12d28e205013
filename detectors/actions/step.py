"""Which jobs are asked for, and what becomes of them: one step of a model's ledger.

*Guarantee.* What `step` says is a function of the facts so far and of the policies. Every fact may come twice, and at any later point
again: it says nothing new. Of a trigger at most one job succeeds; of a model at most one is active; none is asked for while a fault forbids
it.

*Trap.* The order within a step is fact, transitions, versions, wishes, launches. One pass is a fixed point: with wishes before
transitions the successor of a job that has just ended would start with the next fact, whatever that is, and a mere repetition would decide
something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...schemas.configuration.promotion import Promotion as Settings
from ...schemas.configuration.retrain import DAY_MS, Policy
from ...schemas.messages.action import ActionModel, ActionObserved, ActionWord, LedgerFact
from ...schemas.messages.action_version import ActionContest, ActionEvaluation, ActionVersion
from ...schemas.messages.job import FINAL, MOST_WHY, JobStatus, State, job_id
from ...schemas.messages.promotion import Promotion
from ...schemas.messages.retrain import RetrainRequest
from .edges import EDGES
from .facts import moved, take
from .promoting import Promoting
from .request import request_of
from .state import Job, Ledger, Tried, forget
from .wishes import look, obstacle, want

Said = JobStatus | RetrainRequest | Promotion
#: Of ends, those behind which a trigger is tried again; of the others nothing more comes.
_AGAIN: tuple[State, ...] = ("failed", "timed_out", "lost", "cancelled", "superseded")
#: A policy that is configured no more: its jobs that were asked for end as they would.
_GONE = Policy(when="person")


@dataclass
class _Step:
    """One fact in the hands of one model's ledger."""

    application: str
    model: str
    ledger: Ledger
    policies: Mapping[str, Policy]
    said: list[Said]
    promotion: Settings | None = None

    def fact(self, fact: LedgerFact) -> None:
        """What it says, of jobs too."""
        if isinstance(fact, ActionWord):
            self._word(fact)
        elif isinstance(fact, ActionObserved):
            self._observed(fact)
        elif isinstance(fact, ActionModel | ActionEvaluation | ActionContest | ActionVersion):
            self._of_version(fact)
        else:
            take(self.ledger, fact, self.policies)

    def _of_version(self, fact: ActionModel | ActionEvaluation | ActionContest | ActionVersion) -> None:
        if isinstance(fact, ActionModel) and not moved(self.ledger, fact):
            return
        if self.promotion is None:
            return
        versions = self._versions(self.promotion)
        if isinstance(fact, ActionModel):
            versions.moved(fact)
        elif isinstance(fact, ActionEvaluation):
            versions.evaluated(fact)
        elif isinstance(fact, ActionContest):
            versions.contested(fact)
        else:
            versions.word(fact)
        self.said += versions.said

    def _versions(self, promotion: Settings) -> Promoting:
        return Promoting(self.application, self.model, self.ledger, promotion, [])

    def versions(self) -> None:
        """What becomes of new versions."""
        if self.promotion is None:
            self.ledger.awaited = None
            return
        versions = self._versions(self.promotion)
        versions.advance()
        self.said += versions.said

    def _word(self, fact: ActionWord) -> None:
        job = self.ledger.jobs.get(fact.job)
        if job is None or job.final:
            return
        if fact.kind == "cancel":
            job.cancelled_by = job.cancelled_by or fact.by
            self._cancel(fact.job, job, "cancelled by a person", fact.by)
        elif job.state == "awaiting_approval" and fact.kind == "approve":
            job.approved_by = job.approved_by or fact.by  # kept: what stands in the way now may be gone later
        elif job.state == "awaiting_approval":
            self._move(fact.job, job, "rejected", "rejected by a person", fact.by)

    def _observed(self, fact: ActionObserved) -> None:
        """Of a job that was never asked for, or is over, it changes nothing."""
        job = self.ledger.jobs.get(fact.job)
        if job is not None and not job.final and (job.state, fact.state) in EDGES and job.state != "awaiting_approval":
            self._move(fact.job, job, fact.state, fact.detail or "as it was observed", fact.by)

    def transitions(self) -> None:
        """Of jobs that are not over, by what is known now."""
        fault = next(self.ledger.faults(), None)
        for name, job in list(self.ledger.jobs.items()):
            if job.final:
                continue
            policy = self.policies.get(job.policy, _GONE)
            waited = self.ledger.now - job.since
            forbids = None if job.overridden_by else fault
            if job.state == "awaiting_approval":
                self._awaiting(name, job, policy, forbids, waited)
            elif job.state in ("requested", "started") and forbids:
                self._cancel(name, job, f"incident {forbids}: the data are in doubt")
            elif job.state == "requested" and waited > policy.start_within:
                self._cancel(name, job, "it was not started in time")
            elif job.state == "started" and waited > policy.finish_within:
                self._cancel(name, job, "no news of it in time")
            elif job.state == "cancelling" and waited > policy.cancel_within:
                self._move(name, job, "lost", "no answer to its cancellation in time")

    def _awaiting(self, name: str, job: Job, policy: Policy, fault: str | None, waited: int) -> None:
        if job.policy not in self.policies:  # nobody knows any more on which data, and within which limits
            self._move(name, job, "superseded", f"policy {job.policy} is configured no more"[:MOST_WHY])
        elif fault is not None:
            self._move(name, job, "superseded", f"incident {fault} forbids it")
        elif self._over(job):
            self._move(name, job, "superseded", "what triggered it is over")
        elif job.approved_by is not None:
            if obstacle(self.ledger, policy, job, overridden=job.overridden_by is not None) is None:
                self._launch(name, job, policy, "approved", job.approved_by)
        elif waited > policy.approve_within:
            self._move(name, job, "expired", "nobody answered in time")

    def _over(self, job: Job) -> bool:
        if job.version in self.ledger.retired:
            return True
        if job.kind == "cause":
            incident = self.ledger.incidents.get(job.trigger)
            return incident is None or incident.fact["status"] in ("resolved", "superseded", "withdrawn")
        if job.kind == "performance":
            episode = self.ledger.episodes.get(job.trigger)
            return episode is None or episode.fact["status"] == "resolved"
        return False

    def launches(self) -> None:
        """What nothing is in the way of, the oldest wish first."""
        ledger = self.ledger
        ledger.launches = [at for at in ledger.launches if ledger.now - at < DAY_MS]
        for key, wish in sorted(ledger.wishes.items(), key=lambda one: (one[1].since, one[0])):
            policy = self.policies[wish.policy]
            if obstacle(ledger, policy, None, overridden=wish.overridden_by is not None) is not None:
                continue
            del ledger.wishes[key]
            before = ledger.tried.get(key, Tried(0, 0))
            attempt = before.attempts + 1
            version = self._version(wish.kind, wish.trigger)
            name = job_id(self.application, self.model, wish.policy, f"{wish.kind}/{wish.trigger}", attempt)
            job = Job(wish.policy, wish.kind, wish.trigger, attempt, version, ledger.now, on=policy.on, overridden_by=wish.overridden_by)
            ledger.jobs[name], ledger.tried[key] = job, Tried(attempt, ledger.now, before.unlaunched)
            if policy.dry_run:
                self._counted(job)
                self._move(name, job, "dry_run", "the policy says dry run")
            elif policy.approval:
                self._move(name, job, "awaiting_approval", "the policy asks for approval")
            else:
                self._launch(name, job, policy, f"trigger: {wish.kind}", wish.overridden_by)

    def _version(self, kind: str, trigger: str) -> str:
        """That in force; where nobody says which it is, the one that the trigger is of."""
        if self.ledger.version != "-":
            return self.ledger.version
        known = self.ledger.incidents.get(trigger) or self.ledger.episodes.get(trigger)
        return "-" if known is None else str(known.fact["version"])

    def _launch(self, name: str, job: Job, policy: Policy, why: str, by: str | None) -> None:
        job.launched = True
        self._counted(job)
        request = request_of(self.application, self.model, name, job, policy, self.ledger)
        job.begins, job.until = request.data.include[0].since, request.data.until
        job.without = {one.incident: one.since for one in request.data.exclude}
        self.said.append(request)
        self._move(name, job, "requested", why, by)

    def _counted(self, job: Job) -> None:
        """As one of the day, and of the labels so far."""
        self.ledger.launches.append(self.ledger.now)
        self.ledger.labels_at_launch = self.ledger.labels

    def _cancel(self, name: str, job: Job, why: str, by: str | None = None) -> None:
        if job.state == "awaiting_approval":
            self._move(name, job, "cancelled", why, by)
        elif job.state in ("requested", "started"):
            self._move(name, job, "cancelling", why, by)

    def _move(self, name: str, job: Job, to: State, why: str, by: str | None = None) -> None:
        if (job.state, to) not in EDGES:
            msg = f"job {name} cannot go from {job.state} to {to}"
            raise ValueError(msg)
        status = JobStatus(
            job=name,
            application=self.application,
            model=self.model,
            version=job.version,
            policy=job.policy,
            on=job.on,
            attempt=job.attempt,
            trigger_kind=job.kind,
            trigger=job.trigger,
            state=to,
            before=job.state,
            cause=why,
            by=by,
            time=self.ledger.now,
        )
        self.said.append(status)
        job.state, job.since = to, self.ledger.now
        if to in FINAL:
            self._ended(job, to)

    def _ended(self, job: Job, how: State) -> None:
        ledger = self.ledger
        if job.launched or how == "dry_run":
            ledger.last_end = ledger.now
        tried = ledger.tried[job.key]
        tried.at, tried.settled = ledger.now, how not in _AGAIN or job.cancelled_by is not None
        tried.unlaunched += not job.launched
        if tried.settled and job.kind == "labels" and not job.launched:  # count anew: the same labels ask for nothing more
            ledger.labels_at_launch = ledger.labels
        policy = self.policies.get(job.policy)
        edge = job.kind in ("schedule", "labels", "event", "person")  # of the others, what stands asks again by itself
        newest = job.kind != "schedule" or str(ledger.due.get(job.policy)) == job.trigger
        if policy is not None and edge and newest:
            want(ledger, job.policy, policy, job.kind, job.trigger, overridden_by=job.overridden_by)


def step(
    application: str,
    model: str,
    ledger: Ledger,
    known: int,
    fact: LedgerFact,
    policies: Mapping[str, Policy],
    promotion: Settings | None = None,
) -> Sequence[Said]:
    """Take one fact, known at a time, ms; what follows from it. ``promotion``: what new versions must show; None: nobody looks."""
    ledger.now = max(ledger.now, known)
    if ledger.began is None and ledger.now:
        ledger.begins()
    one = _Step(application, model, ledger, policies, [], promotion)
    one.fact(fact)
    one.transitions()
    one.versions()
    look(ledger, policies)
    one.launches()
    forget(ledger)
    return one.said
