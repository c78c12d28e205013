"""The benchmark of hostile messages, small: they cost only themselves."""

from .hostile import measure, problems

MESSAGES = 10_000


def test_hostile_messages_cost_only_themselves() -> None:
    # by this seed a name that is half a character stands where names are looked at, which are few
    alone, among = (measure(MESSAGES, seed=4, hostile=hostile) for hostile in (False, True))
    assert problems(MESSAGES, alone, among) == []
    assert among.others > MESSAGES / 4
    assert among.letters > 0
    assert among.fields > 0
    assert among.most - alone.most < 300_000_000
