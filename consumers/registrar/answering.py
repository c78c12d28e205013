"""What a version answers, of whose reference it is no part: looked at now and then, by a thread, until enough is known."""

import logging
from collections.abc import Collection
from typing import NamedTuple

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.form import NewerForm
from ...schemas.unusable import Unusable
from ..bus.interface import Bus, BusError, Stopped
from ..process.last_net import of_a_record, told
from ..reference.artifacts import ArtifactError, ArtifactStore
from ..reference.outputs import FEWEST, outputs_in
from .counted import Counted, Unwatched

#: Seconds between two looks: it is no hurry.
LOOK_S = 300.0
_log = logging.getLogger(__name__)


class Profiled(NamedTuple):
    """How it stands."""

    ended: bool  #: there is nothing more to look at
    again_s: float = LOOK_S
    reference: str | None = None  #: with the outputs; it is in the store
    rows: int = 0  #: of the reference


class Answering:
    """Counts what versions have answered, and profiles it.

    *Guarantee.* Which rows these are follows from the log (`Counted`), and the profile from these: whoever makes it makes the same bytes,
    as long as they are there. Nothing is announced here.
    """

    at_once = 1

    def __init__(self, bus: Bus, configuration: Configuration, store: ArtifactStore) -> None:
        self._bus, self._configuration, self._store = bus, configuration, store
        self._counted: dict[str, Counted] = {}

    def ensure(self, thing: Unwatched) -> Profiled:
        """Look once."""
        try:
            return self._ensured(thing)
        except NewerForm:
            raise  # to leave it out would change what is found
        except Stopped:
            return Profiled(False)
        except (ArtifactError, BusError, Unusable) as error:
            _log.warning("%s/%s: its outputs are not watched yet: %s; it is tried again", thing.model, thing.version, error)
            return Profiled(False)
        except Exception as error:
            if not of_a_record(error):
                raise
            _log.warning("%s/%s: its outputs are not watched: %s", thing.model, thing.version, told(error))
            return Profiled(True)  # the same rows would come to the same

    def clean(self, still_open: Collection[str]) -> None:
        """Forget what was counted of others."""
        for name in self._counted.keys() - set(still_open):
            del self._counted[name]

    def stop(self) -> None:
        """A look has an end, and leaves nothing behind but what another one makes again."""

    def _ensured(self, thing: Unwatched) -> Profiled:
        from ..reference.building.answered import answered  # builds references: it loads what a registrar else does without
        from ..reference.building.live_rows import usable

        before = usable(self._configuration, self._store, thing.model, thing.version, thing.reference)
        if outputs_in(before):
            return Profiled(True)
        counted = self._counted.get(thing.id)
        if counted is None:
            counted = self._counted[thing.id] = Counted(self._bus, self._configuration, thing)
        if (enough := counted.look()) is None:
            return Profiled(False)
        made = answered(self._configuration, before, self._bus, self._store, iso(thing.since), iso(enough.until), enough.read_to)
        if not made.outputs:
            _log.warning("%s/%s: nothing of its outputs in %s rows: they are not watched", thing.model, thing.version, f"{FEWEST:,}")
            return Profiled(True)
        return Profiled(True, reference=self._store.put(made.reference.encoded()), rows=made.reference.rows)
