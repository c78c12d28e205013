"""A program of somebody else: a Kafka client, the published JSON Schemas in its folder, and nothing of ours.

It writes a line to ``acted`` for whatever it acts on: pages somebody for a grave drift, tells an owner of a fault, runs a job and reports
its end. What it has acted on it knows by ``ce_id``.
"""

import json
import os
import sys
from pathlib import Path

from confluent_kafka import Consumer, Producer
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types

#: By the beginning of an event's type.
SCHEMAS = {
    "io.driftbus.drift.": "drift-event",
    "io.driftbus.root-cause.": "root-cause",
    "io.driftbus.retrain.request": "retrain-request",
    "io.driftbus.job.": "job-status",
}


def main(prefix: str, brokers: str) -> None:
    """Until it is killed."""
    validators = {kind: Draft202012Validator(json.loads(Path(f"{name}.json").read_text())) for kind, name in SCHEMAS.items()}
    group = {"group.id": f"{prefix}-somebody", "auto.offset.reset": "earliest", "isolation.level": "read_committed"}
    consumer = Consumer({"bootstrap.servers": brokers, "enable.auto.commit": False, **group})
    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True})
    acted = Path("acted")
    known = {json.loads(line)["id"] for line in acted.read_text().splitlines()} if acted.exists() else set()
    consumer.subscribe([f"{prefix}.drift", f"{prefix}.root-causes", f"{prefix}.retrain"])
    while True:
        message = consumer.poll(1.0)
        if message is None or message.error():
            continue
        headers = {str(name): bytes(value or b"").decode() for name, value in dict(message.headers() or ()).items()}  # type: ignore[arg-type]
        kind = next((one for one in SCHEMAS if headers.get("ce_type", "").startswith(one)), None)
        if kind is not None:
            event = json.loads(message.value() or b"")
            validators[kind].validate(event)
            did = act(kind, event)
            if did is not None and headers["ce_id"] not in known:
                if kind == "io.driftbus.retrain.request":
                    fact = {"kind": "observed", "model": event["model"], "job": event["job"], "state": "succeeded", "by": "somebody"}
                    producer.produce(f"{prefix}.actions", json.dumps(fact), event["model"])
                    producer.flush()
                known.add(headers["ce_id"])
                with acted.open("a") as lines:
                    lines.write(json.dumps({"id": headers["ce_id"], "did": did, "ours": "driftbus" in sys.modules}) + "\n")
        consumer.commit(message=message, asynchronous=False)


def act(kind: str, event: dict[str, object]) -> str | None:
    """What is done about an event."""
    if kind == "io.driftbus.drift." and event["status"] == "opened" and event["severity"] == "major":
        return f"page: {event['model']} drifts"
    if kind == "io.driftbus.root-cause." and event["status"] == "confirmed":
        return f"tell: {event['cause']}"
    if kind == "io.driftbus.retrain.request":
        return f"run: {event['job']}"
    return None


if __name__ == "__main__":
    main(os.environ["APPLICATION"], os.environ["BROKERS"])
