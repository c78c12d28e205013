"""What can be told with what is there: more evidence never tells less."""

from itertools import combinations

from driftbus.detectors.diagnosis.deciding import NEEDS, SETTINGS, Kind, acted_on, adds_most, standings

KINDS: tuple[Kind, ...] = (*SETTINGS, "same_code")
SETS = [frozenset(some) for size in range(len(KINDS) + 1) for some in combinations(KINDS, size)]


def confirmed(there: frozenset[Kind]) -> set[str]:
    return {one.cause for one in standings(there) if one.confirmed}


def test_with_all_every_cause_is_confirmed_and_with_nothing_one() -> None:
    assert confirmed(frozenset(KINDS)) == set(NEEDS)
    assert confirmed(frozenset()) == {"feature_unavailability"}
    assert acted_on(frozenset()) == []


def test_more_never_tells_less() -> None:
    for there in SETS:
        for kind in KINDS:
            assert confirmed(there) <= confirmed(there | {kind})
        assert all(one.confirmed or one.because for one in standings(there))
        assert adds_most(there) not in there


def test_the_same_code_cannot_show_that_it_is_not() -> None:
    there: frozenset[Kind] = frozenset({"same_code", "arrivals"})
    assert confirmed(there) == {"data_drift", "feature_drift", "feature_recalibration", "feature_unavailability", "model_broken"}
    assert acted_on(there) == ["fine-tuning (data drift, feature drift)", "retraining on recomputed history (feature recalibration)"]
    assert adds_most(there) == "ood"
