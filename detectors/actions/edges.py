"""Every change of a job's state that there is, and what makes it."""

from collections.abc import Mapping

from ...schemas.messages.job import State

#: From, to; None: it is new.
EDGES: Mapping[tuple[State | None, State], str] = {
    (None, "awaiting_approval"): "a trigger, and the policy asks for approval",
    (None, "requested"): "a trigger",
    (None, "dry_run"): "a trigger, and the policy says dry run",
    ("awaiting_approval", "requested"): "a person approves",
    ("awaiting_approval", "rejected"): "a person rejects",
    ("awaiting_approval", "expired"): "nobody answers in time",
    ("awaiting_approval", "superseded"): "what triggered it is over, a fault forbids it, or its policy is gone",
    ("awaiting_approval", "cancelled"): "a person cancels",
    ("requested", "started"): "the launcher",
    ("requested", "succeeded"): "the launcher: its start was not seen",
    ("requested", "failed"): "the launcher",
    ("requested", "timed_out"): "the launcher",
    ("requested", "cancelled"): "the launcher",
    ("requested", "lost"): "the launcher",
    ("requested", "cancelling"): "a person, a fault, or it was not started in time",
    ("started", "succeeded"): "the launcher",
    ("started", "failed"): "the launcher",
    ("started", "timed_out"): "the launcher",
    ("started", "cancelled"): "the launcher",
    ("started", "lost"): "the launcher",
    ("started", "cancelling"): "a person, a fault, or no news in time",
    ("cancelling", "cancelled"): "the launcher",
    ("cancelling", "succeeded"): "the launcher: it was faster",
    ("cancelling", "failed"): "the launcher",
    ("cancelling", "timed_out"): "the launcher",
    ("cancelling", "lost"): "the launcher, or no answer in time",
}
