"""A real Alertmanager in the place of the one that is played: ``python -m tests.alerter.real PATH-OF-ITS-PROGRAM``.

It is told of incidents that open, get worse and end, is killed meanwhile and begins without its memory; and what it says is active is
compared with what is open.
"""

import argparse
import json
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from driftbus.consumers.alerter import alertmanager as module
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.schemas.messages.root_cause import Scope

from ..waiting import until
from .worlds import alerting, episode, incident, over, prepared, say, settings_of, status, told

#: More than one call has room for.
MANY = 70
HOSTILE = ("\u202e`\x1b[2J\n\n# @everyone", '"}], "labels": {"x": "', "x" * 400, "\x00")
_LONG_S = 60.0


@contextmanager
def alertmanager(program: str, port: int, folder: Path) -> Iterator[None]:
    """It, until the end of the block, on loopback, without a cluster."""
    settings = folder / "alertmanager.yml"
    settings.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    with tempfile.TemporaryDirectory() as memory:
        words = [
            f"--config.file={settings}",
            f"--storage.path={memory}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        process = subprocess.Popen([program, *words], stderr=(folder / "log").open("ab"))
        try:
            until(lambda: active(port) is not None, _LONG_S)
            yield
        finally:
            process.kill()
            process.wait()


def active(port: int) -> list[tuple[str, str]] | None:
    """Name and severity of what it says is active; None: it is not there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts?active=true", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
    except OSError:
        return None
    return sorted((one["labels"]["alertname"], one["labels"]["severity"]) for one in found)


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    program = parser.parse_args().program
    module.AGAIN_S = 1.0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name, closing(EmbeddedBus(":memory:", "app", "one")) as bus:
        folder = Path(name)
        settings = settings_of(folder, {"alertmanager": {"url": f"http://127.0.0.1:{port}"}}, application="app")
        prepared(bus, settings)
        one = alerting(bus, settings)

        def comes(what: str, expected: list[tuple[str, str]]) -> None:
            began = time.monotonic()
            until(lambda: (one.turn(0.05), active(port) == sorted(expected))[1], _LONG_S)
            print(f"{what}: {len(expected)} active, {time.monotonic() - began:.1f} s")

        drifts, fails = ("DriftbusDrift", "minor"), ("DriftbusJobFailed", "moderate")
        with alertmanager(program, port, folder):
            say(bus, settings, incident("i", harm="benign"), episode("e"), status(settings, 1, "failed"))
            comes("opened", [("DriftbusIncident", "minor"), drifts, fails])
            say(bus, settings, incident("i", harm="harmful"))
            comes("worse", [("DriftbusIncident", "major"), drifts, fails])
            say(bus, settings, incident("i", of=("e",)), status(settings, 2, "succeeded"))
            comes("explained, and a job that succeeds", [("DriftbusIncident", "major")])
            say(bus, settings, *(incident(f"h{n}", scope=Scope(features=(one,), owners=(one,))) for n, one in enumerate(HOSTILE)))
            say(bus, settings, *(incident(f"i{n}") for n in range(MANY)))
            several = [("DriftbusIncident", "moderate")] * (MANY + len(HOSTILE))
            comes("many, with hostile names", [("DriftbusIncident", "major"), *several])
        with alertmanager(program, port, folder):
            comes("killed, and begun without a memory", [("DriftbusIncident", "major"), *several])
            say(bus, settings, over(incident("i")), *(over(incident(f"i{n}")) for n in range(MANY)))
            comes("over", several[: len(HOSTILE)])
        one.close()
        print(f"{len(told(bus, settings))} written to have been told")


if __name__ == "__main__":
    main()
