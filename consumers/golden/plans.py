"""From a model's settings to the way in which it is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from ...schemas.configuration import Configuration, Golden
from ...schemas.messages.golden import GoldenRequest
from ..bus.interface import Bus
from ..bus.open import instance_of, open_bus
from ..reference.artifacts import ArtifactStore
from ..reference.golden_sets import AnnouncedSets, read_set
from .asking import Caller
from .attempt import Plan


@dataclass(frozen=True)
class Plans:
    """How the configured models are asked."""

    bus: Bus
    configuration: Configuration
    store: ArtifactStore

    def of(self, request: GoldenRequest) -> Plan | None:
        """How a request is run; None: this application has no golden set for that model. Raises `NoGoldenSet`."""
        settings = self.configuration.models[request.model].golden if request.model in self.configuration.models else None
        if settings is None:
            return None
        name = request.golden or AnnouncedSets(self.bus, self.configuration).in_use(request.model)
        make, batch, at_once = self._way(settings)
        within_s = settings.within / 1000
        deadline_s = (
            within_s if settings.call.topics else settings.deadline / 1000
        )  # there all is one call, and each reply may take so long
        return Plan(name, lambda: read_set(self.store, name), make, batch, at_once, deadline_s, within_s)

    def _way(self, settings: Golden) -> tuple[Callable[[], Caller], int, int]:
        """What makes a caller, rows in a call, calls at once. Each way is imported where it is used."""
        call = settings.call
        if call.kserve is not None:
            from .kserve import KServeCaller

            kserve = call.kserve
            return lambda: KServeCaller(kserve), kserve.batch, kserve.at_once
        if call.http is not None:
            from .plain_http import PlainHTTPCaller

            http = call.http
            return lambda: PlainHTTPCaller(http), http.batch if http.many else 1, http.at_once
        if call.topics is not None:
            from .request_reply import RequestReplyCaller

            topics = call.topics
            return lambda: RequestReplyCaller(topics, self._opens, self._closes, settings.deadline / 1000), 20_000, 1
        from .python_callable import PythonCaller

        function = call.callable
        assert function is not None  # one of them is there
        return lambda: PythonCaller(function, settings.within / 1000), function.batch, 1

    def _opens(self) -> Bus:
        """A bus of its own for a thread: Kafka's clients are this process's, and are turned by another."""
        if self.configuration.bus == "embedded":
            return self.bus
        return open_bus(self.configuration, f"{instance_of(self.configuration)}-golden")

    def _closes(self, bus: Bus) -> None:
        if bus is not self.bus:
            bus.close()
