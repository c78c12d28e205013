"""What is documented of the topology: the README's table of consumers, the permissions, and an AsyncAPI document. Tests compare them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...schemas.export import PUBLISHED
from .topology import INPUTS, TOPOLOGY, Node

#: What stands for the configured `topics.prefix` and `application` in documents.
PREFIX, APPLICATION = "PREFIX", "APP"
#: Per topic, the messages on it: names of `driftbus.schemas.export.PUBLISHED`; none: only driftbus reads them.
MESSAGES: Mapping[str, Sequence[str]] = {
    INPUTS: ("prediction",),
    "embeddings": ("prediction",),
    "summaries": ("pane", "progress", "evidence", "candidates"),
    "joins": ("block", "progress"),
    "examples": ("examples", "progress", "example-answer", "example-hold"),
    "requests": (),
    "replies": (),
    "served": ("prediction",),
    "learned": ("learned-change", "learned-losses", "learned-model"),
    "snapshots": (),
    "drift": ("drift-event", "notice"),
    "root-causes": ("root-cause",),
    "performance": ("performance", "reviewed", "contest"),
    "ood": ("ood-sample",),
    "models": ("announcement", "model-event", "coincidence", "golden-set", "golden-proposal"),
    "golden": ("golden-request", "golden-started", "golden-result", "golden-evaluation"),
    "feedback": ("feedback",),
    "reviews": ("review-request", "review-answer", "review-label", "review-slot"),
    "actions": (
        "action-incident",
        "action-episode",
        "action-model",
        "action-coincidence",
        "action-labels",
        "action-reviewed",
        "action-golden",
        "action-tick",
        "action-reach",
        "action-due",
        "action-request",
        "action-word",
        "action-observed",
        "action-adopted",
        "action-evaluation",
        "action-contest",
        "action-version",
    ),
    "retrain": ("retrain-request", "job-status", "promotion"),
    "alerts": ("alerted",),
    "dead-letter": ("dead-letter",),
}


#: What STREAM stands for: what reviewers answer is read as one, where it meets labels.
_STREAMS = f", for every stream, and for `{PREFIX}.reviews` in its place"


def consumers_table(topology: Sequence[Node] = TOPOLOGY) -> list[list[str]]:
    """A row for every role: its name, what it reads and writes, what it does."""
    return [[f"`{node.role}`", ", ".join(map(_named, node.reads)), ", ".join(map(_named, node.writes)), node.does] for node in topology]


def permissions(topology: Sequence[Node] = TOPOLOGY) -> list[list[str]]:
    """What every role needs on a Kafka with ACLs: who, on what, which operations."""
    return [[node.role, resource, operations] for node in topology for resource, operations in _permissions(node)]


def _permissions(node: Node) -> Iterator[tuple[str, str]]:
    if INPUTS in node.reads:
        yield "every input topic", "Read, Describe"
    reads, writes = [topic for topic in node.reads if topic != INPUTS], list(node.writes)
    for topic in dict.fromkeys((*reads, *writes)):
        operations = [name for name, topics in (("Read", reads), ("Write", writes)) if topic in topics]
        yield f"topic {_named(topic)}", ", ".join((*operations, "Describe"))
    group = f"{APPLICATION}-{node.role}{'-STREAM' if node.per_stream else '-NAME' if node.per_name else ''}"
    yield f"group `{group}`{_STREAMS if node.per_stream else ''}", "Read, Describe"
    yield f"transactional ids `{group}-*` (prefixed)", "Write, Describe"


def _named(topic: str) -> str:
    return "your input topics" if topic == INPUTS else f"`{PREFIX}.{topic}`"


def asyncapi(topology: Sequence[Node] = TOPOLOGY) -> dict[str, Any]:  # any JSON
    """The topics, and who sends and receives what on them, as AsyncAPI 3.0; messages by the published JSON Schemas."""
    topics = dict.fromkeys(topic for node in topology for topic in (*node.reads, *node.writes))
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "driftbus", "version": "1", "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": {_channel(topic): _described(topic) for topic in topics},
        "operations": {
            f"{node.role}-{action}-{_channel(topic)}": {
                "action": action,
                "summary": node.does,
                "channel": {"$ref": f"#/channels/{_channel(topic)}"},
            }
            for node in topology
            for action, named in (("receive", node.reads), ("send", node.writes))
            for topic in named
        },
        "components": {"messages": {name: _message(name) for name in PUBLISHED if any(name in of for of in MESSAGES.values())}},
    }


def _channel(topic: str) -> str:
    return "inputs" if topic == INPUTS else topic


def _described(topic: str) -> dict[str, Any]:  # any JSON
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in MESSAGES[topic]}
    if topic == INPUTS:
        return {"address": None, "description": "The topics of `streams`, as they are configured.", "messages": messages}
    prefix = {"prefix": {"description": "`topics.prefix` of the configuration."}}
    return {"address": f"{{prefix}}.{topic}", "parameters": prefix, "messages": messages}


def _message(name: str) -> dict[str, Any]:  # any JSON
    binary = name in ("block", "candidates", "evidence", "golden-result", "pane", "progress")
    return {
        "name": name,
        "contentType": "application/vnd.msgpack" if binary else "application/json",
        "payload": {"$ref": f"./{name}.json"},
    }
