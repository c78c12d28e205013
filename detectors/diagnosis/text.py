"""The paragraph of a root cause that a person reads, made of the event's fields alone."""

from ...schemas.cloud_events import iso
from ...schemas.messages.root_cause import RootCauseEvent

#: Features that are named.
_MOST_NAMED = 5


def told(event: RootCauseEvent) -> str:
    """Since when, what, what it costs, what to do; the gate; what is not known."""
    return " ".join(part for part in (_what(event), _cost(event), _do(event), _unknown(event)) if part)


def _what(event: RootCauseEvent) -> str:
    names = event.scope.features
    more = len(names) + event.scope.more_features - _MOST_NAMED
    named = ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    cause = event.cause.replace("_", " ")
    of = f"{named} of model" if named else "model"
    how = f"{cause} ({event.subtype})" if event.subtype else cause
    return f"Since {iso(event.onset.window[0])} {of} {event.model} {event.version}: {how}, {event.status}."


def _cost(event: RootCauseEvent) -> str:
    loss = event.impact.loss
    return "" if loss is None else f"Loss went from {loss[0]:.3g} to {loss[1]:.3g}."


def _do(event: RootCauseEvent) -> str:
    action = event.mitigation.action.replace("_", " ")
    fallback = f", or {event.mitigation.fallback}" if event.mitigation.fallback else ""
    return f"To do: {action}{fallback}. Retraining: {event.retrain_gate.decision} ({event.retrain_gate.because})."


def _unknown(event: RootCauseEvent) -> str:
    return "".join(f"Not known: {one.would_decide} ({one.stream}: {one.state}). " for one in event.missing_evidence).strip()
