"""Clusters that tests may kill: those of ``deploy/kafka/kafka.py``, which is no package."""

import importlib.util
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

_SCRIPT = Path(__file__).parents[2] / "deploy" / "kafka" / "kafka.py"


def cluster(directory: Path, **properties: object) -> Any:  # the script's Cluster
    """Brokers to be started in a directory: `address`, `start(brokers, port)`, `pid(node)`, `kill(node)`, `stop()`.

    Their properties are written with _ for the dots.
    """
    spec = importlib.util.spec_from_file_location("deploy_kafka", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.Cluster(directory, {key.replace("_", "."): value for key, value in properties.items()})


def coordinator(admin: AdminClient, topic: str, name: str) -> int:
    """The broker that leads a name's partition of an internal topic, as Kafka chooses it: by Java's hash of the name."""
    partitions = admin.list_topics(topic, timeout=10).topics[topic].partitions
    hashed = 0
    for letter in name:
        hashed = (31 * hashed + ord(letter)) % 2**32
    leader: int = partitions[hashed % 2**31 % len(partitions)].leader
    return leader
