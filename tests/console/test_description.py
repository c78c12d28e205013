"""An episode in words: every kind of signal has its numbers, and what can be done about it."""

import pytest

from driftbus.consumers.console.description import described
from driftbus.consumers.console.episodes import told
from driftbus.consumers.console.histograms import shares, side_by_side
from driftbus.schemas.messages.drift import DriftedSignal, DriftEvent, Effect, Histogram, Statistics, UsedPanes, Word

from ..command.test_event_line import AMOUNT, OPENED


def said(*signals: DriftedSignal, **changes: object) -> str:
    event = DriftEvent.model_validate(OPENED.model_dump() | {"signals": [signal.model_dump() for signal in signals], **changes})
    return "\n".join(described(told([event])[0]))


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"effect": Effect(nulls=(0.01, 0.5)), "of": "availability"}, ["without a valid value: 1.00% -> 50.00%", "amount: ignore"]),
        ({"effect": Effect(correlation=(0.1, 0.8)), "of": "pair", "role": "row"}, ["correlation 0.10 -> 0.80", "{fraud: {pairs: off}}"]),
        ({"effect": Effect(words=(Word(word="refund", shares=(0.01, 0.3)),), word_share=0.29)}, ["'refund' 1.0% -> 30.0%", "by 29.0%"]),
        ({"effect": Effect(new_categories=("mars",))}, ["new: mars"]),
        ({"was": Statistics(rows=9, mean=1.5), "now": Statistics(rows=7, mean=2.5)}, ["mean              1.5 -> 2.5", "9 -> 7"]),
        ({"of": "volume", "role": "row", "change": "more"}, ["{fraud: {volume: false}}", "reference accept 055edca3"]),
        ({"of": "volume", "role": "row", "change": "silent since 10:00"}, ["{fraud: {silence: never}}, or driftbus retire fraud"]),
        ({"name": "a: b"}, ['features: {"a: b": ignore}']),
        ({"only_in": ("NZ",), "segment": "NZ"}, ["amount [NZ] [feature]: mean up, only in NZ"]),
    ],
)
def test_what_changed_and_what_to_do(changes: dict[str, object], lines: list[str]) -> None:
    shown = said(AMOUNT.model_copy(update=changes))
    assert [line for line in lines if line not in shown] == [], shown


def test_a_silence_is_not_accepted() -> None:
    assert "reference accept" not in said(AMOUNT.model_copy(update={"of": "volume", "change": "silent since 10:00"}))


def test_what_is_over_needs_no_remedy() -> None:
    shown = said(AMOUNT.model_copy(update={"open": False}), status="resolved", reason="replaced")
    assert "replaced at 2026-03-01 10:00" in shown
    assert "accept" not in shown


def test_doubts_and_offsets_are_told() -> None:
    shown = said(AMOUNT, complete=False, clock_decided=True, panes=[UsedPanes(topic="t", partition=1, offsets=(5, 1_234)).model_dump()])
    assert "complete: false" in shown
    assert "clock_decided" in shown
    assert "counted from t[1], offsets 5 to 1,234" in shown


def test_histograms_have_one_scale_and_survive_what_has_none() -> None:
    lines = list(side_by_side(Histogram(bins=("low", "x" * 40), counts=(3, 1)), Histogram(bins=("low", "x" * 40), counts=(1, 3))))
    assert lines[1].count("█") == 20 + 6
    assert all(len(line) <= 80 for line in lines)
    assert list(side_by_side(Histogram(), Histogram())) == []
    assert list(side_by_side(Histogram(bins=("a",), counts=(0,)), Histogram(bins=("a",), counts=(0,)))) == []
    assert shares((-1, 2)) == [0.0, 1.0]
