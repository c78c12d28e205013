"""The process in which a user's function answers: ``python -P child.py MODULE:FUNCTION SECONDS``. It has nothing else of ours in it.

Reads and writes frames of JSON, each behind its length. Whatever the function does to this process, the evaluator is another one: it kills
this one when its time is over. Of a dead evaluator it dies by itself: of the end of its input, or, whatever it is doing, of an alarm.
"""

import importlib
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

LENGTH = struct.Struct(">I")
_LOOK_S = 0.5


def main(named: str, lives_s: int) -> None:
    """Answer until there is nothing more to answer. What the function prints goes nowhere: its output is ours."""
    signal.alarm(lives_s)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    nothing = os.open(os.devnull, os.O_RDWR)
    with os.fdopen(os.dup(0), "rb") as asked, os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        function = _function(named)
        _write(answers, {"ready": True})
        while head := asked.read(LENGTH.size):
            call = msgspec.json.decode(asked.read(LENGTH.unpack(head)[0]))
            _write(answers, {"answers": _plain(function(call["rows"], call["version"]))})


def _function(named: str) -> Callable[[list[dict[str, Any]], str], object]:  # features are any JSON
    module, _, name = named.partition(":")
    function: Callable[[list[dict[str, Any]], str], object] = getattr(importlib.import_module(module), name)
    return function


def _plain(answers: Any) -> list[object]:  # whatever the user's function returns: a list, an array, a series
    listed = answers.tolist() if hasattr(answers, "tolist") else list(answers)
    return [one.tolist() if hasattr(one, "tolist") else one for one in listed]


def _write(answers: BinaryIO, content: object) -> None:
    frame = msgspec.json.encode(content)
    answers.write(LENGTH.pack(len(frame)) + frame)
    answers.flush()


def _follow(parent: int) -> None:
    """Die with the parent, also in the middle of a call."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    sys.path.insert(0, "")  # a user's module is found where the command runs
    main(sys.argv[1], int(sys.argv[2]))
