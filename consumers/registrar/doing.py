"""What of a step may take long: the registry's server, the artifact store. Done by threads, as often as it takes."""

import logging
import random
from collections.abc import Collection, Mapping

from ..calls.answers import Erred, Invalid, TimedOut
from ..calls.secrets import UnusableSecret
from ..reference.artifacts import ArtifactError, ArtifactStore
from .step import Done, Known, Registry, Step

#: Seconds until it is tried again, at most.
LONGEST_PAUSE_S = 300.0
_log = logging.getLogger(__name__)


class Doing:
    """The registries, and the store of references. Steps of one model come one behind the other."""

    at_once = 4

    def __init__(self, store: ArtifactStore, registries: Mapping[str, Registry]) -> None:
        """``registries``: by model, of those that have one."""
        self._store, self._registries = store, registries
        self._tried: dict[str, int] = {}
        self._draw = random.Random()

    def ensure(self, step: Step) -> Done:
        """Make that the registry is as after this step, and that what is announced can be read."""
        if step.over:
            return Done(True, "a later step of the version has taken its place")
        try:
            usable, lost = self._usable(step)
            if (registry := self._registries.get(step.said.model)) is not None:
                registry.ensure(Known(step.said.step, step.origin, step.said.version, step.said.parent, step.made))
        except (TimedOut, Erred, Invalid, UnusableSecret, ArtifactError) as error:
            return self._again(step, str(error) or "no answer in time")
        self._tried.pop(step.id, None)
        return Done(True, lost, references=usable, refused=bool(lost))

    def clean(self, still_open: Collection[str]) -> None:
        """Forget how often the others were tried."""
        for name in self._tried.keys() - set(still_open):
            self._tried.pop(name, None)

    def stop(self) -> None:
        """Cut what is under way: it is done by the next process."""
        for registry in self._registries.values():
            registry.stop()

    def _usable(self, step: Step) -> tuple[dict[str, int], str]:
        """By reference that a step announces and that can be read, its rows; and what is wrong with the others."""
        found, wrong = dict[str, int](), []
        for name in step.references:
            try:
                found[name] = self._store.reference(name).rows
            except ArtifactError as error:
                if isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, FileNotFoundError):
                    raise  # of a store that is away
                said = step.said
                wrong.append(f"{said.model}/{said.version}: {said.step}: its reference cannot be announced: {error}")
        return found, "; ".join(wrong)

    def _again(self, step: Step, why: str) -> Done:
        tried = self._tried[step.id] = self._tried.get(step.id, 0) + 1
        pause_s = min(self._draw.uniform(0.5, 1) * 2.0 ** min(tried - 1, 30), LONGEST_PAUSE_S)
        _log.warning("%s/%s: %s: %s; it is tried again in %.0f s", step.said.model, step.said.version, step.said.step, why, pause_s)
        return Done(False, why, pause_s)
