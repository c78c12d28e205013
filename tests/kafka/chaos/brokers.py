"""The brokers of a chaos run: killed and brought back, or stopped and continued."""

import logging
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]  # exported

from ..cluster import cluster, coordinator
from .schedule import COORDINATOR

#: The controller is away, or answers late.
_PASSING = {KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.REQUEST_TIMED_OUT, KafkaError.NOT_CONTROLLER}
_PATIENCE_S = 60

_log = logging.getLogger(__name__)


class Brokers:
    """One or three on a directory of their own."""

    def __init__(self, directory: Path, count: int, port: int, session_s: int) -> None:
        self._cluster: Any = cluster(directory, broker_session_timeout_ms=1000 * session_s)  # the script's Cluster
        self._away: dict[int, tuple[float, bool]] = {}  # node: when it is to be back, and whether it is only stopped
        self._starting: threading.Thread | None = None
        self._closed = False
        self.address: str = self._cluster.start(count, port)

    def away(self, of: str, group: str, back_at: float, *, paused: bool) -> str:
        """Kill or stop one of them, or whichever leads a group; what was done."""
        node = self._leader(group) if of == COORDINATOR else int(of)
        if node in self._away:
            return f"broker {node} is away already"
        if paused:
            os.kill(self._cluster.pid(node), signal.SIGSTOP)
        else:
            self._cluster.kill(node)
        self._away[node] = (back_at, paused)
        return f"broker {node} {'paused' if paused else 'killed'}" + (f", the coordinator of {group}" if of == COORDINATOR else "")

    def look(self) -> list[str]:
        """Bring back whose time it is; what was done, for the journal."""
        told = list[str]()
        for node, (back_at, paused) in list(self._away.items()):
            if time.monotonic() < back_at or (not paused and self._starting is not None and self._starting.is_alive()):
                continue  # whoever starts one waits for all: those that are paused are continued meanwhile
            del self._away[node]
            if paused:
                os.kill(self._cluster.pid(node), signal.SIGCONT)
            else:
                self._starting = threading.Thread(target=self._start, name="starting a broker", daemon=True)
                self._starting.start()
            told.append(f"broker {node} {'continued' if paused else 'started'}")
        return told

    @property
    def whole(self) -> bool:
        """Whether all are there."""
        return not self._away and not (self._starting is not None and self._starting.is_alive())

    def add_partitions(self, topic: str, count: int) -> None:
        """Let a topic have so many in all, as soon as a controller answers."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            admin = _admin(self.address)
            try:
                admin.create_partitions([NewPartitions(topic, count)], operation_timeout=_PATIENCE_S)[topic].result()
            except KafkaException as exception:
                if exception.args[0].code() == KafkaError.INVALID_PARTITIONS:
                    return  # it has so many: the answer before came too late
                if time.monotonic() > deadline or exception.args[0].code() not in _PASSING:
                    raise
            else:
                return

    def keep(self, folder: Path) -> None:
        """Copy their data and logs as they are now, for whoever looks for the reason of a difference."""
        shutil.copytree(self._cluster.directory, folder, ignore=shutil.ignore_patterns("*.timeindex", "*.index"), dirs_exist_ok=True)

    def close(self) -> None:
        """End them, and forget their data."""
        self._closed = True
        for node, (_, paused) in self._away.items():
            if paused:
                os.kill(self._cluster.pid(node), signal.SIGCONT)
        if self._starting is not None:
            self._starting.join()
        self._cluster.stop()

    def _start(self) -> None:
        """Bring back whoever does not run; again where a busy machine lets none of them answer in time."""
        while not self._closed:
            try:
                self._cluster.start()
                _admin(self.address).list_topics(timeout=_PATIENCE_S)  # one that was killed answers nobody while it counts as alive
            except Exception as error:  # noqa: BLE001  # the script's NoKafka, whose class is another at every loading
                _log.warning("%s", str(error)[:300])
            else:
                return

    def _leader(self, group: str) -> int:
        return coordinator(_admin(self.address), "__consumer_offsets", group)


def _admin(address: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": address}, logger=_log)
