"""The pipeline as a table, and it is executed: a role is what a person starts, names and gives rights to. They meet on the bus.

From it come the consumers of a process, driftbus's own topics, the permissions, the README's table and the AsyncAPI document. A new role is
one room, one row here and its message types; `CONTRIBUTING.md` says how.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ..alerter import alerter
from ..clerk import clerk
from ..decider import decider
from ..detector import detector
from ..diagnoser import diagnoser
from ..embedder import embedder
from ..golden import evaluator
from ..intake import intake
from ..joiner import joiner
from ..launcher import launcher
from ..learner import learner
from ..process.consumer import Consumer, Kind, Making
from ..profiler import profiler
from ..reference import feedback, golden_records, learned, ledger, reviews
from ..registrar import registrar
from ..reviewer import reviewer
from ..server import server

#: In place of a topic's name: the topics of the configured streams, of predictions, of labels and of feature logs.
INPUTS = "streams.*.topics"


def always(_: Configuration) -> bool:
    """Every configuration asks for it."""
    return True


def has_labels(configuration: Configuration) -> bool:
    """It asks for what labels need."""
    return bool(configuration.labels)


def has_examples(configuration: Configuration) -> bool:
    """Some model's labelled rows are written down whole."""
    return any(model.examples is not None for model in configuration.models.values())


def has_joins(configuration: Configuration) -> bool:
    """Predictions wait for something: labels, or rows of a feature log."""
    return bool(configuration.joins)


def has_ood(configuration: Configuration) -> bool:
    """Some model's queries are compared with its training data."""
    return any(model.ood is not None for model in configuration.models.values())


def has_embedder(configuration: Configuration) -> bool:
    """A stream's texts get the vectors of a server."""
    return configuration.embeds is not None


def tells_performance(configuration: Configuration) -> bool:
    """Something becomes known of predictions: by labels, or by people."""
    return has_labels(configuration) or reviews.asked(configuration)


def has_launchers(configuration: Configuration) -> bool:
    """Jobs are asked for, and something runs them."""
    return ledger.asked(configuration) and bool(configuration.launchers)


def has_promotions(configuration: Configuration) -> bool:
    """New versions must show something before they serve."""
    return ledger.asked(configuration) and any(model.promotion is not None for model in configuration.models.values())


def has_alerts(configuration: Configuration) -> bool:
    """Somebody is told of what is open."""
    return bool(configuration.alerts)


def serves(configuration: Configuration) -> bool:
    """Whoever asks is answered by what was learnt."""
    return configuration.serving is not None


#: Topics that roles which are always there write only where something is configured.
OPTIONAL: Mapping[str, Callable[[Configuration], bool]] = {
    "embeddings": has_embedder,
    "examples": has_examples,
    "joins": has_joins,
    "learned": learned.asked,
    "performance": tells_performance,
    "feedback": feedback.asked,
    "actions": ledger.asked,
    "golden": golden_records.asked,
    "retrain": ledger.asked,
    "root-causes": feedback.asked,
    "alerts": has_alerts,
    "ood": has_ood,
    "reviews": reviews.asked,
}


class Node(NamedTuple):
    """One role. Topics are named by what `KafkaTopics` calls them."""

    role: str
    kind: Kind
    reads: tuple[str, ...]  #: the first is the one whose offsets it commits
    writes: tuple[str, ...]
    does: str
    make: Callable[[Making], Sequence[Consumer]]
    per_stream: bool = False  #: a group for every stream: ``application-ROLE-STREAM``
    per_name: bool = False  #: a group for each that is configured under a name: ``application-ROLE-NAME``
    again: str = ""  #: a later role, which writes what it reads: at the end of the input it ends once more, behind that
    asked: Callable[[Configuration], bool] = always  #: whether a configuration asks for it; else it has no topics, and is not run


TOPOLOGY = (
    Node(
        embedder.ROLE,
        "hand",
        (INPUTS,),
        ("embeddings", "drift"),
        "asks a server, a function or a model for the vectors of a stream's texts, once, and hands the messages on with them",
        embedder.make,
        asked=has_embedder,
    ),
    Node(
        profiler.ROLE,
        "fold",
        (INPUTS, "embeddings", "models", "golden", "reviews"),
        ("summaries", "joins", "examples", "ood", "dead-letter", "drift"),
        "counts predictions in the reference's bins, one pane per run of the log; hands predictions and labels to the joiner; compares "
        "rows with the training data where that is asked for",
        profiler.make,
        per_stream=True,
    ),
    Node(
        joiner.ROLE,
        "fold",
        ("joins", "snapshots"),
        ("summaries", "performance", "reviews", "examples", "snapshots", "drift", "dead-letter"),
        "lets predictions meet their labels and the rows of feature logs, and sums what became of them; compares versions, and writes down "
        "labelled rows whole, where that is asked for",
        joiner.make,
        asked=has_joins,
    ),
    Node(
        clerk.ROLE,
        "fold",
        ("models", "golden", "feedback", "snapshots"),
        ("summaries", "snapshots", "drift", "dead-letter"),
        "copies what is said of models (a version deployed, promoted, rolled back; tested on its golden set), what else was done, and what "
        "people say of causes, to where the model's panes lie",
        clerk.make,
    ),
    Node(
        detector.ROLE,
        "fold",
        ("summaries", "snapshots", "golden"),
        ("drift", "summaries", "performance", "golden", "snapshots", "dead-letter"),
        "sums panes over partitions, tests every bucket, opens and resolves episodes, and notes them beside the panes; tells how "
        "predictions turned out; asks for golden evaluations",
        detector.make,
        again=reviewer.ROLE,
    ),
    Node(
        reviewer.ROLE,
        "fold",
        ("summaries", "reviews", "snapshots"),
        ("reviews", "summaries", "performance", "snapshots", "drift", "dead-letter"),
        "draws the predictions that people are asked about, tells what their answers say of all, and hands these to the detector",
        reviewer.make,
        asked=reviews.asked,
    ),
    Node(
        diagnoser.ROLE,
        "fold",
        ("summaries", "snapshots"),
        ("root-causes", "snapshots", "drift", "dead-letter"),
        "says which cause is behind what drifts, what to do, and whether retraining is allowed",
        diagnoser.make,
        asked=feedback.asked,
    ),
    Node(
        intake.ROLE,
        "fold",
        ("models", "drift", "root-causes", "performance", "golden", "snapshots"),
        ("actions", "snapshots", "drift", "dead-letter"),
        "copies what decisions to retrain and to promote look at to the ledger, and writes down what time it is",
        intake.make,
        asked=ledger.asked,
    ),
    Node(
        decider.ROLE,
        "fold",
        ("actions", "snapshots"),
        ("retrain", "examples", "snapshots", "drift", "dead-letter"),
        "says by policy which jobs are asked for, what becomes of them, and of the versions that they make; holds a learner while an "
        "incident forbids to learn",
        decider.make,
        asked=ledger.asked,
    ),
    Node(
        learner.ROLE,
        "fold",
        ("examples", "snapshots"),
        ("learned", "snapshots", "drift", "dead-letter"),
        "learns from labelled rows as they come, and says what it has learnt, who of its candidates serves, and how well each predicts",
        learner.make,
        asked=learned.asked,
    ),
    Node(
        evaluator.ROLE,
        "hand",
        ("golden", "models"),
        ("golden", "drift", "dead-letter"),
        "asks models for the answers of their golden sets, and says how well they did",
        evaluator.make,
        asked=golden_records.asked,
    ),
    Node(
        launcher.ROLE,
        "hand",
        ("retrain", "actions"),
        ("actions", "drift", "dead-letter"),
        "starts the jobs that are asked for, by a command, a webhook or a Kubernetes Job, once each; says how they stand",
        launcher.make,
        per_name=True,
        asked=has_launchers,
    ),
    Node(
        registrar.ROLE,
        "hand",
        ("retrain", "models", "summaries", INPUTS, "embeddings"),
        ("models", "golden", "drift", "dead-letter"),
        "does with new versions what was decided: has them tested, announces their references, moves their aliases, says which serves; "
        "adds to a reference what its version answers",
        registrar.make,
        asked=has_promotions,
    ),
    Node(
        alerter.ROLE,
        "hand",
        ("drift", "root-causes", "retrain", "alerts"),
        ("alerts",),
        "tells people what is open: incidents, episodes that none explains, jobs that failed or await approval, what becomes of new "
        "versions; by Alertmanager or Apprise",
        alerter.make,
        per_name=True,
        asked=has_alerts,
    ),
    Node(
        server.ROLE,
        "hand",
        ("requests", "learned", "models"),
        ("replies", "served", "drift", "dead-letter"),
        "answers whoever asks, on a topic and over HTTP, by what a learner has learnt; writes down what it said as predictions",
        server.make,
        asked=serves,
    ),
)

ROLES = tuple(node.role for node in TOPOLOGY)


def asked_for(configuration: Configuration) -> tuple[str, ...]:
    """The roles that a configuration asks for."""
    return tuple(node.role for node in TOPOLOGY if node.asked(configuration))
