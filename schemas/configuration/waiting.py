"""How long a launcher may let a job wait before it starts: so long, at least, its policy waits, too."""

from collections.abc import Mapping

from .launchers import KubernetesJob, Launcher, Webhook
from .model import Model
from .retrain import LONGEST, START_WITHIN, Policy


def longest_wait(launcher: str, launchers: Mapping[str, Launcher], models: Mapping[str, Model]) -> tuple[int, str]:
    """In ms, and the key that says so. A model has one job at a time: so a command waits where other models can take each place, as often
    as they can; and a Job of Kubernetes for what others hold of a quota.
    """
    kind = launchers[launcher].kind
    if isinstance(kind, Webhook):
        return kind.deadline, f"launchers.{launcher}.webhook.deadline"
    if isinstance(kind, KubernetesJob):
        return kind.timeout, f"launchers.{launcher}.kubernetes.timeout"
    others = sum(any(policy.on == launcher for policy in model.retrain.values()) for model in models.values()) - 1
    return max(0, others) // kind.at_once * kind.timeout, f"launchers.{launcher}.command.timeout"


def longest_run(launcher: str, launchers: Mapping[str, Launcher]) -> tuple[int, str]:
    """Of a job that has started, in ms, and the key that says so; 0: its end is reported by others."""
    kind = launchers[launcher].kind
    if isinstance(kind, Webhook):
        return 0, ""
    return kind.timeout, f"launchers.{launcher}.{'kubernetes' if isinstance(kind, KubernetesJob) else 'command'}.timeout"


def patient(model: Model, launchers: Mapping[str, Launcher], models: Mapping[str, Model]) -> Model:
    """With policies that wait, where they do not say how long, as long as their launcher may let a job wait, and the usual time longer."""
    waits = {name: _start_within(policy, launchers, models) for name, policy in model.retrain.items()}
    others = {name: model.retrain[name].model_copy(update={"start_within": wait}) for name, wait in waits.items() if wait is not None}
    return model.model_copy(update={"retrain": model.retrain | others}) if others else model


def _start_within(policy: Policy, launchers: Mapping[str, Launcher], models: Mapping[str, Model]) -> int | None:
    """None: as it says, or as usual."""
    if policy.on is None or "start_within" in policy.model_fields_set:
        return None
    wait, _ = longest_wait(policy.on, launchers, models)
    return min(LONGEST, START_WITHIN + wait) if wait else None
