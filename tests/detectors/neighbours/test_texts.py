"""Texts and embeddings scored by their nearest neighbours in the training data."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.neighbours.calibration import Calibrated
from driftbus.detectors.neighbours.distinct import split
from driftbus.detectors.neighbours.embedder import Choice
from driftbus.detectors.neighbours.levels import FAR, UNLIKE
from driftbus.detectors.neighbours.parts import LONGEST, parts
from driftbus.detectors.neighbours.texts import UNSCORED, TextIndex
from driftbus.detectors.neighbours.vectors import LENGTH, embedded, whole

from .worlds import SHOP, SKY, directions, flags, sentences, tokens

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", params=["tokens", "sketch"])
def index(request: pytest.FixtureRequest) -> TextIndex:
    return TextIndex.built(sentences(SHOP, 4_000, 1), embedder=request.param, tokens=tokens())[0]


def pages(topic: Sequence[Sequence[str]], rows: int, seed: int) -> str:
    return ". ".join(sentences(topic, rows, seed))


def test_flags_and_scores_are_the_same_in_any_batch(index: TextIndex) -> None:
    texts = [*sentences(SHOP, 50, 2), *sentences(SKY, 10, 3), "", "  ", "a long text. " * 200]
    queries = index.read(texts)
    together, exact = flags(index, queries), index.exact(queries.vectors, None, queries.firsts)
    for batch in (1, 7, 1_000):
        split = [index.read(texts[first : first + batch]) for first in range(0, len(texts), batch)]
        assert np.array_equal(np.concatenate([flags(index, part) for part in split]), together)
        parts_exact = [index.exact(part.vectors, None, part.firsts) for part in split]
        for field in range(3):
            assert np.array_equal(np.concatenate([part[field] for part in parts_exact]), exact[field], equal_nan=field == 1)


def test_flags_say_what_the_p_values_say(index: TextIndex) -> None:
    queries = index.read([*sentences(SHOP, 600, 2), *sentences(SKY, 100, 3), "", "two\n\n" * 300])
    found, exact = flags(index, queries), index.exact(queries.vectors, None, queries.firsts)
    scored = found != UNSCORED
    assert np.array_equal(np.isnan(exact.p), ~scored)
    assert np.array_equal(found[scored], (exact.p[scored] <= UNLIKE).astype(int) + (exact.p[scored] <= FAR))
    assert np.all(exact.nearest[~scored] == -1)


def test_another_topic_is_flagged_and_the_known_one_is_not(index: TextIndex) -> None:
    new, known = flags(index, index.read(sentences(SKY, 200, 3))), flags(index, index.read(sentences(SHOP, 2_000, 2)))
    assert np.mean(new > 0) > 0.95
    assert np.mean(known > 0) < 0.07


def test_the_nearest_are_training_rows_in_the_order_of_their_products(index: TextIndex) -> None:
    training = sentences(SHOP, 4_000, 1)
    queries = index.read(sentences(SHOP, 50, 5))
    products = queries.vectors.astype(np.int64) @ index.vectors.astype(np.int64).T
    nearest = index.exact(queries.vectors).nearest
    for query in range(50):
        expected = sorted(range(len(index.rows)), key=lambda place: (-products[query, place], index.rows[place]))[:5]
        assert nearest[query].tolist() == index.rows[expected].tolist()
    assert np.array_equal(index.read([training[nearest[0][0]]]).vectors[0], index.vectors[np.flatnonzero(index.rows == nearest[0][0])[0]])


def test_an_index_is_stored_and_read_again(index: TextIndex) -> None:
    content = index.encoded()
    again = TextIndex.decoded(content, tokens())
    assert again.encoded() == content
    queries = index.read([*sentences(SHOP, 100, 2), *sentences(SKY, 20, 3)])
    assert np.array_equal(flags(again, queries), flags(index, queries))
    assert again.name == index.name


def test_an_index_of_other_token_vectors_is_refused() -> None:
    index, _ = TextIndex.built(sentences(SHOP, 400, 1), embedder="tokens", tokens=tokens())
    content = index.encoded()
    digits = tokens().files["weights"].encode()
    with pytest.raises(ValueError, match="not of the files of tokens/wordllama"):
        TextIndex.decoded(content.replace(digits, b"0" * 64), tokens())
    with pytest.raises(ValueError, match=r"not installed here: pip install 'driftbus\[ood\]'"):
        TextIndex.decoded(content)
    with pytest.raises(ValueError, match="no index"):
        TextIndex.decoded(b"\x00rubbish")


def test_the_same_files_in_another_release_are_the_same_embedder() -> None:
    index, _ = TextIndex.built(sentences(SHOP, 400, 1), embedder="tokens", tokens=tokens())
    content = index.encoded()
    release = tokens().name.partition("/")[2].partition("/")[0].encode()
    assert content.count(release) == 1
    older = TextIndex.decoded(content.replace(release, b"wordllama-" + b"0" * (len(release) - 10)), tokens())
    queries = index.read([*sentences(SHOP, 100, 2), *sentences(SKY, 20, 3)])
    assert np.array_equal(flags(older, queries), flags(index, queries))


def test_no_kernel_of_the_processor_and_no_number_of_threads_shows() -> None:
    running = []
    for kernel in ("Haswell", "SkylakeX", "Sandybridge"):
        for threads in ("1", "2"):
            environment = {**os.environ, "OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": threads}
            command = [sys.executable, "-m", "tests.detectors.neighbours.exactness"]
            running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True))
    told = {process.communicate(timeout=120)[0] for process in running}
    assert len(told) == 1
    assert len(told.pop().strip()) == 64


def test_duplicates_are_left_out_before_anything_is_held_out() -> None:
    distinct = sorted(set(sentences(SHOP, 3_000, 1)))
    told = [text.upper() if copy % 2 else f" {text}\n" for copy in range(5) for text in distinct]
    _, report = TextIndex.built(told, embedder="sketch", tokens=None)
    assert report.duplicates == 4 * len(distinct)
    assert report.reference + report.calibration == len(distinct)
    assert report.fresh < 0.09


def test_held_out_are_some_of_the_newest_half_and_others_are_compared_with_the_oldest() -> None:
    keys = [b"%d" % row for row in range(12_000)]
    times = np.arange(len(keys))[::-1].copy()
    found = split(keys, times, size=10_000, held_out=5_000)
    assert sorted(found.reference.tolist()) == list(range(6_000, 12_000))
    assert len(found.held_out) == 4_000
    assert found.held_out.max() < 6_000
    assert (np.diff(times[found.held_out]) > 0).all()
    hours = np.bincount(found.held_out // 250, minlength=24)
    assert hours.min() > 120, "all parts of the half: what is usual at another hour is not unlike"


def test_p_values_of_fresh_texts_are_uniform_within_their_class() -> None:
    texts = sorted(set(sentences(SHOP, 9_000, 1)))
    rng = np.random.default_rng(0)
    mixed = [texts[place] for place in rng.permutation(len(texts)).tolist()]
    classes = ["order" if "order" in text else "screw" if "screw" in text else "other" for text in mixed]
    fresh = 3_000
    index, _ = TextIndex.built(mixed[fresh:], embedder="sketch", classes=classes[fresh:])
    queries = index.read(mixed[:fresh])
    exact = index.exact(queries.vectors, classes[:fresh])
    for level in (0.05, 0.2, 0.5):
        for name in set(classes):
            here = np.array(classes[:fresh]) == name
            own = len(index.calibration.scores[index.calibration.codes([name], 1)[0]])
            error = np.sqrt(level * (1 - level) * (1 / here.sum() + 1 / own))
            assert abs(np.mean(exact.p[here] <= level) - level) < 4 * error


def test_the_embedder_is_chosen_by_tokens_per_word() -> None:
    english = TextIndex.built(sentences(SHOP, 500, 1), tokens=tokens())[1]
    assert english.embedder.startswith("tokens/wordllama")
    japanese = [
        f"注文した{what}が{when}届きました。{number}番です"
        for what in "本靴棚箱"
        for when in ("昨日", "今朝", "先週")
        for number in range(40)
    ]
    found = TextIndex.built(japanese, tokens=tokens())[1]
    assert found.embedder == "sketch/1024"
    assert "not a language of the token vectors" in found.why
    forced = TextIndex.built(japanese, embedder="tokens", tokens=tokens())[1]
    assert any("do not know this language" in told for told in forced.warnings)
    without = TextIndex.built(sentences(SHOP, 500, 1))[1]
    assert without.embedder == "sketch/1024"
    assert any("driftbus[ood]" in told for told in without.warnings)
    with pytest.raises(ValueError, match="no token vectors are installed"):
        TextIndex.built(sentences(SHOP, 500, 1), embedder="tokens")


def test_a_small_and_a_broad_reference_are_warned_of() -> None:
    narrow = TextIndex.built(sentences(SHOP, 2_000, 1), tokens=tokens())[1]
    assert narrow.everyday is not None
    assert narrow.everyday > 0.8
    assert [told.split(":")[0] for told in narrow.warnings] == ["too small"]
    index, _ = TextIndex.built(sentences(SHOP, 2_000, 1), tokens=tokens())
    assert index.share_flagged(sentences(SKY, 50, 1)) > 0.9


def test_embeddings_are_scored_as_texts_are() -> None:
    training = directions(4_000, 1)
    training[5], training[6, 3], training[7, 0] = 0, np.nan, np.inf
    index, report = TextIndex.of_embeddings(training)
    assert report.empty == 3
    odd = np.zeros((4, 24), dtype=np.float32)
    odd[1, 0], odd[2, 2], odd[3] = np.nan, -np.inf, 1e-42
    queries = index.given(np.concatenate([directions(500, 2), directions(500, 2, turned=True), odd]))
    found = flags(index, queries)
    assert np.mean(found[:500] > 0) < 0.09
    assert np.mean(found[500:1_000] > 0) > 0.9
    assert found[1_000:1_003].tolist() == [UNSCORED] * 3
    assert found[1_003] != UNSCORED
    assert TextIndex.decoded(index.encoded()).encoded() == index.encoded()
    with pytest.raises(ValueError, match="have 24 numbers"):
        index.given(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="asked of texts"):
        index.read(["a text"])


@pytest.mark.parametrize(
    "texts", [[], ["", " ", "\n"], ["one and the same text"] * 500, ["?"], ["\ud800"] * 3], ids=["none", "empty", "equal", "one", "broken"]
)
def test_too_few_distinct_texts_are_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="at least 40 are needed"):
        TextIndex.built(texts, tokens=tokens())


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(max_size=40), max_size=8), long=st.integers(0, 12_000))
def test_any_text_is_scored_or_said_not_to_be(texts: list[str], long: int) -> None:
    for embedder in _BOTH:
        index = _small(embedder)
        queries = index.read([*texts, "ä " * (long // 2), "\ud83d half", "\0"])
        found = flags(index, queries)
        assert len(found) == len(texts) + 3
        assert set(found.tolist()) <= {0, 1, 2, 3}
        assert np.isfinite(index.exact(queries.vectors, None, queries.firsts).scores).all()


_SMALL: dict[str, TextIndex] = {}
_BOTH: tuple[Choice, ...] = ("tokens", "sketch")


def _small(embedder: Choice) -> TextIndex:
    if embedder not in _SMALL:
        _SMALL[embedder] = TextIndex.built(sentences(SHOP, 300, 1), embedder=embedder, tokens=tokens())[0]
    return _SMALL[embedder]


@given(
    st.lists(
        st.lists(st.floats(width=64) | st.sampled_from([0.0, -0.0, 5e-324, 1.7e308, np.nan, np.inf]), min_size=3, max_size=3), max_size=6
    )
)
def test_whole_vectors_have_their_length_or_are_zero(rows: list[list[float]]) -> None:
    sums = np.array(rows, dtype=np.float64).reshape(-1, 3)
    vectors = whole(sums).astype(np.int64)
    lengths = np.sqrt((vectors**2).sum(axis=1))
    usable = np.isfinite(sums).all(axis=1) & sums.any(axis=1)
    assert np.all(np.abs(lengths[usable] - LENGTH) < 2)
    assert not lengths[~usable].any()
    assert np.array_equal(embedded(sums), vectors)
    for row in range(len(sums)):
        assert np.array_equal(whole(sums[row : row + 1])[0], vectors[row])


@given(st.text(alphabet="ab .\n。", max_size=4_000) | st.text(max_size=2_000))
def test_parts_are_the_text(text: str) -> None:
    cut = parts([text, "short", text])
    of_first = cut.texts[: cut.firsts[1]]
    assert "".join(of_first) == text
    assert max(map(len, of_first)) <= LONGEST * 3 // 2
    assert cut.texts[cut.firsts[1] : cut.firsts[2]] == ["short"]
    assert len(cut.firsts) == 4


@given(st.lists(st.integers(0, 30), min_size=1, max_size=300), st.integers(-1, 31), st.sampled_from([0.005, 0.01, 0.05, 0.2]))
def test_thresholds_are_what_p_values_say_with_ties_too(held_out: list[int], score: int, level: float) -> None:
    calibrated = Calibrated.of(np.array(held_out), None)
    p = calibrated.p(np.array([score]), np.array([0]))[0]
    assert p == (1 + sum(other <= score for other in held_out)) / (len(held_out) + 1)
    assert (score < calibrated.thresholds(level)[0]) == (p <= level)


@pytest.mark.parametrize("embedder", ["tokens", "sketch"])
def test_long_texts_are_as_unfamiliar_as_their_least_familiar_part(embedder: Choice) -> None:
    long, _ = TextIndex.built([pages(SHOP, 1 + seed % 2 * 29, seed) for seed in range(1_000, 2_100)], embedder=embedder, tokens=tokens())
    known = [pages(SHOP, 30, seed) for seed in range(100)]
    hidden = [". ".join([pages(SHOP, 15, seed), pages(SKY, 12, seed), pages(SHOP, 15, seed + 1)]) for seed in range(100)]
    assert {group for _, group in long.calibration.names} <= {0, 1, 2}
    mixed = [text for pair in zip(hidden, sentences(SHOP, 100, 7), strict=True) for text in pair]
    alone = [flags(long, long.read([text]))[0] for text in mixed]  # a short text has the calibration of short ones, whatever is beside it
    assert np.array_equal(alone, flags(long, long.read(mixed)))
    assert long.share_flagged(known) < 0.15
    assert long.share_flagged(hidden) > 0.9
