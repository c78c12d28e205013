"""All that a baseline of outcomes and the settings decide beforehand: what `driftbus.detectors.episodes.step` needs for this lane."""

from ...schemas.configuration import FeatureSettings, Model
from ...schemas.identity import derived_id
from ...schemas.stored.baseline import OutcomeBaseline
from ..betting.companions import Companions
from ..betting.mixture import GROUP_WEIGHTS, REVIEWED_WEIGHT, compiled, min_effect
from ..betting.moving import Seasonal
from ..counting.layout import Group, Signal
from ..effects import Measure
from ..episodes.at_work import AtWork
from ..episodes.episode import EventIdentity
from ..episodes.trailing import Following
from ..named.built_in import BUILT_IN
from ..named.choice import Kinds
from .effects import measure_of
from .settings import OutcomeSettings
from .space import ERRORS, outcome_space

#: Hashed into the ids of its episodes: of labels, of people's answers.
LANE, REVIEWS = "arrivals", "reviewed"
#: Of what a state holds, and of the bets: a state of another format does not fit.
FORMAT = 1
#: Settings that came later: unless they are used, a state of a former release fits.
_LATER = ("by", "reviewed")


class OutcomeSuite:
    """All that is decided beforehand of a version's outcomes. Built once per model version; no part of the state.

    Errors and relation have .15 of the model's weight together: the sum over this lane grows by no more than that a second, so that all
    lanes of a model keep to its one budget. Where people are asked, too, the errors that they find have .05 of it, in a lane of their own:
    of so few answers nothing is told of the relation.

    Detectors by name read a step's errors one by one, in an order that is drawn from a seed (of model, signal and step): a convention,
    since of a step only counts are known.
    """

    def __init__(
        self,
        baseline: OutcomeBaseline,
        settings: OutcomeSettings,
        *,
        application: str,
        stream: str,
        configuration_hash: str,
        reference_hash: str,
        kinds: Kinds = BUILT_IN,
    ) -> None:
        self.baseline, self.outcome_settings, self._kinds = baseline, settings, kinds
        own = FeatureSettings(direction=settings.direction, detectors=settings.detectors)
        self.settings = Model(min_effect=settings.min_effect, features={ERRORS: own})
        rate = baseline.rate
        allowed = settings.budget_seconds * (2 if settings.detectors or settings.elsewhere else 1)
        budget_rows = None if rate is None else allowed * rate
        self.space = outcome_space(baseline, budget_rows, relation=settings.by == "labels")
        self.layout = self.space.layout
        signals = self.space.signals
        self.named = AtWork.of(kinds, baseline.model, self.settings, signals, settings.budget_seconds, settings.elsewhere)
        self.budget_seconds = allowed
        self.seasonal: Seasonal | None = None
        self.following: Following | None = None
        self.bets = compiled(self.space, self.settings, _heard_in(budget_rows, settings), weights=_weights(settings))
        self.companions = Companions(self.bets.signals)
        self.measures: tuple[Measure, ...] = tuple(measure_of(one, baseline, settings.important) for one in self.bets.signals)
        self.anchors: tuple[Measure, ...] = ()
        self.identity = EventIdentity(
            application,
            stream,
            baseline.model,
            baseline.version,
            reference_hash,
            configuration_hash,
            settings.false_alarms,
            lane=LANE if settings.by == "labels" else REVIEWS,
        )
        later = {name for name in _LATER if name not in settings.model_dump(exclude_defaults=True)}
        decisive = settings.model_dump_json(exclude={"false_alarms", *later})
        self.fingerprint = derived_id("outcomes", FORMAT, baseline.name, decisive, self.named.decisive, len(self.bets.owner))

    @property
    def written(self) -> str:
        """The settings as a state remembers them, for `under`."""
        return self.outcome_settings.model_dump_json(exclude_unset=True)

    def under(self, written: str) -> "OutcomeSuite | None":
        """The suite of other settings of the same baseline; None: they mean nothing here, as a detector that is no longer installed."""
        one = self.identity
        try:
            return OutcomeSuite(
                self.baseline,
                OutcomeSettings.model_validate_json(written),
                application=one.application,
                stream=one.stream,
                configuration_hash=one.configuration,
                reference_hash=one.reference,
                kinds=self._kinds,
            )
        except ValueError:
            return None

    def decides(self, signal: Signal) -> tuple[float, str, bool]:
        """What the tests of a signal depend on beside the baseline and the budget."""
        return min_effect(signal, self.settings), self.settings.feature(signal.name).direction, False


def _weights(settings: OutcomeSettings) -> dict[Group, float]:
    """Of the model's, what each group has in this lane."""
    beside = GROUP_WEIGHTS["errors"] - (REVIEWED_WEIGHT if settings.reviewed else 0.0)
    return GROUP_WEIGHTS | {"errors": REVIEWED_WEIGHT if settings.by == "reviews" else beside}


def _heard_in(budget_rows: float | None, settings: OutcomeSettings) -> float | None:
    """Labels in which the tests may raise one false alarm, by which their margin is set.

    People answer so few that a baseline is small to the budget, and an unlucky one would spend this lane's part many times over: of 40
    baselines of 2,000 answers one did 14 times.
    """
    return budget_rows if budget_rows is None or settings.by == "labels" else budget_rows / REVIEWED_WEIGHT
