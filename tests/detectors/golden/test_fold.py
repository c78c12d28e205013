"""The fold of the golden topic, compared with its rules on random logs, and after compaction."""

import random
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest

from driftbus.detectors.golden.fold import MOST_ANCHORS, MOST_ATTEMPTS, Fold, Said
from driftbus.schemas.messages.golden import GoldenEvaluation, GoldenRequest, GoldenResult, GoldenStarted

from ...oracle import golden as rules

CODES = {"timeout": -1, "error": -2, "invalid": -3}
ROWS = 60
HASH = "sha256:" + "0" * 63


def request(id_: str, version: str = "1", golden: str = "a", parent: str | None = None, *, spread: bool = False) -> GoldenRequest:
    return GoldenRequest(
        request=id_, model="m", version=version, golden=HASH + golden, cause="person", named=id_, parent=parent, spread=spread
    )


def started(id_: str, attempt: int = 1, version: str = "1") -> GoldenStarted:
    return GoldenStarted(request=id_, model="m", version=version, attempt=attempt)


def result(id_: str, answers: Iterable[int | str], attempt: int = 1, version: str = "1", chunks: int = 1) -> list[GoldenResult]:
    losses = np.array([CODES[one] if isinstance(one, str) else one for one in answers], dtype=np.int64)
    parts = np.array_split(losses, chunks)
    return [
        GoldenResult(
            request=id_,
            model="m",
            version=version,
            attempt=attempt,
            chunk=chunk,
            chunks=chunks,
            losses={"zero_one": part},
            places={"zero_one": 20},
        )
        for chunk, part in enumerate(parts)
    ]


def of_rules(record: rules.Requested | rules.Started | rules.Result, versions: dict[str, str], chunks: int) -> list[Said]:
    """The product's records of the rules'."""
    match record:
        case rules.Requested():
            return [request(record.id, record.version, record.golden, record.parent)]
        case rules.Started():
            return [started(record.id, record.attempt, versions[record.id])]
    return [*result(record.id, record.answers, record.attempt, versions[record.id], chunks)]


def told(one: GoldenEvaluation) -> rules.Evaluation:
    return rules.Evaluation(one.request, one.status, one.common, one.change_units, one.against, one.last_good, one.good)


def loss_of(draw: random.Random, level: int) -> int | str:
    return draw.choice(("timeout", "error", "invalid")) if draw.random() < 0.03 else max(0, level + draw.randrange(-3, 4))


@pytest.mark.parametrize("case", range(300))
def test_a_random_log_comes_to_what_the_rules_say(case: int) -> None:
    """Killed anywhere, asked twice, told twice, of several versions and sets, better and worse, with answers missing."""
    draw = random.Random(f"golden/{case}")
    requests = [
        rules.Requested(f"e{i}", draw.choice("123"), draw.choice("ab"), draw.choice((None, None, "1", "2")))
        for i in range(draw.randrange(1, 9))
    ]
    versions = {one.id: one.version for one in requests}
    deadly = {one.id for one in requests if draw.random() < 0.15}
    levels = {one.id: draw.choice((0, 10, 100, 103, 104, 105, 106, 200)) for one in requests}
    log: list[rules.Requested | rules.Started | rules.Result] = []
    records: list[Said] = []
    oracle, fold = rules.Golden(), Fold()
    expected, said = list[rules.Evaluation](), list[rules.Evaluation]()

    def write(record: rules.Requested | rules.Started | rules.Result) -> None:
        log.append(record)
        expected.extend(oracle.feed(record))
        for one in of_rules(record, versions, draw.choice((1, 1, 3))):
            records.append(one)
            for evaluation in fold.feed(one):
                said.append(told(evaluation))
                records.append(evaluation)
                assert fold.said == [evaluation]
                fold.feed(evaluation)

    for one in requests:
        for _ in range(draw.choice((1, 1, 2))):
            write(one)
    for _ in range(100):
        assert [(todo.request.request, todo.attempt) for todo in fold.todo()] == oracle.open()
        if not oracle.open():
            break
        id_, attempt = oracle.open()[0]
        if attempt is None:
            write(rules.Result(id_, oracle.attempt[id_], ()))
            continue
        write(rules.Started(id_, attempt))
        if id_ in deadly or draw.random() < 0.2:
            continue  # it died
        answered = rules.Result(id_, attempt - (draw.random() < 0.1), tuple(loss_of(draw, levels[id_]) for _ in range(ROWS)))
        write(answered)
        if draw.random() < 0.1:
            write(answered)
        if draw.random() < 0.1:
            write(requests[int(id_[1:])])
    assert said == expected
    assert Counter(one.id for one in said) == Counter({one.id: 1 for one in requests})
    assert [told(one) for one in refolded(records).evaluations("m")] == expected


def refolded(records: Iterable[Said]) -> Fold:
    fold = Fold()
    for record in records:
        fold.feed(record)
    return fold


def evaluated(
    fold: Fold, id_: str, answers: Iterable[int | str], version: str = "1", golden: str = "a", *, spread: bool = False
) -> GoldenEvaluation:
    return written(fold, [request(id_, version, golden, spread=spread), started(id_, 1, version), *result(id_, answers, 1, version)])[-1]


def written(fold: Fold, records: Iterable[Said]) -> list[GoldenEvaluation]:
    """Feed records, and what follows from them."""
    found = [one for record in records for one in fold.feed(record)]
    for one in found:
        fold.feed(one)
    return found


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
    assert evaluated(fold, "b", [0] * 20).verdict == "same"
    worse = evaluated(fold, "c", [0] * 19 + [1])
    assert (worse.verdict, worse.change) == ("worse", None)


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


def test_a_request_that_is_withdrawn_is_not_run() -> None:
    fold = Fold()
    fold.feed(request("e"))
    fold.gone(request("e").key.encode())
    assert not list(fold.todo())
    fold.gone(b"of nobody")
    fold.gone(None)


@pytest.mark.parametrize("case", range(60))
def test_a_compacted_topic_comes_to_the_same(case: int) -> None:
    """Tombstones written as the fold says, and whatever compaction leaves of what they are for: the next result is judged alike."""
    draw = random.Random(f"compacted/{case}")
    whole, log = Fold(), dict[str, Said]()
    for number in range(draw.randrange(1, 40)):
        id_, version, golden = f"e{number}", draw.choice("1234"), draw.choice("ab")
        answers = [loss_of(draw, draw.choice((100, 103, 106, 120))) for _ in range(ROWS)]
        records: list[Said] = [request(id_, version, golden), started(id_, 1, version), *result(id_, answers, 1, version)]
        found = written(whole, records)
        log |= {record.key: record for record in [*records, *found]}
        for key in whole.over():
            del log[key]
            whole.gone(key.encode())
        restored = refolded(log.values())
        assert not restored.over()
        assert [*restored.todo()] == [*whole.todo()] == []
        again = refolded(log.values())
        probe: list[Said] = [request("probe", version, golden), started("probe", 1, version), *result("probe", answers, 1, version)]
        [one] = [said for record in probe for said in again.feed(record)]
        copy = refolded([*log.values(), *probe])
        assert [one] == copy.said
        assert whole.evaluations("m") == restored.evaluations("m")
        [expected] = [said for record in probe for said in whole.feed(record)]
        assert one == expected
        whole = refolded(log.values())


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
