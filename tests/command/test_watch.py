"""The live view: which episodes are open, and the last events."""

import io

from rich.console import Console

from driftbus.consumers.command.watch import View
from driftbus.schemas.messages.notice import Notice

from .test_event_line import OPENED


def shown(view: View) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(view.shown())
    return console.export_text()


def test_an_open_episode_stays_in_view_until_it_is_resolved() -> None:
    view = View()
    view.add([OPENED])
    assert "open episodes: 1" in shown(view)
    assert "KS .31" in shown(view)
    view.add([OPENED.model_copy(update={"status": "resolved", "sequence": 1})])
    assert "open episodes: 0" in shown(view)
    assert "RESOLVED" in shown(view)


def test_only_the_last_events_are_shown() -> None:
    view = View()
    view.add([Notice(about="lost", model="m", version="1", text=f"notice {number}", identity=str(number)) for number in range(30)])
    assert "notice 29" in shown(view)
    assert "notice 19" not in shown(view)
