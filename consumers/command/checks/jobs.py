"""What decisions to retrain lack where no clock is live: an order between topics, and times of the day."""

from collections.abc import Iterator

from ....schemas.configuration import Configuration
from ...reference import ledger
from .finding import Finding


def asked_for(configuration: Configuration) -> Iterator[Finding]:
    """Of all models; nothing where a clock is live, for then the ledger's order is that in which things became known."""
    if not ledger.asked(configuration) or any(stream.clock == "live" for stream in configuration.streams.values()):
        return
    models = configuration.models
    policies = {name: own for name, own in ledger.policies_of(configuration).items() if own or models[name].promotion is not None}
    if not policies:  # a ledger that is there to hold a learner
        return
    yield Finding(
        "note",
        f"models.{', '.join(policies)}.retrain: with clock: record another run over the same records may ask for other jobs, "
        "see docs/actions.md#time",
    )
    for model, own in policies.items():
        for name, policy in own.items():
            if policy.when == "schedule":
                yield Finding(
                    "note", f"models.{model}.retrain.{name}: cron lines are not evaluated with clock: record, so it asks for nothing"
                )
