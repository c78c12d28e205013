"""What decisions to retrain lack: where no clock is live, an order, and times of the day; time, where launchers take it; data that stay."""

from collections.abc import Iterator, Mapping

from ....schemas.configuration import Configuration
from ....schemas.configuration.waiting import longest_run, longest_wait
from ....schemas.duration import written
from ...bus.interface import Bus
from ...dataset.places import margin, topics_of
from ...reference import ledger
from .finding import Finding

_HOUR_MS = 3_600_000


def asked_for(configuration: Configuration) -> Iterator[Finding]:
    """Of all models; where a clock is live the ledger's order is that in which things became known, and its time is when they did."""
    if not ledger.asked(configuration):
        return
    if any(stream.clock == "live" for stream in configuration.streams.values()):
        yield from _of_two_times(configuration)
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


def _of_two_times(configuration: Configuration) -> Iterator[Finding]:
    """Models of a stream with ``clock: record`` beside live ones."""
    for model, own in ledger.policies_of(configuration).items():
        stream, settings = configuration.stream_of(model), configuration.models[model]
        if configuration.streams[stream].clock != "record":
            continue
        beside = f"streams.{stream}.clock: record, and others are live"
        if own or settings.promotion is not None:
            yield Finding(
                "note",
                f"{beside}: jobs and versions of {model} are judged by when things were written down; what is 90 days older asks for "
                "nothing, see docs/actions.md#time",
            )
        if settings.learner is not None:
            yield Finding(
                "note",
                f"{beside}: a fault holds the learner of {model} only once its records have reached when that was written down, see "
                "docs/actions.md#time",
            )


def cut_short(configuration: Configuration) -> Iterator[Finding]:
    """Policies that cancel a job which its launcher would still let wait, or run."""
    launchers, models = configuration.launchers, configuration.models
    for model, own in ledger.policies_of(configuration).items():
        for name, policy in own.items():
            if policy.on is None:
                continue
            limits = {
                "start_within": (policy.start_within, *longest_wait(policy.on, launchers, models), "waits"),
                "finish_within": (policy.finish_within, *longest_run(policy.on, launchers), "runs"),
            }
            for key, (limit, longest, of, does) in limits.items():
                if limit < longest:
                    yield Finding(
                        "note",
                        f"models.{model}.retrain.{name}.{key}: {written(limit)}: a job that {does} longer is cancelled, though by {of} "
                        f"it may for {written(longest)}; write more, or less there",
                    )


def data_that_go(bus: Bus, configuration: Configuration) -> Iterator[Finding]:
    """Policies whose jobs would be refused their data, once retention has taken the first of them."""
    for model, own in ledger.policies_of(configuration).items():
        topics = [topic for topics in topics_of(configuration, model).values() for topic in topics]
        kept = {topic: _kept(described.settings) for topic, described in bus.describe(topics).items()}
        shortest = min(((length, topic) for topic, length in kept.items() if length is not None), default=None)
        if shortest is None or configuration.streams[configuration.stream_of(model)].pane.unit == "rows":
            continue
        room = (shortest[0] - margin(configuration, model)) // _HOUR_MS * _HOUR_MS
        long = [name for name, policy in own.items() if policy.data.window is None or policy.data.window > room]
        if long:
            what = f"write data: {{window: {written(room)}}} at most, or keep it longer" if room > 0 else "keep it longer"
            policies = f"models.{model}.retrain.{', '.join(long)}"
            yield Finding(
                "note",
                f"{policies}: topic {shortest[1]} keeps {written(shortest[0])} (retention.ms), and labels are "
                f"waited for; so what a job is to be trained on may be gone before it reads it, and then it is refused: {what}, see "
                "docs/datasets.md",
            )


def _kept(settings: Mapping[str, str]) -> int | None:
    """For how many ms at least records are kept; None: for ever, or nobody may know."""
    length = int(settings.get("retention.ms", -1))
    return length if length >= 0 and "delete" in settings.get("cleanup.policy", "delete") else None
