"""Says in the log that somebody else's server takes nothing, and that it does again: once each, however often it is tried."""

import logging

_log = logging.getLogger(__name__)


class Refusals:
    """Of one server. ``what``: it is configured under this key."""

    def __init__(self, what: str) -> None:
        self._what, self._reason = what, ""

    def tell(self, reason: str) -> None:
        """It took nothing."""
        if reason != self._reason:
            _log.warning("%s: nobody is told: %s; it is tried again", self._what, reason)
        self._reason = reason

    def over(self) -> None:
        """It took all."""
        if self._reason:
            _log.warning("%s: all is told again", self._what)
        self._reason = ""
