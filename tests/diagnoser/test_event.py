"""An event of the largest incident there can be, and when there is another one."""

from dataclasses import replace

from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.diagnoser.archive import archived
from driftbus.consumers.diagnoser.standing import standing
from driftbus.consumers.diagnoser.telling import Ran, Whose, event, news_of, since_onset
from driftbus.detectors.diagnosis.evidence import Case, Coincident, FieldOf
from driftbus.detectors.diagnosis.finding import Diagnosis, Finding, Piece, RuledOut
from driftbus.detectors.diagnosis.gate import decide
from driftbus.detectors.diagnosis.incidents import Home, Incident, Onset
from driftbus.detectors.diagnosis.sums import Place, Sums
from driftbus.detectors.diagnosis.windows import Window
from driftbus.schemas.bounds import RECORDS
from driftbus.schemas.messages.root_cause import MOST_REASON, RetrainGate, RootCauseEvent

from .facts import KNOWN, settings

#: A name as long as a reference allows, of characters that take six bytes each.
LONG = "\x01" * 496
FIELDS = tuple(FieldOf(f"{LONG}{number:03}", "feature", KNOWN.fields[0].values, 5, LONG[:90], LONG[:90]) for number in range(5_000))  # type: ignore[arg-type]  # numeric
HOLD = RetrainGate(decision="hold", because="x" * MOST_REASON, blocked_by=tuple(f"{number:032x}" for number in range(50)))


def found(features: tuple[str, ...], **changes: object) -> Incident:
    names = [one.name for one in FIELDS]
    finding = Finding(
        "feature_recalibration",
        "map",
        features,
        0,
        "abrupt",
        live=True,
        confidence=0.93,
        evidence=[Piece(LONG[:60], LONG, 1 / 3, name, 1e300) for name in names],
        missing={f"kind {number}": "y" * 2 * MOST_REASON for number in range(10)},
        exchanged=dict(zip(features, reversed(features), strict=True)),
        source=LONG[:100],
    )
    return replace(Incident("i" * 32, finding, Onset(0, 0, 10), 1, 10, versions=["1"], missed={Home("1", "r"): 0}), **changes)  # type: ignore[arg-type]  # fields of differing types


def ran() -> Ran:
    offsets = {Place("t" * 249, number): (number, number + 1) for number in range(1_000)}
    window = Window(0, 0, 0, 10, Sums(rows=500, offsets=offsets))
    case = Case(FIELDS, (), True, [], [], coincident=[Coincident(5, "release", LONG) for _ in range(100)])
    said = Diagnosis([], [RuledOut("data_drift", "z" * 2 * MOST_REASON)] * 7, {}, 0.3, (0.0, 0.5))
    return Ran(10, case, said, [window] * 24, [window], 3, {})


def told(incident: Incident, of_version: RetrainGate = HOLD) -> RootCauseEvent:
    now, whose = ran(), Whose("a" * 100, "s" * 100, LONG, LONG, "sha256:" + "0" * 64, "sha256:" + "0" * 64)
    return event(whose, incident, since_onset(incident, now), now, of_version, [f"{number:032x}" for number in range(500)])


def test_the_largest_fits_into_a_record() -> None:
    said = told(found(tuple(one.name for one in FIELDS)))
    output = addressed(settings(), "t", said, 0)
    size = len(output.value or b"") + len(output.key or b"") + sum(len(name) + len(value) for name, value in output.headers)
    assert size < RECORDS["root-cause"]
    assert (said.scope.more_features, said.more_evidence, said.more_episodes, said.more_panes) == (4_980, 4_970, 450, 950)
    assert RootCauseEvent.decoded(said.encoded()) == said


def test_what_is_stored_is_the_same_under_another_configuration() -> None:
    """A replay has another one, for it has no live clock; it names the same windows."""
    now, whose = ran(), Whose("app", "clicks", "m0", "1", "sha256:r", "sha256:one")
    assert archived(whose, found(("a",)), now) == archived(whose._replace(configuration="sha256:two", calibration="x"), found(("a",)), now)
    assert archived(whose, found(("a",)), now) != archived(whose._replace(version="2"), found(("a",)), now)


def test_what_is_news_and_what_is_not() -> None:
    one = found(("a",))
    before = news_of(one, "harmful", HOLD)
    assert news_of(one, "harmful", HOLD) == before
    assert news_of(found(("a",), revision=5, firm={Home("1", "r"): 3}), "harmful", HOLD) == before
    assert news_of(one, "benign", HOLD) != before
    for changes in ({"onset": Onset(1, 10, 20)}, {"status": "confirmed"}, {"superseded_by": "j"}):
        assert news_of(found(("a",), **changes), "harmful", HOLD) != before
    for finding in (replace(one.finding, subtype="x"), replace(one.finding, features=("b",)), replace(one.finding, confidence=0.89)):
        assert news_of(replace(one, finding=finding), "harmful", HOLD) != before
    assert news_of(replace(one, finding=replace(one.finding, confidence=0.95)), "harmful", HOLD) == before


def test_nobody_retrains_on_a_suspicion_or_a_fault() -> None:
    now = ran()
    for cause in ("data_drift", "training_serving_skew", "undetermined", "model_broken", "feature_recalibration"):
        incident = found(("a",))
        incident.finding = replace(incident.finding, cause=cause)
        assert decide([standing(incident, since_onset(incident, now), now)], baseline=True).decision != "allow"
    assert decide([], baseline=False).decision == "hold"
    assert decide([], baseline=True).decision == "allow"
