"""What texts unlike the training data are about."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.neighbours.about import about
from driftbus.detectors.neighbours.sketch import Sketch
from driftbus.detectors.profiling.texts import TextFilling
from driftbus.schemas.stored.reference import TextProfile

from .worlds import SHOP, SKY, sentences, tokens

_SKETCH = Sketch.of(["a"])
FLIGHTS = (("when is", "what is the status of", "where is the gate of"), ("my flight", "our plane"), ("to boston", "to oslo", "to rome"))
FOOD = (("book a table", "reserve dinner"), ("at the pizzeria", "at a sushi bar"), ("for two", "for the family", "with a view"))


def profile_of(texts: list[str]) -> TextProfile:
    filling = TextFilling()
    filling.look(texts, [True] * len(texts))
    filling.count(texts)
    filling.follow(texts)
    return filling.profile()


def test_groups_are_told_by_their_words_and_their_middle() -> None:
    texts = sentences(FLIGHTS, 60, 1) + sentences(FOOD, 40, 2)
    order = np.random.default_rng(0).permutation(len(texts)).tolist()
    mixed = [texts[place] for place in order]
    told = about(mixed, tokens().vectors(mixed), profile_of(sentences(SHOP, 1_000, 1)))
    assert told.distinct < 40
    assert told.texts == 100
    food = [group for group in told.groups if any("table" in mixed[example] or "dinner" in mixed[example] for example in group.examples)]
    flights = [group for group in told.groups if group not in food]
    assert 0.5 < sum(group.share for group in flights) <= 0.6
    assert 0.3 < sum(group.share for group in food) <= 0.4
    assert all(len({"table" in mixed[e] or "dinner" in mixed[e] for e in group.examples}) == 1 for group in told.groups)
    assert {"flight", "plane", "status", "gate"} & set(flights[0].words)


def test_the_references_own_words_tell_nothing() -> None:
    shop = sentences(SHOP, 1_000, 1)
    texts = [
        f"{what} and the parcel {when}" for what in ("a comet", "one comet", "this comet") for when in ("today", "yesterday", "in may")
    ]
    told = about(texts, Sketch.of(shop).vectors(texts), profile_of(shop))
    assert told.words[0] == "comet"
    assert not {"and", "the", "parcel", "yesterday"} & set(told.words)


def test_texts_without_spaces_are_told_by_pairs_of_characters() -> None:
    ends = ("ください", "。", "ほしい")
    texts = [f"{when}の天気予報を教えて{end}" for when in ("明日", "今日", "来週", "週末", "今夜") for end in ends]
    known = [f"{what}が{when}届いたか教えて{end}" for what in "本靴箱棚" for when in ("昨日", "今朝") for end in ends]
    told = about(texts, Sketch.of(texts).vectors(texts), profile_of(known))
    assert {"天気", "気予", "予報"} & set(told.groups[0].words)


def test_what_is_like_nothing_else_is_diffuse() -> None:
    texts = [" ".join(np.random.default_rng(seed).choice(list("abcdefghijklmnop"), 3)) + str(seed) * 4 for seed in range(30)]
    told = about(texts, np.eye(30, 64, dtype=np.int16) * 4_000)
    assert told.groups == ()
    assert told.diffuse == 1
    assert told.distinct == 30


def test_nothing_is_about_nothing() -> None:
    told = about([], np.zeros((0, 8), dtype=np.int16))
    assert told.texts == told.distinct == 0
    assert told.groups == ()
    assert told.words == ()
    assert told.diffuse == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=20), st.integers(1, 40))
def test_shares_add_up(texts: list[str], copies: int) -> None:
    many = texts * copies
    told = about(many, _SKETCH.vectors(many))
    assert told.texts == min(len(many), 400)
    assert abs(sum(group.share for group in told.groups) + told.diffuse - (1 if many else 0)) < 1e-9


def test_the_same_again_and_at_most_four_hundred_are_looked_at() -> None:
    texts = sentences(SKY, 600, 1)
    vectors = tokens().vectors(texts)
    assert about(texts, vectors) == about(texts[:400], vectors[:400])
