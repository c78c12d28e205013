"""All that a reference and a model's settings decide beforehand."""

from dataclasses import replace

from ...schemas.configuration import Model
from ...schemas.configuration.features import WHOSE
from ...schemas.identity import derived_id
from ...schemas.stored.reference import Reference
from ..betting import UnusableDirection, undirected
from ..betting.companions import Companions
from ..betting.margin import budget
from ..betting.mixture import compiled, min_effect
from ..betting.moving import Seasonal
from ..betting.muted import watched
from ..betting.space import MOVING, space
from ..counting.layout import Signal
from ..effects import measures_of
from ..named.built_in import BUILT_IN
from ..named.choice import Kinds
from .at_work import AtWork
from .episode import EventIdentity
from .trailing import Following

#: Of what a state holds, and of the bets: a state of another format does not fit.
FORMAT = 1
#: Of a model's settings, those that decide results.
DECISIVE = {"false_alarms", "rate", "min_effect", "important", "trailing", "features"}
_ASIDE = {"features": {"__all__": set(WHOSE)}}


class Suite:
    """All that a reference and a model's settings decide beforehand. Built once per model version; no part of the state."""

    def __init__(
        self,
        reference: Reference,
        settings: Model,
        *,
        application: str,
        stream: str,
        configuration_hash: str,
        reference_hash: str,
        kinds: Kinds = BUILT_IN,
        pane: str | None = None,
    ) -> None:
        for mistake in undirected(reference, settings):
            raise UnusableDirection(mistake)
        self.settings, self._reference, self._kinds = settings, reference, kinds
        allowed = budget(reference, settings)
        own = watched(space(reference, moving=bool(reference.seasons) or settings.trailing is not None), reference, settings)
        # what follows the past would sooner or later be far from the fixed reference that the joint distance is of
        left_out = {"joint distance"} if settings.trailing else set[str]()
        if pane is not None and reference.of_other_panes(pane):
            left_out |= {"volume", "duplicates"}
        self.space = replace(own, signals=tuple(s for s in own.signals if s.of not in left_out)) if left_out else own
        self.layout = self.space.layout
        self.named = AtWork.of(kinds, reference.model, settings, self.space.signals, allowed.seconds)
        allowed = self.named.left(allowed)
        self.budget_seconds = allowed.seconds
        self.longest_gap = reference.longest_gap
        self.seasonal = Seasonal(self.space, reference, settings, allowed.rows) if reference.seasons else None
        self.following = None if settings.trailing is None else Following(self.space, settings, settings.trailing, allowed.rows)
        moving = self.seasonal or self.following
        self.bets = compiled(self.space, settings, allowed.rows) if moving is None else moving.template
        self.companions = Companions(self.bets.signals)
        parts = max(len(reference.seasons), 1)
        self.measures = measures_of(self.bets.signals, self.space.signals, settings, self.space.expected, parts)
        #: What the guard compares with: the reference that was built. Without one they are asked nothing.
        self.anchors = () if self.following is None else measures_of(self.bets.signals, self.space.signals, settings)
        self.identity = EventIdentity(
            application,
            stream,
            reference.model,
            reference.version,
            reference_hash,
            configuration_hash,
            str(settings.false_alarms),
            segmented=bool(reference.segments),
        )
        decisive = settings.model_dump_json(include=DECISIVE, exclude=_ASIDE)
        self.fingerprint = derived_id("tests", FORMAT, reference_hash, decisive, self.named.decisive, len(self.bets.owner))

    @property
    def written(self) -> str:
        """The settings as a state remembers them, for `under`: what was not written stays so, since later patterns win key by key."""
        return self.settings.model_dump_json(include=DECISIVE, exclude=_ASIDE, exclude_unset=True)

    def under(self, written: str, pane: str | None = None) -> "Suite | None":
        """The suite of other settings of the same reference; None: they mean nothing here, as a detector that is no longer installed."""
        one = self.identity
        try:
            return Suite(
                self._reference,
                Model.model_validate_json(written),
                application=one.application,
                stream=one.stream,
                configuration_hash=one.configuration,
                reference_hash=one.reference,
                kinds=self._kinds,
                pane=pane,
            )
        except ValueError:
            return None

    def decides(self, signal: Signal) -> tuple[float, str, bool]:
        """What the tests of a signal of all fields depend on beside the reference and the budget."""
        moving = self.following is not None and signal.group in MOVING
        return min_effect(signal, self.settings), self.settings.feature(signal.name).direction, moving
