"""Rules for personal data as they are written, and references that were built by others."""

from contextlib import closing

import pytest

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.settings import ConfigurationError, load, parsed

from ..streaming import everything
from .conftest import User, amounts, messages


def test_a_reference_of_other_rules_holds_no_row(user: User) -> None:
    """Nothing that the rules leave out is counted by it; one that is built anew holds."""
    user.creates()
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.configures("    false_alarms:", "    personal: {drop: [country]}\n    false_alarms:")
    user.publishes(messages(amounts(600, seed=2)))
    told = " ".join(user.says("check", code=1).split())
    assert "fraud/1: its reference was built by other rules for personal data, and holds no row: it holds country, which" in told
    user.says("run", "--until-end")
    with closing(open_bus(load())) as bus:
        told = str([event.content.get("text") for events in everything(bus, "fraud-watch.drift").values() for event in events])
    assert "model fraud/1 is not monitored" in told
    told = user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    assert "dropped: models.fraud.personal" in told
    assert "other rules" not in user.says("check")


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("{hash: [a]}", "models.m.personal: key: is missing"),
        ("{id: true}", "models.m.personal.key: is missing: by it the ids are hashed"),
        ("{id: true, key: SHORT_KEY}", "models.m.personal.key: SHORT_KEY has 6 characters"),
        ("{key: ABSENT_KEY}", "models.m.personal: key: nothing is hashed with it"),
        ("{hash: [a], key: ABSENT_KEY}", "models.m.personal.key: ABSENT_KEY is not set in the environment"),
        ("{hash: [a], key: SHORT_KEY}", "models.m.personal.key: SHORT_KEY has 6 characters, at least 16 hide anything"),
        ("{mask: {a: ['(x+)+y']}}", "a repetition without a bound"),
        ("{mask: {a: ['(a{1,9}){1,9}b']}}", "may be tried in too many ways"),
        ("{mask: {a: ['[']}}", "is no regular expression"),
        ("{mask: {a: ['a{0,9}']}}", "matches nothing, too"),
        ("{mask: {a: ['(?i)a']}}", "flags do not do here"),
        ("{mask: {a: []}}", "models.m.personal.mask.a"),
        ("{drop: [c]}, segments: {by: c}", "segments.by: c is dropped by personal.drop (c)"),
        ("{mask: {a: ['[0-9]{9}']}}, features: {a: {type: numeric}}", "features.a.type: numeric, and personal.mask makes it a text"),
    ],
)
def test_mistakes_are_told_with_their_path(rules: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parsed(f"application: a\nstreams: {{s: {{topics: [t]}}}}\nmodels: {{m: {{personal: {rules}}}}}", {"SHORT_KEY": "secret"})
    assert told in str(error.value)
    assert "secret" not in str(error.value)


def test_personal_ids_of_a_model_with_labels_need_the_key_of_these() -> None:
    text = "application: a\nstreams: {s: {topics: [t]}}\nlabels: {known: {topics: [k]}}\nmodels: {m: {labels: known, personal: {id: true}}}"
    with pytest.raises(ConfigurationError, match=r"labels\.known\.key: is missing: models\.m\.personal\.id"):
        parsed(text, {})
    own = parsed(text.replace("[k]}", "[k], key: IDS}"), {"IDS": "a key of ids, long enough"})
    assert own.hides_ids("m")
    assert own.withholds("s")
    assert own.withholds("known")


def test_a_mask_of_numbers_is_refused(user: User) -> None:
    user.configures("    features:", "    personal: {mask: {amount: ['[0-9]{9}']}}\n    features:")
    told = user.says("reference", "build", "fraud", "--from-start", "--dry-run", code=1)
    assert "models.fraud.personal.mask: amount is numeric, and patterns are of texts; drop it, or hash it" in told
