"""The process in which a user's function answers: ``python -P child.py SECONDS MODULE:FUNCTION``. It has nothing else of ours in it.

With one argument more the name is that of a class, and its instance's ``encode`` answers: ``sentence_transformers:SentenceTransformer``.
Reads and writes frames of JSON, each behind its length. Whatever the function does to this process, who asks is another one: it kills
this one when its time is over. Of a dead parent it dies by itself: of the end of its input, or, whatever it is doing, of an alarm.
"""

import importlib
import math
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
_Function = Callable[..., object]


def main(within_s: float, named: str, *made_of: str) -> None:
    """Answer until there is nothing more to answer. What the function prints goes nowhere: its output is ours."""
    _alarm(within_s)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    nothing = os.open(os.devnull, os.O_RDWR)
    with os.fdopen(os.dup(0), "rb") as asked, os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        try:
            function = _function(named, *made_of)
        except Exception as error:  # noqa: BLE001  # whatever a user's module raises
            _write(answers, {"unusable": f"{type(error).__name__}: {error}"})
            return
        _write(answers, {"ready": True})
        while head := asked.read(LENGTH.size):
            call = msgspec.json.decode(asked.read(LENGTH.unpack(head)[0]))
            _alarm(call["within_s"])
            try:
                answer: dict[str, object] = {"answers": _plain(function(*call["arguments"]))}
                msgspec.json.encode(answer)
            except Exception as error:  # noqa: BLE001  # a row that it cannot answer: it may answer others
                answer = {"raised": type(error).__name__}
            _write(answers, answer)
            signal.alarm(0)


def _function(named: str, *made_of: str) -> _Function:
    module, _, name = named.partition(":")
    found: Any = getattr(importlib.import_module(module), name)  # whatever stands there
    function: _Function = found(*made_of).encode if made_of else found
    return function


def _plain(answers: Any) -> list[object]:  # whatever the user's function returns: a list, an array, a series
    listed = answers.tolist() if hasattr(answers, "tolist") else list(answers)
    return [one.tolist() if hasattr(one, "tolist") else one for one in listed]


def _write(answers: BinaryIO, content: object) -> None:
    frame = msgspec.json.encode(content)
    answers.write(LENGTH.pack(len(frame)) + frame)
    answers.flush()


def _alarm(within_s: float) -> None:
    signal.alarm(max(1, math.ceil(within_s)))


def _follow(parent: int) -> None:
    """Die with the parent, also in the middle of a call."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    sys.path.insert(0, "")  # a user's module is found where the command runs
    main(float(sys.argv[1]), *sys.argv[2:])
