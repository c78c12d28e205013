"""Texts through the product: bytes in, events out, with nothing said of the column's type or language."""

from datetime import datetime
from pathlib import Path

import pytest

from driftbus.schemas.messages.drift import DriftEvent

from ..replaying import BEGINNING, replayed
from .languages import GERMAN, JAPANESE, Language, messages
from .reviews import CHANGES, QUIET, REFERENCE, Change, drawn

PANE, BUDGET = 20, "1 per 100000 rows"
#: Of what is mixed in, words of which some must be told.
TELLING = {
    "film reviews": {"film", "movie", "his"},
    "tweets": {"http", "lol", "thanks", "@"},
    "editorials": {"he", "his", "mr", "s", "government"},
}


def opened(folder: Path, reference: list[str], live: list[str]) -> list[tuple[int, DriftEvent]]:
    """The episodes of a column of texts, with the live rows up to the end of the bucket that opened each."""
    events = replayed(folder, {"text": reference}, {"text": live}, pane=f"{PANE}s", false_alarms=BUDGET).events
    first = BEGINNING + len(reference)
    return [(round(datetime.fromisoformat(e.bucket[1]).timestamp()) - first, e) for e in events if e.status == "opened"]


def words(event: DriftEvent) -> set[str]:
    """That an event tells."""
    return {word.word for signal in event.signals for word in signal.effect.words}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change.share:.0%} {change.kind}")
def test_what_is_mixed_into_reviews_is_found_and_named(change: Change, tmp_path: Path) -> None:
    rows, event = opened(tmp_path, *drawn(change, seed=3))[0]
    assert QUIET < rows <= QUIET + 1.3 * change.prototype
    assert event.kind == "text"
    assert words(event) & TELLING[change.kind]


def test_reviews_like_those_of_the_reference_raise_nothing(tmp_path: Path) -> None:
    reference, live = drawn(Change("film reviews", 0.0, 0), seed=4)
    assert len(reference) == REFERENCE
    assert opened(tmp_path, reference, live) == []


@pytest.mark.parametrize("language", [GERMAN, JAPANESE], ids=["German", "Japanese"])
def test_a_column_in_any_language_is_watched(language: Language, tmp_path: Path) -> None:
    live = messages(language, 2_000, 0.0, seed=2) + messages(language, 500, 0.3, seed=3)
    rows, event = opened(tmp_path, messages(language, 2_000, 0.0, seed=1), live)[0]
    assert 2_000 < rows <= 2_200
    assert event.kind == "text"
    assert words(event) & language.telling
