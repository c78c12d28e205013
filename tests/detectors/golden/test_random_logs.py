"""The fold of the golden topic, compared with its rules on random logs, and after compaction."""

import random
from collections import Counter

import pytest

from driftbus.detectors.golden.fold import Fold, Said
from driftbus.schemas.messages.golden import GoldenEvaluation

from ...oracle import golden as rules
from .records import refolded, request, result, started, written

ROWS = 60


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
        asked = request("probe", version, golden, draw.choice((None, *"1234")))
        probe: list[Said] = [asked, started("probe", 1, version), *result("probe", answers, 1, version)]
        [one] = [said for record in probe for said in again.feed(record)]
        copy = refolded([*log.values(), *probe])
        assert [one] == copy.said
        assert whole.evaluations("m") == restored.evaluations("m")
        [expected] = [said for record in probe for said in whole.feed(record)]
        assert one == expected
        whole = refolded(log.values())
