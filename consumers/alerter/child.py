"""The process in which Apprise speaks: ``python -P child.py``. It has nothing else of ours in it.

What Apprise reaches may hang, and Apprise takes seconds to load: so it lives here, and is killed when its time is over. The address and
each message come on its standard input, a line of JSON; how it went is a line of its standard output, and nothing is written elsewhere.
"""

import json
import os
import sys
import threading
import time

SAID, NOT_SAID, NO_ADDRESS, NO_APPRISE = 0, 3, 4, 5
_LOOK_S = 0.5


def main() -> None:
    """Say what comes, until no more does; without a title: whether the address is one. What plug-ins print goes nowhere."""
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        answers.write(f"{_said(json.loads(line))}\n")


def _said(asked: dict[str, str]) -> int:
    try:
        import apprise
    except ImportError:
        return NO_APPRISE
    said = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, secure_logging=True, plugin_paths=[]))
    if not said.add(asked["url"]) or len(said) != 1:
        return NO_ADDRESS
    if "title" not in asked:
        return SAID
    sent = said.notify(
        title=asked["title"], body=asked["body"], notify_type=asked["type"], body_format=apprise.NotifyFormat.TEXT, interpret_escapes=False
    )
    return SAID if sent else NOT_SAID


def _follow(parent: int) -> None:
    """Die with the parent, also in the middle of a call."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    main()
