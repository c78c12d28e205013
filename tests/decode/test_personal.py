"""Rules for personal data: the same of a value in a reference's source and in a message, whatever it is."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.decode.interface import MARKS
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.decode.personal import Keys, ModelRules, Rule, UnusableKey, key_id, key_of, plain_reason
from driftbus.consumers.decode.scalars import FieldType, classify
from driftbus.schemas.configuration import Personal
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.configuration.patterns import bounded
from driftbus.schemas.stored.reference import AvailabilityProfile, FieldRule, ProfiledField

KEY = b"0123456789abcdef"
HASH, MASK = Rule(KEY), Rule(pattern=re.compile("[0-9]{4,9}|x"))
KEYS = Keys({key_id(KEY): KEY})
SCALARS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats() | st.text("ax0123\ud800é ", max_size=12)
JSON = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=2), SCALARS, max_size=1)
AVAILABLE = AvailabilityProfile(counts=(1, 0, 0, 0))


def field(name: str, type_: FieldType, rule: FieldRule | None) -> ProfiledField:
    return ProfiledField(name=name, type=type_, availability=AVAILABLE, rule=rule)


@given(value=JSON, rule=st.sampled_from([HASH, MASK]), type_=st.sampled_from(["categorical", "text"]))
def test_a_source_and_a_message_make_the_same_of_a_value(value: object, rule: Rule, type_: FieldType) -> None:
    if type_ == "text" and not isinstance(value, str):
        return  # invalid, as text and as its hash
    (live,) = rule.column([classify(type_, False, value)])
    assert classify(type_, False, rule.of(value)) == live


@given(values=st.lists(st.none() | st.text(max_size=9) | st.integers() | st.booleans() | st.lists(st.integers(), max_size=1), max_size=6))
def test_the_fast_and_the_tolerant_path_are_ruled_alike(values: list[object]) -> None:
    fields = [field("a", "categorical", FieldRule(hash=key_id(KEY))), field("b", "categorical", FieldRule(mask=("[0-9]{2,9}",)))]
    decoder = JSONDecoder(Mapping(), keys=KEYS)
    payloads: list[bytes | None] = [msgspec.json.encode({"features": {"a": value, "b": value}}) for value in values]
    together = decoder.columns(fields, payloads)
    spoilt: list[bytes | None] = [(one or b"")[:-1] + b', "x": NaN}' for one in payloads]
    assert [list(column) for column in together.categorical] == [list(column) for column in decoder.columns(fields, spoilt).categorical]
    for value, hashed in zip(values, together.categorical[0], strict=True):
        assert hashed in tuple(MARKS) or re.fullmatch("#[0-9a-f]{16}", str(hashed)), value


def test_a_hash_needs_the_key() -> None:
    with pytest.raises(KeyError):
        JSONDecoder(Mapping()).columns([field("a", "categorical", FieldRule(hash=key_id(KEY)))], [b'{"features": {"a": "x"}}'])
    assert Rule(KEY).of_text("x") != Rule(b"fedcba9876543210").of_text("x")
    assert "0123" not in repr(Rule(KEY))


def test_references_of_other_rules_are_told_apart() -> None:
    rules = ModelRules("m", Personal(drop=("ssn",), hash=("customer",), mask={"q*": ("x",)}, key="K"), {"K": KEY.decode()})
    hashed, masked = FieldRule(hash=key_id(KEY)), FieldRule(mask=("x",))
    good = [field("customer", "categorical", hashed), field("question", "text", masked), field("amount", "numeric", None)]
    assert rules.amiss(good) is None
    for bad, told in (
        (field("ssn", "categorical", None), "it holds ssn"),
        (field("customer", "categorical", None), "customer is not hashed"),
        (field("customer", "categorical", FieldRule(hash="00")), "another key"),
        (field("question", "text", FieldRule(mask=("y",))), "question is not masked"),
        (field("amount", "categorical", masked), "does not say so"),
    ):
        assert told in (rules.amiss([*good, bad]) or "")
    assert "hashed in it" in (ModelRules("m", Personal()).amiss(good) or "")


@given(features=st.dictionaries(st.sampled_from(["ssn", "customer", "question", "amount"]), JSON))
def test_what_is_shown_is_as_the_rules_leave_it(features: dict[str, object]) -> None:
    rules = ModelRules("m", Personal(drop=("ssn",), hash=("customer",), mask={"question": ("[0-9]{1,9}",)}, key="K"), {"K": KEY.decode()})
    shown = rules.shown(features)
    assert shown.keys() == features.keys() - {"ssn"}
    assert not re.search("[0-9]", str(shown.get("question")))
    assert re.fullmatch("#[0-9a-f]{16}|None", str(shown.get("customer")))


@pytest.mark.parametrize("value", ["4111 \ud800", ["4111"], {"card": "4111"}, [4111], {"4111": None}])
def test_what_no_rule_can_be_applied_to_is_not_shown(value: object) -> None:
    """A text with half a character in it, as JavaScript cuts them, is none that could be masked."""
    for rule in (Rule(pattern=re.compile("[0-9]{4}")), Rule(KEY)):
        assert rule.seen(value) is None
    assert Rule().seen(value) == value


def test_keys_are_long_enough_and_of_any_length() -> None:
    assert len(key_of("p", "K", {"K": "k" * 100})) == 64
    for environment in ({}, {"K": ""}, {"K": "short"}):
        with pytest.raises(UnusableKey, match=r"^p: K "):
            key_of("p", "K", environment)


@given(value=st.none() | st.binary(max_size=40) | JSON.map(lambda one: repr(one).encode(errors="replace")))
def test_a_plain_reason_holds_nothing_of_the_record(value: bytes | None) -> None:
    said = plain_reason(value)
    assert said == "the mapping does not find what it needs" or said.startswith("it cannot be read: ")


@pytest.mark.parametrize(
    "pattern",
    [
        "[0-9]{13,19}",
        r"[\w.+-]{1,64}@[\w-]{1,63}([.][\w-]{1,63}){1,5}",
        r"([0-9]{1,3}[.]){3}[0-9]{1,3}",
        r"\b[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2,7}",
        r"\+?[0-9][0-9 ()/-]{6,20}[0-9]",
    ],
)
def test_patterns_that_people_write_are_taken(pattern: str) -> None:
    assert bounded(pattern) == pattern


@pytest.mark.parametrize(
    "pattern", ["(a|a){1,30}b", "(a?){30}a{30}", "(a{1,9}b?){1,9}c", "a+", "(?=a)b", r"(a)\1", "x{5000}", "(a{1,2}){1,64}!"]
)
def test_patterns_that_may_take_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(pattern))):
        bounded(pattern)
