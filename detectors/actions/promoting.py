"""What becomes of new versions: registered, tested on the golden set, in shadow beside their parent, promoted, and rolled back.

*Guarantee.* A version that was refused or held is never promoted; a job's versions are promoted once; none is while a fault forbids it, and
at most one at a time. All is a function of the facts so far: each counts once, however often it comes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ...schemas.configuration.promotion import Promotion as Settings
from ...schemas.messages.action import ActionModel
from ...schemas.messages.action_version import ActionContest, ActionEvaluation, ActionVersion
from ...schemas.messages.golden import FROM_NOTHING
from ...schemas.messages.promotion import Promotion, Proof, Step
from .evidence import Window, proof
from .state import Ledger
from .versions import Candidate, Pair, State, pair_of

#: An evaluation of which nothing is heard for so long is asked for again, ms; and how often it is asked for.
ANSWERED_WITHIN, MOST_ASKED = 86_400_000, 3
#: So long after one was asked for that failed, the first and the second, ms: a server that is away for some hours refuses nothing.
AGAIN_AFTER = 600_000, 21_600_000
#: Versions, and pairs of them, that are remembered; the oldest go first.
MOST_VERSIONS, MOST_PAIRS = 1_000, 50


@dataclass
class Promoting:
    """One fact in the hands of one model's ledger, as far as it concerns versions."""

    application: str
    model: str
    ledger: Ledger
    settings: Settings
    said: list[Promotion]

    # -- facts

    def moved(self, fact: ActionModel) -> None:
        """What was done with a version; the ledger knows it already."""
        known = self.ledger.candidates.get(fact.version)
        if fact.event == "registered":
            if known is None:
                self._register(fact)
            return
        if fact.event == "promoted" or (fact.event == "deployed" and (known is None or not known.open)):
            for version, one in self.ledger.candidates.items():
                if version != fact.version and one.state in ("promoted", "promoting", "rolling_back"):
                    self._retire(version, one, f"version {fact.version} serves")
                    self._to(one, "replaced")
                    one.revoked_by = None
        if known is None:
            return
        if fact.event == "promoted" and known.state not in ("promoted", "rolling_back"):
            self._to(known, "promoted")
        elif fact.event == "rolled_back" and known.state in ("promoted", "promoting", "rolling_back"):
            self._to(known, "rolled_back")
        elif fact.event == "retired" and (known.open or known.state in ("promoted", "rolling_back")):
            self._to(known, "retired")

    def _register(self, fact: ActionModel) -> None:
        ledger, version = self.ledger, fact.version
        if version in (ledger.version, *ledger.retired):
            return
        one = Candidate(ledger.now, ledger.now, parent=fact.parent, job=fact.job, reference=fact.reference)
        made = next((name for name, other in ledger.candidates.items() if fact.job is not None and other.job == fact.job), None)
        ledger.candidates[version] = one
        if made is not None:
            self._end(version, one, "refuse", "refused", f"its job has made version {made} already")

    def evaluated(self, fact: ActionEvaluation) -> None:
        """How a version did on a golden set."""
        if not self.ledger.hears(f"evaluation/{fact.request}", fact.time):
            return
        if fact.version == self.ledger.version and fact.golden is not None and fact.status != "failed" and fact.cause != "person":
            self.ledger.golden = fact.golden
        one = self.ledger.candidates.get(fact.version)
        if one is None or one.state != "evaluating" or fact.cause not in (None, "model"):
            return  # what people, slots and sets ask for may be of any set, and beside any version or none
        if fact.status == "failed":
            # A request is two runs, and only the last one that was asked for counts; the first is asked for before it is known here, too.
            if fact.asked >= one.since or one.said["evaluate"] == 1:
                one.failed = True
            return
        if one.parent is not None and fact.against == fact.version:
            return  # how far it is from itself: the second run, or one that was not asked for beside its parent
        bound, worst = self.settings.golden, fact.slice_change
        one.change = FROM_NOTHING if fact.change is None and fact.verdict == "worse" else fact.change  # as an older release said it
        if bound is not None and one.change is not None and one.change > bound:
            self._end(fact.version, one, "refuse", "refused", _loses("the golden set", one.change), proof=Proof(change=one.change))
        elif bound is not None and worst is not None and worst > bound:
            found = Proof(change=worst, slice=fact.slice)
            self._end(fact.version, one, "refuse", "refused", _loses(fact.slice or "a slice", worst)[:500], proof=found)
        else:
            self._shadow(fact.version, one)

    def contested(self, fact: ActionContest) -> None:
        """What became of what two versions answered."""
        pairs, name = self.ledger.pairs, pair_of(fact.version, fact.other)
        pairs.setdefault(name, Pair(fact.day, self.ledger.now)).take(fact, self.ledger.now)
        if len(pairs) > MOST_PAIRS:
            del pairs[min(pairs, key=lambda each: (pairs[each].at, each))]

    def word(self, fact: ActionVersion) -> None:
        """What a person says of a version. One that is refused or held never serves, whoever asks."""
        if not self.ledger.hears(f"word/{fact.id}", fact.time):
            return
        one = self.ledger.candidates.get(fact.version)
        if one is None:
            return
        if fact.kind == "promote" and one.open:
            one.approved_by = one.approved_by or fact.by  # kept: what stands in the way now may be gone later
        elif fact.kind == "refuse" and one.open and one.state != "promoting":
            self._end(fact.version, one, "refuse", "refused", "refused by a person", fact.by)
        elif fact.kind == "roll_back" and (one.state == "promoting" or self._serves(fact.version, one)):
            one.revoked_by = fact.by  # kept: it will serve before long, or another one is on its way

    # -- what follows

    def advance(self) -> None:
        """What becomes of each by what is known now, those that were registered first before others."""
        candidates = self.ledger.candidates
        for version, one in sorted(candidates.items(), key=lambda each: (each[1].registered, each[0])):
            if one.open:
                self._open(version, one)
            elif self._serves(version, one):
                self._watch(version, one)
        self.ledger.awaited = next((version for version, one in sorted(candidates.items()) if self.settings.hold and one.open), None)
        over = [(one.since, version) for version, one in candidates.items() if not one.open and version != self.ledger.version]
        for _, version in sorted(over)[: max(0, len(candidates) - MOST_VERSIONS)]:
            del candidates[version]

    def _open(self, version: str, one: Candidate) -> None:
        ledger = self.ledger
        if one.state == "promoting":
            return
        if (doubt := self._doubt(one)) is not None:
            self._end(version, one, "held", "held", f"incident {doubt} was in its data")
        elif ledger.now - one.registered > self.settings.expires:
            found = self._proof(version, one)
            told = "" if found.evidence is None else f": a bet of 1 on it is {found.evidence:.3g}, after {found.days} clean days"
            self._end(version, one, "refuse", "refused", f"nothing was decided in time{told}", proof=found)
        else:
            self._rebase(one)
            self._onwards(version, one)

    def _onwards(self, version: str, one: Candidate) -> None:
        if one.state == "registered":
            if self.settings.golden is not None:
                self._ask(version, one, "it was registered")
            else:
                self._shadow(version, one)
        elif one.state == "evaluating":
            self._await(version, one)
        if one.state == "shadow":
            self._decide(version, one)

    def _await(self, version: str, one: Candidate) -> None:
        """Its evaluation."""
        waited, asked = self.ledger.now - one.since, one.said["evaluate"]
        if one.failed and (asked >= MOST_ASKED or waited >= AGAIN_AFTER[asked - 1]):
            self._ask(version, one, "the evaluation failed")
        elif waited > ANSWERED_WITHIN:
            self._ask(version, one, "no evaluation came in time")

    def _ask(self, version: str, one: Candidate, why: str) -> None:
        one.failed = False
        if one.said.get("evaluate", 0) >= MOST_ASKED:
            self._end(version, one, "refuse", "refused", f"{why}, {MOST_ASKED} times")
            return
        self._say(version, one, "evaluate", why)
        self._to(one, "evaluating")

    def _shadow(self, version: str, one: Candidate) -> None:
        one.unseen = self.ledger.now
        tested = "it is no worse on the golden set" if "evaluate" in one.said else "it was registered"
        self._say(version, one, "shadow", tested, proof=Proof(change=one.change))
        self._to(one, "shadow")

    def _rebase(self, one: Candidate) -> None:
        """It takes the place of what serves: if that is another one by now, the comparison begins anew."""
        serving = self.ledger.version
        if serving not in ("-", one.parent):
            one.parent = serving
            if one.unseen is not None:
                one.unseen = self.ledger.now

    def _decide(self, version: str, one: Candidate) -> None:
        ledger = self.ledger
        if next(ledger.faults(), None) is not None or self._changes():
            return
        if one.approved_by is not None:
            self._end(version, one, "promote", "promoting", "a person says so", one.approved_by, proof=self._proof(version, one))
        elif self.settings.by == "test":
            found = self._proof(version, one)
            if found.evidence is None or found.gained is None:
                return
            days = round(self.settings.shadow / ledger.pairs[pair_of(version, one.parent or "")].day)
            if found.days >= days and found.evidence >= self.settings.evidence and found.gained >= 0:
                why = f"better than version {one.parent}: a bet of 1 on it is {found.evidence:.3g}, after {found.days} clean days"
                self._end(version, one, "promote", "promoting", why[:500], proof=found)

    def _watch(self, version: str, one: Candidate) -> None:
        """One that serves, as long as its parent may win its place back: the same test, turned round."""
        ledger = self.ledger
        if self._changes():
            return
        if one.revoked_by is not None:
            by, one.revoked_by = one.revoked_by, None
            self._end(version, one, "roll_back", "rolling_back", "rolled back by a person", by)
            return
        if "held" not in one.said and (doubt := self._doubt(one)) is not None:
            self._say(version, one, "held", f"it serves, and incident {doubt} was in its data")
        if ledger.now - one.since > self.settings.watch:
            self._retire(version, one, "it did not win its place back in time")
            return
        found = self._proof(version, one, of_parent=True)
        if found.evidence is not None and found.gained is not None and found.evidence >= self.settings.evidence and found.gained >= 0:
            why = f"version {one.parent} is better: a bet of 1 on it is {found.evidence:.3g}, after {found.days} clean days"
            self._end(version, one, "roll_back", "rolling_back", why[:500], proof=found)

    def _changes(self) -> bool:
        """Whether what serves is about to be another one: until that is seen, nobody knows what to compare with, or to go back to."""
        return any(one.state in ("promoting", "rolling_back") for one in self.ledger.candidates.values())

    def _retire(self, version: str, one: Candidate, why: str) -> None:
        """Its parent, once for every time that it came to serve."""
        if one.parent not in (None, self.ledger.version) and one.said.get("retire", 0) < one.said.get("promote", 0):
            self._say(version, one, "retire", why)

    def _serves(self, version: str, one: Candidate) -> bool:
        return one.state == "promoted" and version == self.ledger.version and one.parent is not None

    # -- what is known of it

    def _proof(self, version: str, one: Candidate, *, of_parent: bool = False) -> Proof:
        """By what was predicted since it is in shadow, or since it serves."""
        since = one.since if of_parent else one.unseen
        if one.parent is None or since is None or (pair := self.ledger.pairs.get(pair_of(version, one.parent))) is None:
            return Proof()
        better, other = (one.parent, version) if of_parent else (version, one.parent)
        return proof(pair, list(self._faults()), since, self.ledger.now, turned=better > other)

    def _faults(self) -> Iterator[Window]:
        for incident in self.ledger.incidents.values():
            if incident.is_fault:
                yield incident.window

    def _doubt(self, one: Candidate) -> str | None:
        """A fault in the data that its job was given, and that was not left out."""
        job = None if one.job is None else self.ledger.jobs.get(one.job)
        if job is None or job.until is None:
            return None
        for name in sorted(self.ledger.incidents):
            if self.ledger.incidents[name].is_fault and self.ledger.incidents[name].is_known:
                begin, end = self.ledger.incidents[name].window
                within = begin < job.until and (end is None or job.begins is None or end > job.begins)
                if within and not (name in job.without and job.without[name] <= begin):
                    return name
        return None

    # -- what is said

    def _end(
        self, version: str, one: Candidate, step: Step, to: State, why: str, by: str | None = None, *, proof: Proof | None = None
    ) -> None:
        self._say(version, one, step, why, by, proof=proof)
        self._to(one, to)

    def _to(self, one: Candidate, state: State) -> None:
        one.state, one.since = state, self.ledger.now

    def _say(self, version: str, one: Candidate, step: Step, why: str, by: str | None = None, *, proof: Proof | None = None) -> None:
        references = self.ledger.references
        one.said[step] = one.said.get(step, 0) + 1
        self.said.append(
            Promotion(
                application=self.application,
                model=self.model,
                version=version,
                parent=one.parent,
                job=one.job,
                step=step,
                number=one.said[step],
                reference=one.reference,
                parent_reference=None if one.parent is None else references.get(one.parent),
                golden=self.ledger.golden if step == "evaluate" else None,
                reason=why,
                by=by,
                evidence=proof or Proof(),
                time=self.ledger.now,
            )
        )


def _loses(where: str, change: float) -> str:
    return f"its loss on {where} is worse by {change:.1%}" if change != FROM_NOTHING else f"it has a loss on {where}, where there was none"
