"""Texts: what is counted of them against a loop that a reader can check, whatever they contain; their bets and their effects."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftbus.consumers.decode.interface import MARKS
from driftbus.detectors.betting import Concession
from driftbus.detectors.betting.words import words as bets_on
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.counting.text import MOST_CHARACTERS, STEPS
from driftbus.detectors.effects.words import WordsMeasure
from driftbus.detectors.episodes.step import Bucket, start, step
from driftbus.detectors.profiling.texts import TextFilling
from driftbus.detectors.profiling.texts_dependence import WordDependence
from driftbus.schemas.configuration import Important
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import AvailabilityProfile, NumericProfile, ProfiledField, Reference, TextProfile, WordsProfile

from .worlds import compiled_for

VOCABULARY, GRAMS = ("a", "das", "zwei_3", "日本", "क्षत्रिय", "ss"), ("a", "!", "ß", "日本", "本語", "😀", "das", "s ")


def reference_with(values: TextProfile, rows: int = 1_000) -> Reference:
    field = ProfiledField(name="text", type="text", values=values, availability=AvailabilityProfile(counts=(rows, 0, 0, 0)))
    return Reference(model="m", version="1", rows=rows, fields=(field,))


def profile_of(texts: Sequence[str], chunk: int = 300) -> TextProfile:
    """In three passes, so many texts at a time."""
    filling, chunks = TextFilling(), [texts[first : first + chunk] for first in range(0, len(texts), chunk)]
    for each in chunks:
        filling.look(each, [True] * len(each))
    for each in chunks:
        filling.count(each)
    for each in chunks:
        filling.follow(each)
    return filling.profile()


def with_vocabulary(words: tuple[str, ...], grams: tuple[str, ...]) -> Reference:
    """A reference that looks for exactly these."""
    made = profile_of(["das ist a", "zwei_3 Wörter", "noch ein Text"] * 5)
    counted = {"words": words, "characters": grams}
    return reference_with(
        made.model_copy(update={of: WordsProfile(words=each, counts=(1,) * len(each), texts=1) for of, each in counted.items()})
    )


REFERENCE = with_vocabulary(VOCABULARY, GRAMS)
COUNTING = Counting(REFERENCE)


def naive(texts: Sequence[str]) -> dict[str, list[int]]:
    """Text by text, letter by letter."""
    contained = {"words": Counter[str](), "characters": Counter[str]()}
    shares: list[float] = []
    for text in texts:
        head = text[:MOST_CHARACTERS].replace("\0", " ").casefold()
        held = "".join(c if c.isalnum() or c == "_" or unicodedata.category(c) in ("Mn", "Mc") else " " for c in head)
        words = held.split(" ")
        words = [word for word in words if word]
        contained["words"].update(set(words) & set(VOCABULARY))
        contained["characters"].update(gram for gram in GRAMS if gram in head)
        if words:
            shares.append(round(sum(word not in VOCABULARY for word in words) / len(words) * STEPS) / STEPS)
    found = {"words": [contained["words"][word] for word in VOCABULARY], "characters": [contained["characters"][gram] for gram in GRAMS]}
    for of, values in (("new words", shares), ("length", [float(len(text)) for text in texts])):
        signal = COUNTING.layout.find("text", of)
        assert signal is not None
        profile = signal.profile
        assert isinstance(profile, NumericProfile)
        bins = Counter(profile.bin_of[sum(edge <= value for edge in profile.edges)] for value in values)
        found[of] = [bins[bin_] for bin_ in range(signal.size)]
    return found


def counted(texts: Sequence[object]) -> dict[str, list[int]]:
    vector = np.concatenate(COUNTING.count(np.zeros((len(texts), 0)), [list(texts)]))
    return {signal.of: vector[signal.span].tolist() for signal in COUNTING.layout.signals}


pieces = st.sampled_from(
    [*VOCABULARY, *GRAMS, " ", "\t", "\n", "\0", "DAS", "ẞ", "ﬀ", "\u0301", "\ud800", "\x1b", "\U0010ffff", "x" * 200, "0", "_"]
)
texts = st.lists(st.one_of(st.lists(pieces, max_size=8).map("".join), st.text(max_size=8)), max_size=12)


@given(texts)
@example([])
@example(["", " ", "\0", "das\0das"])
@example(["das " * 4_000, "x" * 30_000, "ΐ" * MOST_CHARACTERS + " das"])
@example([f"das {number}" for number in range(1_100)])
def test_it_counts_as_a_loop_would(texts: list[str]) -> None:
    expected = naive(texts)
    assert counted(texts) == {"availability": [len(texts), 0, 0, 0], **expected}


@given(texts, st.data())
def test_neither_order_nor_batches_show(texts: list[str], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(texts))
    cut = data.draw(st.integers(0, len(texts)))
    whole = np.concatenate(COUNTING.count(np.zeros((len(texts), 0)), [texts]))
    parts = [np.concatenate(COUNTING.count(np.zeros((len(part), 0)), [part])) for part in (shuffled[:cut], shuffled[cut:])]
    np.testing.assert_array_equal(whole, parts[0] + parts[1])


def test_absent_texts_only_count_as_absent() -> None:
    found = counted(["das", MARKS.null, MARKS.invalid, MARKS.missing, MARKS.missing, ""])
    assert found == {**counted(["das", ""]), "availability": [2, 1, 1, 2]}


def test_the_work_on_one_text_is_bounded() -> None:
    late = counted(["x" * MOST_CHARACTERS + " das"])
    assert sum(late["words"]) == 0
    assert late["length"] == naive(["y" * (MOST_CHARACTERS + 4)])["length"]


@settings(max_examples=30)
@given(st.lists(st.one_of(st.lists(pieces, max_size=8).map("".join), st.text(max_size=8)), min_size=1, max_size=40), st.integers(1, 40))
def test_a_profile_holds_what_there_was_whatever_the_chunks(texts: list[str], chunk: int) -> None:
    profile = profile_of(texts, chunk)
    at_once = profile_of(texts)
    assert profile.length.counts == at_once.length.counts  # of its sums the last digits may differ, as those of any number's
    assert profile == at_once.model_copy(update={"length": profile.length})
    assert sum(profile.length.counts) == len(texts)
    again = Counting(reference_with(profile, len(texts)))
    vector = np.concatenate(again.count(np.zeros((len(texts), 0)), [texts]))
    for signal in again.layout.signals:
        if signal.of in ("length", "words", "characters"):
            assert vector[signal.span].tolist() == signal.reference_counts.tolist()
    assert Reference.decoded(reference_with(profile).encoded()) == reference_with(profile)


def test_commonest_words_first_and_equals_by_their_letters() -> None:
    words = profile_of(["b a", "c a", "b a d"]).words
    assert words == WordsProfile(words=("a", "b", "c", "d"), counts=(3, 2, 1, 1), texts=3)


@pytest.mark.parametrize("text", ["吾輩は猫である", "แมวกินปลา", "ថ្ងៃនេះ"])
def test_scripts_without_spaces_have_characters_only(text: str) -> None:
    profile = profile_of([text] * 20)
    assert profile.words is None
    assert profile.new_words is None
    assert profile.characters is not None


@pytest.mark.parametrize("text", ["나는 고양이로소이다", "मैं बिल्ली हूँ", "أنا قطة", "ich bin eine Katze"])
def test_others_have_whole_words(text: str) -> None:
    profile = profile_of([text] * 20)
    assert profile.words is not None
    assert set(profile.words.words) == set(text.casefold().split())


@pytest.mark.parametrize("text", ["", " ", "!?", "\ud800", "\x00\x01", "a", "x" * 1_000_000, "\u200b", "😀"])
def test_a_column_of_the_same_odd_text_is_watched(text: str) -> None:
    reference = reference_with(profile_of([text] * 1_000))
    tests, counting = compiled_for(reference), Counting(reference)
    state, events = start(tests, 0), list[DriftEvent]()
    for number, live in enumerate([[text] * 20] * 3 + [["ganz anders als das, was war"] * 20] * 30):
        counts, sums = counting.count(np.zeros((20, 0)), [live])
        state, new = step(tests, state, Bucket(number * 10_000, (number + 1) * 10_000, 20, 0, counts, sums, True, False))
        assert number >= 3 or not new
        events += new
    assert events
    for event in events:
        assert DriftEvent.model_validate_json(event.model_dump_json()) == event


def test_words_of_the_reference_are_no_older_to_it_than_to_others() -> None:
    # Words that only one text has are among the commonest few thousand of a small reference; the next one's are not.
    rng = np.random.default_rng(1)
    ranks = rng.zipf(1.3, size=(4_000, 12))
    texts = [" ".join(f"w{rank}" for rank in row) for row in ranks.tolist()]
    reference = reference_with(profile_of(texts[:2_000]), 2_000)
    signal = layout(reference).find("text", "new words")
    assert signal is not None
    counts, sums = Counting(reference).count(np.zeros((2_000, 0)), [texts[2_000:]])
    assert signal.moments is not None
    mean_z = np.concatenate((counts, sums))[signal.moments] / 2**20 / 2_000
    assert abs(mean_z) < 4 / 2_000**0.5


def words_profile(share: float, texts: int = 10_000, tau: float = 1.0) -> WordsProfile:
    return WordsProfile(words=("word",), counts=(round(share * texts),), texts=texts, tau=tau)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.7, 0.999, 1.0])
@pytest.mark.parametrize("tau", [1.0, 5.0])
def test_bets_on_a_word_are_fair(share: float, tau: float) -> None:
    profile = words_profile(share, tau=tau)
    found = list(bets_on(profile, Concession(10_000, 0.5, 0.0)))
    assert found
    p = min(max(share, 1 / 10_001), 10_000 / 10_001)
    for bet in found:
        assert p * np.exp(bet.slope + bet.intercept) + (1 - p) * np.exp(bet.intercept) <= 1 + 1e-12
        assert (bet.slope > 0) == (bet.words == "more 'word'")


def measure_of(shares: Sequence[float], texts: int) -> tuple[WordsMeasure, int, int]:
    names = tuple(f"w{place}" for place in range(len(shares)))
    words = WordsProfile(words=names, counts=tuple(round(share * texts) for share in shares), texts=texts)
    reference = reference_with(profile_of(["ein Text"] * 20).model_copy(update={"words": words, "characters": None}), texts)
    plan = layout(reference)
    signal = plan.find("text", "words")
    assert signal is not None
    return WordsMeasure.of(signal, Important()), signal.start, plan.size + plan.wide


def test_with_nothing_changed_the_effect_is_about_none() -> None:
    shares = np.geomspace(0.6, 0.001, 300)
    measure, first, length = measure_of(shares.tolist(), 100_000)
    rng = np.random.default_rng(1)
    for texts in (50, 500, 5_000):
        moved = []
        for _ in range(100):
            vector = np.zeros(length, dtype=np.int64)
            vector[first : first + 300] = rng.binomial(texts, shares)
            vector[measure.signal.rows] = texts
            moved.append(measure.on(vector).effect.word_share)
        assert np.mean(np.array(moved, dtype=np.float64)) < 0.2 / texts**0.5


def test_the_words_that_tell_most_come_first() -> None:
    measure, first, length = measure_of([0.5, 0.1, 0.01, 0.001], 100_000)
    vector = np.zeros(length, dtype=np.int64)
    vector[first : first + 4] = 500, 100, 310, 2
    vector[measure.signal.rows] = 1_000
    change = measure.on(vector)
    assert [word.word for word in change.effect.words] == ["w2", "w3"]  # the others have not moved
    assert change.effect.words[0].shares == (0.01, 0.31)
    assert change.effect.word_share == pytest.approx(0.3, abs=0.03)
    assert change.ratio == pytest.approx(0.3 / Important().word_share, rel=0.1)
    assert measure.on(np.zeros(length, dtype=np.int64)).ratio == 0


def test_texts_that_come_in_runs_are_dependent() -> None:
    rng = np.random.default_rng(1)
    topics = np.repeat(rng.random((500, 20)) < 0.2, 20, axis=0)
    alone = rng.random((10_000, 20)) < 0.2
    for contains, least, most in ((topics, 12.0, 30.0), (alone, 1.0, 1.0)):
        whole, parts = WordDependence(20), WordDependence(20)
        whole.add(contains)
        for part in np.array_split(contains, 7):
            parts.add(part)
        assert whole.tau() == parts.tau()
        together, each = whole.tau()
        assert least <= together <= most
        assert least == 1.0 or min(each) > 8
