"""``driftbus`` in a process that may open no socket, start no process, make no client of Kafka: the first that it tries ends it by `ENDED`.

``python -m tests.kafka.guarded VERB ...``. At its end it says how often something was asked for that a hook sees, and which sockets it has.
"""

import os
import sys
from pathlib import Path
from typing import Any

import confluent_kafka
import confluent_kafka.admin

ENDED = 97
_SOCKETS = {"__new__", "bind", "connect", "getaddrinfo", "gethostbyaddr", "gethostbyname", "sendmsg", "sendto"}
FORBIDDEN = {
    *(f"socket.{one}" for one in _SOCKETS),
    *("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn"),
}
_seen = 0


def forbid(event: str, arguments: tuple[Any, ...]) -> None:  # whatever an event has
    """As `sys.addaudithook` calls it. What is raised here might be caught, so it ends."""
    global _seen
    _seen += 1
    if event in FORBIDDEN:
        _end(f"{event} {arguments!r:.300}")


def _end(what: str) -> None:
    os.write(2, f"forbidden: {what}\n".encode())
    os._exit(ENDED)


class Client:
    """In the place of Kafka's, which are of C: no hook would see what they open."""

    def __init__(self, *_: object, **__: object) -> None:
        _end("a client of Kafka")


def _sockets() -> list[str]:
    """Those that are open, whoever opened them."""
    links = []
    for place in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(place.readlink()))
        except OSError:
            continue  # of the folder itself
    return [link for link in links if link.startswith("socket:")]


if __name__ == "__main__":
    sys.addaudithook(forbid)
    for module, name in ((confluent_kafka, "Consumer"), (confluent_kafka, "Producer"), (confluent_kafka.admin, "AdminClient")):
        setattr(module, name, Client)
    from driftbus.consumers.command.main import main

    try:
        main(sys.argv[1:], standalone_mode=False)
    finally:
        print(f"{_seen} events, sockets {_sockets()}", file=sys.stderr)
