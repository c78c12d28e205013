"""All that a reference's familiarity and the settings decide beforehand: what `driftbus.detectors.episodes.step` needs for this lane."""

from ...schemas.configuration import Model
from ...schemas.identity import derived_id
from ...schemas.stored.familiarity import FamiliarityProfile
from ...schemas.stored.reference import Reference
from ..betting.companions import Companions
from ..betting.mixture import compiled
from ..betting.moving import Seasonal
from ..counting.layout import Signal
from ..effects import Measure
from ..episodes.at_work import AtWork
from ..episodes.episode import EventIdentity
from ..episodes.trailing import Following
from ..named.built_in import BUILT_IN
from .effects import FlaggedMeasure
from .settings import FamiliaritySettings
from .space import familiarity_space

#: Hashed into the ids of its episodes.
LANE = "ood"
#: Of what a state holds, and of the bets: a state of another format does not fit.
FORMAT = 2


class FamiliaritySuite:
    """All that is decided beforehand of how alike the training data a version's queries are. No part of the state.

    It has .2 of the model's weight: the sum over this lane grows by no more than that a second, so that all lanes of a model keep to its
    one budget. A segment expects the share of its own calibration rows, and has its part of d.
    """

    def __init__(
        self,
        reference: Reference,
        settings: FamiliaritySettings,
        *,
        application: str,
        stream: str,
        configuration_hash: str,
        reference_hash: str,
    ) -> None:
        self._reference, self.familiarity_settings = reference, settings
        self.settings = Model(min_effect=settings.min_effect)
        self.space = familiarity_space(reference)
        self.layout = self.space.layout
        sample = max((one.sample for one in reference.familiarity), default=1)
        rows = None if settings.budget_rows is None else settings.budget_rows / sample
        self.named = AtWork.of(BUILT_IN, reference.model, self.settings, (), settings.budget_seconds)
        self.budget_seconds = settings.budget_seconds
        self.seasonal: Seasonal | None = None
        self.following: Following | None = None
        self.bets = compiled(self.space, self.settings, rows)
        self.companions = Companions(self.bets.signals)
        self.measures: tuple[Measure, ...] = tuple(FlaggedMeasure(one, settings.important) for one in self.bets.signals)
        self.anchors: tuple[Measure, ...] = ()
        self.identity = EventIdentity(
            application,
            stream,
            reference.model,
            reference.version,
            reference_hash,
            configuration_hash,
            settings.false_alarms,
            segmented=bool(self.space.segments),
            lane=LANE,
        )
        decisive = settings.model_dump_json(exclude={"false_alarms"})
        self.fingerprint = derived_id("familiarity", FORMAT, reference_hash, decisive, len(self.bets.owner))

    @property
    def of_rows(self) -> tuple[int, FamiliarityProfile] | None:
        """What is compared as a row whose fields can be left out, and its place among the subjects."""
        return next(((place, one) for place, one in enumerate(self._reference.familiarity) if one.masks), None)

    @property
    def written(self) -> str:
        """The settings as a state remembers them, for `under`."""
        return self.familiarity_settings.model_dump_json(exclude_unset=True)

    def under(self, written: str) -> "FamiliaritySuite | None":
        """The suite of other settings of the same reference; None: they mean nothing here."""
        one = self.identity
        try:
            return FamiliaritySuite(
                self._reference,
                FamiliaritySettings.model_validate_json(written),
                application=one.application,
                stream=one.stream,
                configuration_hash=one.configuration,
                reference_hash=one.reference,
            )
        except ValueError:
            return None

    def decides(self, signal: Signal) -> tuple[float, str, bool]:
        """What the tests of a signal depend on beside the reference and the budget."""
        return self.settings.min_effect, "up", False
