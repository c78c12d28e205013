"""The live view: which episodes are open, and the last events, in 80 columns."""

import io

from driftbus.consumers.command.watch import View
from driftbus.consumers.console.screen import Terminal
from driftbus.schemas.messages.notice import Notice

from .test_event_line import AMOUNT, OPENED


def shown(view: View, width: int = 80) -> str:
    screen = io.StringIO()
    Terminal(screen, width).show(*view.shown())
    return screen.getvalue()


def unfolded(text: str) -> str:
    return "".join(text.split())


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


def test_long_names_fit_80_columns_and_none_of_them_is_lost() -> None:
    model, feature = "model-" + "m" * 54, "feature_" + "f" * 52
    other = AMOUNT.model_copy(update={"name": "g" * 60, "change": "tails lighter"})
    view = View()
    view.add([OPENED.model_copy(update={"model": model, "signals": (AMOUNT.model_copy(update={"name": feature}), other)})])
    told = shown(view)
    assert max(map(len, told.splitlines())) <= 80
    _, _, events = told.partition("OPENED")
    assert unfolded(f"055edca3  {model}/3.2.1  major {feature}: mean up (KS .31  PSI .62), {'g' * 60}: tails lighter") in unfolded(events)


def test_ids_and_whose_change_it_is_stand_in_the_table() -> None:
    view = View()
    view.add([OPENED])
    table, _, _ = shown(view, 140).partition("OPENED")
    assert "055edca3" in table
    assert "amount: mean up (KS .31  PSI .62), country (availability): more nulls" in table
