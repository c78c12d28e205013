"""The fold of the golden topic, a rule a test."""

import pytest

from driftbus.detectors.golden.fold import MOST_ANCHORS, MOST_ATTEMPTS, Fold, Said
from driftbus.schemas.messages.golden import FROM_NOTHING

from .records import evaluated, refolded, request, result, started, written


def test_what_kills_its_runner_is_run_three_times_and_then_failed() -> None:
    fold = Fold()
    fold.feed(request("e"))
    attempts = []
    while (todo := next(fold.todo())).attempt is not None:
        attempts.append(todo.attempt)
        fold.feed(started("e", todo.attempt))
    assert attempts == [1, 2, 3] == list(range(1, MOST_ATTEMPTS + 1))
    [told_] = written(fold, result("e", (), attempt=3))
    assert told_.status == "failed"
    assert told_.verdict == "unknown"
    assert not list(fold.todo())


def test_rows_that_time_out_make_no_model_better_or_worse() -> None:
    """The four hardest of a hundred: the mean loss of the rows answered falls from 17.6 to 10."""
    fold = Fold()
    easy, hard = [10] * 96, [200] * 4
    evaluated(fold, "a", [*easy, *hard])
    found = evaluated(fold, "b", [*easy, *["timeout"] * 4])
    assert (found.status, found.verdict, found.common, found.change) == ("partial", "same", 96, 0.0)
    found = evaluated(fold, "c", [*["error"] * 4, *easy[4:], *hard])
    assert (found.status, found.verdict, found.common) == ("partial", "same", 96)


def test_four_percent_worse_every_time_is_told_at_the_second() -> None:
    fold, loss, told_ = Fold(), 1_000.0, []
    for number in range(5):
        told_.append(evaluated(fold, f"e{number}", [int(loss)] * 10))
        loss *= 1.04
    assert [one.verdict for one in told_] == ["first", "same", "worse", "worse", "worse"]
    assert {one.against for one in told_[1:]} == {"e0"}
    assert told_[-1].last_good == "e1", "it dates the onset"


def test_the_first_of_a_version_is_compared_with_its_parents_last_good_one() -> None:
    fold = Fold()
    evaluated(fold, "a", [100] * 20, version="1")
    evaluated(fold, "b", [50] * 20, version="2")
    [found] = written(fold, [request("c", "3", parent="1"), started("c", 1, "3"), *result("c", [102] * 20, version="3")])
    assert (found.against, found.verdict) == ("a", "same")
    assert evaluated(fold, "d", [102] * 20, version="4").against == "c", "without one, with the last good one"


@pytest.mark.parametrize("earlier", [(), ([150] * 20,), ([100] * 20, [150] * 20), ([90] * 20,), (["error"] * 20, [150] * 20)])
@pytest.mark.parametrize("parent", ["1", "never tested"])
def test_beside_its_parent_a_version_is_never_compared_with_itself(earlier: tuple[list[int | str], ...], parent: str) -> None:
    """However often it was tested before: by a person, or because it was deployed."""
    fold = Fold()
    evaluated(fold, "a", [100] * 20, version="1")
    for number, answers in enumerate(earlier):
        evaluated(fold, f"e{number}", answers, version="2")
    records: list[Said] = [request("b", "2", parent=parent), started("b", 1, "2"), *result("b", [150] * 20, version="2")]
    [found] = written(fold, records)
    assert (found.against, found.against_version, found.verdict, found.change) == ("a", "1", "worse", 0.5)
    own = next((one for one in fold.evaluations("m") if one.version == "2" and one.status != "failed"), found)
    second = written(fold, [request("c", "2", parent=parent, spread=True), started("c", 1, "2"), *result("c", [150] * 20, version="2")])[-1]
    assert (second.against, second.against_version) == (own.request, "2"), "two runs of one model are compared with each other"
    assert evaluated(fold, "d", [150] * 20, version="2").against == own.request, "one that serves is watched by its own first run"


def test_where_no_other_version_was_tested_the_first_beside_a_parent_is_a_first() -> None:
    fold = Fold()
    evaluated(fold, "a", [100] * 20, version="2")
    [found] = written(fold, [request("b", "2", parent="1"), started("b", 1, "2"), *result("b", [150] * 20, version="2")])
    assert (found.verdict, found.against, found.against_version) == ("first", None, None)


def test_a_failed_one_changes_nothing() -> None:
    fold = Fold()
    evaluated(fold, "a", [100] * 20)
    failed = evaluated(fold, "b", ["timeout"] * 2 + [900] * 18)
    assert (failed.status, failed.verdict, failed.good) == ("failed", "unknown", False)
    assert evaluated(fold, "c", [100] * 20).last_good == "a"


def test_two_runs_at_registration_widen_the_tolerance() -> None:
    fold = Fold()
    evaluated(fold, "a", [100] * 20)
    second = evaluated(fold, "b", [104] * 20, spread=True)
    assert second.spread == 40_000
    assert evaluated(fold, "c", [111] * 20).verdict == "same", "less than three times the spread"
    assert evaluated(fold, "d", [112] * 20).verdict == "worse"


def test_a_perfect_model_that_stays_perfect_is_not_worse() -> None:
    fold = Fold()
    evaluated(fold, "a", [0] * 20)
    same = evaluated(fold, "b", [0] * 20)
    assert (same.verdict, same.change) == ("same", 0.0)
    losing: list[list[int | str]] = [[*[0] * 19, 1], [2**20] * 20, [1, "timeout", *[0] * 18]]
    for number, lost in enumerate(losing):
        worse = evaluated(fold, f"c{number}", lost)
        assert (worse.verdict, worse.change) == ("worse", FROM_NOTHING), "of no loss nobody knows a share, and any is more than was"


def test_results_of_other_attempts_do_not_count() -> None:
    fold = Fold()
    assert not written(fold, [request("e"), started("e", 1), started("e", 2), *result("e", [1] * 20, attempt=1)])
    assert written(fold, result("e", [2] * 20, attempt=2))


def test_parts_of_two_attempts_are_not_put_together() -> None:
    fold = Fold()
    old, new = result("e", [1] * 20, attempt=1, chunks=2), result("e", [2] * 20, attempt=2, chunks=2)
    assert not written(fold, [request("e"), started("e", 1), old[0], started("e", 2), new[1], old[0]])
    [found] = written(fold, [new[0]])
    assert fold.answers("e") is not None
    assert found.metrics["accuracy"] == 1 - 2 / 2**20


def test_a_result_counts_when_all_of_it_is_there() -> None:
    fold = Fold()
    first, second = result("e", range(20), chunks=2)
    assert not written(fold, [request("e"), started("e"), second])
    [found] = written(fold, [first])
    assert found.rows == 20
    assert fold.answers("e") is not None
    assert fold.answers("e").tolist() == list(range(20))  # type: ignore[union-attr]  # it is there


def test_a_result_that_is_told_twice_is_judged_once() -> None:
    fold = Fold()
    records: list[Said] = [request("e"), started("e"), *result("e", [1] * 20), *result("e", [1] * 20)]
    assert len([one for record in records for one in fold.feed(record)]) == 1
    assert len(fold.said) == 1


def test_an_evaluation_on_the_topic_holds_as_it_was_said() -> None:
    """What it was made of may be gone: nobody makes it anew."""
    fold = Fold()
    evaluated(fold, "a", [100] * 20)
    records: list[Said] = [request("b"), started("b"), *result("b", [100] * 20)]
    [said] = [one for record in records for one in fold.feed(record)]
    fold.feed(said.model_copy(update={"good": False, "verdict": "worse"}))
    assert evaluated(fold, "c", [100] * 20).last_good == "a"


def test_what_can_no_longer_matter_is_to_become_tombstones() -> None:
    fold = Fold()
    for name in "abcd":
        evaluated(fold, name, [100] * 20)
    over = {*fold.over()}
    assert over == {record.key for name in "bc" for record in (request(name), started(name), *result(name, [1] * 20))}
    assert [fold.answers(name) is not None for name in "abcd"] == [True, False, False, True]


def test_a_request_that_is_withdrawn_is_not_run() -> None:
    fold = Fold()
    fold.feed(request("e"))
    fold.gone(request("e").key.encode())
    assert not list(fold.todo())
    fold.gone(b"of nobody")
    fold.gone(None)


def test_a_request_that_comes_again_is_not_run_again() -> None:
    fold = Fold()
    evaluated(fold, "a", [1] * 20)
    evaluated(fold, "b", [1] * 20)
    fold.gone(request("a").key.encode())
    fold.feed(request("b"))
    assert not list(fold.todo())


def test_a_request_that_stands_behind_its_own_records_is_the_same() -> None:
    """Asked again while it ran: the record of its key that a compacted topic keeps is the last."""
    fold = Fold()
    written(fold, [started("e", 1), started("e", 2), request("e")])
    assert [(todo.request.request, todo.attempt) for todo in fold.todo()] == [("e", 3)]
    expected = Fold()
    [told_] = written(expected, [request("e"), started("e"), *result("e", [7] * 20)])
    other = Fold()
    assert written(other, [started("e"), *result("e", [7] * 20), request("e")]) == [told_]
    done = refolded([started("e"), *result("e", [7] * 20), told_, request("e")])
    assert not list(done.todo())
    assert evaluated(done, "f", [7] * 20).against == "e"


def test_anchors_of_many_versions_are_bounded() -> None:
    fold = Fold()
    for number in range(MOST_ANCHORS + 10):
        evaluated(fold, f"e{number}", [100] * 20, version=str(number))
    kept = [number for number in range(MOST_ANCHORS + 10) if fold.answers(f"e{number}") is not None]
    assert kept == list(range(10, MOST_ANCHORS + 10))
    assert evaluated(fold, "again", [120] * 20, version="0").against == f"e{MOST_ANCHORS + 9}"
