"""What Prometheus is told: a table, from which `docs/metrics.md` is written too."""

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from .observer import Observer


class Measure(NamedTuple):
    """A number of a role, as `driftbus.consumers.console.numbers` has it, and as Prometheus gets it."""

    number: str
    name: str
    kind: str  #: counter (since the process started), gauge
    help: str
    scale: float = 1.0


MEASURES = (
    Measure("rows", "driftbus_rows_total", "counter", "Predictions counted."),
    Measure("late", "driftbus_late_rows_total", "counter", "Predictions counted in a later bucket than their own."),
    Measure("panes", "driftbus_panes_total", "counter", "Panes published."),
    Measure("skipped", "driftbus_skipped_total", "counter", "Records that are no rows: without features, or left out by where."),
    Measure("dead_letters", "driftbus_dead_letters_total", "counter", "Records, or fields of records, that could not be counted."),
    Measure("set_aside", "driftbus_set_aside_total", "counter", "Records that made a consumer raise, and became dead letters."),
    Measure("golden", "driftbus_golden_rows_total", "counter", "Predictions that golden evaluations asked for: no traffic, and left out."),
    Measure("facts", "driftbus_facts_total", "counter", "Facts (model events, golden evaluations) copied to the summaries."),
    Measure("embedded", "driftbus_embedded_total", "counter", "Messages that got the vector of their text."),
    Measure("not_embedded", "driftbus_not_embedded_total", "counter", "Messages with a text whose vector the embedder does not have."),
    Measure("buckets", "driftbus_buckets_total", "counter", "Buckets tested."),
    Measure("events", "driftbus_events_total", "counter", "Drift events and notices published."),
    Measure("asked", "driftbus_golden_asked_total", "counter", "Golden evaluations asked for by schedule, and for major episodes."),
    Measure("would_have_asked", "driftbus_golden_differing_total", "counter", "Of a replay: those that the recording does not hold."),
    Measure("evaluations", "driftbus_golden_evaluations_total", "counter", "Golden evaluations made."),
    Measure("evaluations_failed", "driftbus_golden_failed_total", "counter", "Golden evaluations that failed: too few rows were answered."),
    Measure("slots", "driftbus_review_slots_total", "counter", "Slots that cases were drawn from for review."),
    Measure("cases", "driftbus_review_cases_total", "counter", "Cases that people were asked about."),
    Measure("cases_differing", "driftbus_review_differing_total", "counter", "Of a replay: cases that the recording does not hold."),
    Measure("answers", "driftbus_review_answers_total", "counter", "Answers of reviewers."),
    Measure("answers_unknown", "driftbus_review_unknown_total", "counter", "Answers to nothing that was asked, or too late."),
    Measure("runs", "driftbus_diagnosis_runs_total", "counter", "Runs of the diagnosis, on one model version each."),
    Measure("causes", "driftbus_root_causes_total", "counter", "Root-cause events published."),
    Measure("open_episodes", "driftbus_open_episodes", "gauge", "Episodes open now, of the models that this process tests."),
    Measure("partitions", "driftbus_partitions", "gauge", "Partitions that this process reads."),
    Measure("behind_ms", "driftbus_behind_seconds", "gauge", "How far its slowest partition is behind the newest record.", 0.001),
)
#: Of the process, without a role.
TURNS = ("driftbus_turns_total", "counter", "Turns of the consumers: read, work, commit.")
SINCE_TURN = ("driftbus_seconds_since_turn", "gauge", "Since the last turn ended; it grows while the process hangs.")
INFO = ("driftbus_info", "gauge", "1; the labels say which application, instance and version this is.")


class Told(Collector):
    """Makes metrics of the observer's last reading, when Prometheus asks."""

    def __init__(self, observer: Observer, application: str, instance: str) -> None:
        self._observer, self._names = observer, {"application": application, "instance": instance, "version": version("driftbus")}

    def collect(self) -> Iterator[Metric]:
        """One family a measure, a sample a role that has the number."""
        reading = self._observer.reading
        for measure in MEASURES:
            family = _family(measure.name, measure.kind, measure.help, ["role"])
            for role, own in reading.numbers.items():
                if measure.number in own:
                    family.add_metric([role], own[measure.number] * measure.scale)
            yield family
        yield _single(TURNS, reading.turns)
        yield _single(SINCE_TURN, self._observer.clock() - self._observer.turned_at)
        info = _family(*INFO, list(self._names))
        info.add_metric(list(self._names.values()), 1)
        yield info


class Exposition:
    """The text that Prometheus reads; with CPU, memory and files of the process."""

    def __init__(self, told: Told) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(told)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Of this moment."""
        return generate_latest(self._registry)


def table() -> list[str]:
    """All metrics of ours as lines of Markdown, for `docs/metrics.md`."""
    rows: Iterable[tuple[str, str, str, str]] = (
        *((measure.name, measure.kind, "role", measure.help) for measure in MEASURES),
        *((*one[:2], "", one[2]) for one in (TURNS, SINCE_TURN)),
        (*INFO[:2], "application, instance, version", INFO[2]),
    )
    head = ["| metric | kind | labels | what it is |", "|---|---|---|---|"]
    return head + [f"| `{name}` | {kind} | {labels} | {text} |" for name, kind, labels, text in rows]


def _family(name: str, kind: str, text: str, labels: list[str]) -> CounterMetricFamily | GaugeMetricFamily:
    family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    return family(name, text, labels=labels)


def _single(of: tuple[str, str, str], value: float) -> Metric:
    family = _family(*of, [])
    family.add_metric([], value)
    return family
