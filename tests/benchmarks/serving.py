"""How many rows a second what was learnt answers, on a real Kafka: ``python -m tests.benchmarks.serving``.

By its topics, and over HTTP by so many clients at once; each answer is on `PREFIX.served` when it is given.
"""

import http.client
import json
import tempfile
import threading
import time
import uuid
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.schemas.configuration import Configuration

from ..server.test_server import serving
from ..server.worlds import MODEL, prepare, publish, published, request, settings_of
from .world import RESULTS, Result, kafka, machine

#: Requests on the topic; over HTTP in all, clients, and rows of a request.
ON_THE_TOPIC, REQUESTS, CLIENTS, ROWS = 20_000, 400, 8, (1, 100)


def on_the_topic(bus: Bus, settings: Configuration) -> Result:
    """From the first to the last reply."""
    bus.publish([request(settings, f"r{number}") for number in range(ON_THE_TOPIC)])
    began = time.perf_counter()
    with serving(bus, settings) as (server, _):
        while server.totals()["answered"] < ON_THE_TOPIC:
            time.sleep(0.01)
    return {"rows a second": round(ON_THE_TOPIC / (time.perf_counter() - began))}


def over_http(port: int, rows: int) -> Result:
    """Latencies, and rows of all clients."""
    body = msgspec.json.encode({"inputs": [{"name": "amount", "shape": [rows], "datatype": "FP64", "data": [4.0] * rows}]})
    took, lock = list[float](), threading.Lock()

    def ask() -> None:
        for _ in range(REQUESTS // CLIENTS):
            began = time.perf_counter()
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                connection.request("POST", f"/v2/models/{MODEL}/infer", body)
                assert connection.getresponse().status == 200
            with lock:
                took.append(time.perf_counter() - began)

    threads, began = [threading.Thread(target=ask) for _ in range(CLIENTS)], time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    median, most = np.quantile(took, [0.5, 0.99]).tolist()
    return {"rows a second": round(len(took) * rows / seconds), "median ms": round(1e3 * median, 1), "99 % ms": round(1e3 * most, 1)}


def main() -> None:
    """Ask, print, keep."""
    found: Result = {"machine": machine()}
    with kafka() as address, tempfile.TemporaryDirectory() as folder:
        name = f"serving-{uuid.uuid4().hex[:8]}"
        settings = settings_of(Path(folder), application=name, bus="kafka", kafka={"bootstrap.servers": address})
        with closing(KafkaBus({"bootstrap.servers": address}, name, "one")) as bus:
            prepare(bus, settings)
            publish(bus, settings, published(settings, 2_000))
            found["topics"] = on_the_topic(bus, settings)
            with serving(bus, settings) as (_, port):
                for rows in ROWS:
                    found[f"HTTP, {CLIENTS} clients, {rows} rows a request"] = over_http(port, rows)
    print(json.dumps(found, indent=1))
    (RESULTS / "serving.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
