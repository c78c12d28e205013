"""Two applications on one cluster: each has topics of its own, and where they share them each reads only what is its own."""

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.detector.settings import configuration_hash
from driftbus.consumers.pipeline.own_topics import create_topics, own_topics, topics_of_old
from driftbus.schemas.configuration import Configuration


def written(application: str, **more: object) -> Configuration:
    """As a user writes it, without a word about topics unless asked."""
    return Configuration.model_validate({"application": application, "streams": {"s": {"topics": ["t"]}}, **more})


@pytest.mark.parametrize("more", [{}, {"topics": {}}, {"topics": {"partitions": 2}}, {"topics": {"prefix": None}}])
def test_two_applications_have_no_topic_in_common(more: dict[str, object]) -> None:
    ours, theirs = ({topic.name for topic in own_topics(written(name, **more))} for name in ("fraud", "churn"))
    assert not ours & theirs
    assert "fraud.summaries" in ours


def test_a_prefix_that_is_written_holds() -> None:
    assert written("fraud", topics={"prefix": "driftbus"}).topics.drift == "driftbus.drift"


def test_topics_of_the_old_default_are_told_to_whom_they_may_belong() -> None:
    bus = EmbeddedBus(":memory:", "fraud", "one")
    assert topics_of_old(bus, written("fraud")) is None
    create_topics(bus, written("fraud", topics={"prefix": "driftbus"}))
    assert "write topics: {prefix: driftbus}" in (topics_of_old(bus, written("fraud")) or "")
    assert topics_of_old(bus, written("fraud", topics={"prefix": "driftbus"})) is None
    assert topics_of_old(bus, written("fraud", topics={"prefix": "ours"})) is None
    bus.close()


def test_what_another_consumer_reads_changes_no_event() -> None:
    before = written("fraud", models={"m": {"min_effect": 0.1}})
    trained = written("fraud", models={"m": {"min_effect": 0.1, "reference": {"file": "train.csv"}}}, artifacts="elsewhere")
    assert configuration_hash(before) == configuration_hash(trained)
    assert configuration_hash(before) != configuration_hash(written("fraud", models={"m": {"min_effect": 0.2}}))
    assert before.digest(streams=("pane",)) == written("fraud").digest(streams=("pane",))
    assert before.digest(models=("min_effect",)) != before.digest(models=("rate",))


def test_whose_a_feature_is_changes_no_event() -> None:
    def of(**whose: str) -> Configuration:
        return written("fraud", models={"m": {"features": {"owner": {"min_effect": 0.1, **whose}, "b*": whose}}})

    assert configuration_hash(of()) == configuration_hash(of(source="pos-terminal", owner="payments"))
    model = of(source="pos-terminal", owner="payments").models["m"]
    assert model.sources_of(["owner", "b1", "c"]) == {"owner": "pos-terminal", "b1": "pos-terminal"}
    assert model.owners_of(["c", "owner", "b1"]) == ("payments",)


def test_the_hash_of_today_stays() -> None:
    assert configuration_hash(written("a")) == "sha256:3e225203842671ad23c74b96ab5739984d1abdfc9ada33d770b1a3ab6ef78dda"
