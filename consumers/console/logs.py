"""Logs of all that runs here, ours and librdkafka's: plain lines, or an object of JSON a line."""

import json
import logging
import time
import traceback
from collections.abc import Mapping
from typing import Literal

from ..replay.terminal import say, without_credentials

Format = Literal["plain", "json"]
_PACKAGE = "driftbus"


class Lines(logging.Handler):
    """Writes to stderr as it is at the time; what a record says passes the printing that neutralises it."""

    def __init__(self, form: Format) -> None:
        super().__init__()
        self._lines = _plain if form == "plain" else _json

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            for line in self._lines(record):
                say(without_credentials(line), err=True)
        except Exception:  # noqa: BLE001  # as logging's own handlers: a log must not end what it speaks of
            self.handleError(record)


def logs_to_stderr(form: Format = "plain") -> None:
    """From now on: our own from INFO on, of all others what is a warning. Called again, it changes the form."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, Lines)]:
        root.removeHandler(handler)
    root.addHandler(Lines(form))
    logging.getLogger(_PACKAGE).setLevel(logging.INFO)
    logging.captureWarnings(True)  # Python's warnings too


def facts(**named: object) -> dict[str, Mapping[str, object]]:
    """For ``extra``: what a line says in numbers, which JSON keeps apart."""
    return {"facts": named}


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"


def _plain(record: logging.LogRecord) -> list[str]:
    """One line; a traceback follows it."""
    trace = traceback.format_exception(*record.exc_info) if record.exc_info else []
    return [f"{_time(record)} {record.levelname} {record.getMessage()}", *(line for text in trace for line in text.splitlines())]


def _json(record: logging.LogRecord) -> list[str]:
    content: dict[str, object] = {
        "time": _time(record),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    content |= getattr(record, "facts", {})
    if record.exc_info:
        content["traceback"] = "".join(traceback.format_exception(*record.exc_info))
    return [json.dumps(content, default=str, ensure_ascii=False)]
