"""The process in which Apprise says one message: ``python -P child.py``. It has nothing else of ours in it.

What Apprise reaches may hang, and Apprise takes seconds to load: so this process says one thing, and is killed when its time is over. The
address and the message come on its standard input, as JSON; how it went is its exit code, and nothing is written anywhere.
"""

import json
import os
import sys
import threading
import time

SAID, NOT_SAID, NO_ADDRESS, NO_APPRISE = 0, 3, 4, 5
_LOOK_S = 0.5


def main() -> int:
    """Say it; without a message: whether the address is one."""
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    asked = json.load(sys.stdin)
    try:
        import apprise
    except ImportError:
        return NO_APPRISE
    said = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, secure_logging=True, plugin_paths=[]))
    if not said.add(asked["url"]) or len(said) != 1:
        return NO_ADDRESS
    if asked.get("title") is None:
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
    sys.exit(main())
