"""Starts a command on this machine: once for each job, or the job is lost.

The event comes on standard input, and as the file that `DRIFTBUS_EVENT` names; `DRIFTBUS_JOB` is the job. The command line is the
configuration's: nothing of an event stands in it, and no shell reads it.
"""

import logging
from collections.abc import Collection

from .seen import ENDS, Job, Seen
from .spool import Plan, Spool

#: Days behind the reading back of its end after which a job's folder goes.
KEPT_S = 7 * 86_400.0
_LOOK_S, _FULL_S = 0.5, 5.0
_log = logging.getLogger(__name__)


class CommandLauncher:
    """A spool, and what runs. Asked by one thread."""

    at_once = 1

    def __init__(self, spool: Spool, plan: Plan, most: int) -> None:
        self._spool, self._plan, self._most = spool, plan, most
        self.memory = spool.id

    def ensure(self, job: Job) -> Seen:
        """Start it where there is room, and look how it stands."""
        try:
            return self._ensured(job)
        except OSError as error:  # a full disk: nothing has been begun, or its lock is held
            _log.warning("job %s: %s; it is tried again", job.id, error)
            return Seen("requested", again_s=_FULL_S)

    def lose(self, job: str) -> None:
        """Never run it here."""
        self._spool.lose(job)

    def closed(self, job: str) -> None:
        """Its folder may go, some days from now."""
        self._spool.told(job)

    def clean(self, still_open: Collection[str]) -> None:
        """Let the folders go whose time has come."""
        self._spool.forget(KEPT_S)

    def stop(self) -> None:
        """Nothing of it is under way here: commands live on."""

    def _ensured(self, job: Job) -> Seen:
        known = job.id in self._spool
        if not known and job.cancelling:
            return Seen("cancelled", "it had not been started")
        if not known and len(self._spool.running()) >= self._most:
            return Seen("requested", "it waits for others to end", _LOOK_S)
        if job.cancelling:
            self._spool.cancel(job.id)
        found = self._spool.ensure(job.id, job.event, self._plan)
        state = found["state"]
        if state not in ENDS:
            return Seen("started" if state == "started" else "requested", again_s=_LOOK_S)
        code = found.get("code")
        return Seen(state, f"exit code {code}" if code else "")  # type: ignore[arg-type]  # one of ENDS
