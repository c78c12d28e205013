"""What is wrong with an embedder's settings is said at the start, with the key."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftbus.consumers.calls.answers import Invalid
from driftbus.consumers.calls.embedding import LONGEST_TEXT, read, sent
from driftbus.consumers.pipeline.own_topics import check_topics, create_topics
from driftbus.consumers.pipeline.topology import asked_for
from driftbus.schemas.configuration import Configuration

from .worlds import PARTITIONS, TOPIC, memory

EMBEDDER = {"url": "https://embedder/embed", "name": "words", "revision": "1", "size": 4}
STREAM = {"topics": ["asked"], "mapping": {"text": "question", "embedding": "vector"}, "embedder": EMBEDDER}


def chosen(**streams: Any) -> Configuration:  # as the YAML holds them
    return Configuration.model_validate({"application": "watch", "streams": streams or {"s": STREAM}})


def test_everything_else_reads_what_it_writes() -> None:
    configuration = chosen()
    stream = configuration.streams["s"]
    assert stream.topics == configuration.inputs == ("watch.embeddings",)
    assert stream.embedder is not None
    assert stream.embedder.reads == "asked"
    assert asked_for(configuration)[0] == "embedder"
    assert Configuration.model_validate(configuration.model_dump()) == configuration
    assert "embedder" not in asked_for(chosen(s={"topics": ["asked"]}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topics": ["a", "b"]}, "embedder needs topics: it reads one"),
        ({"clock": "record"}, "embedder needs clock"),
        ({"mapping": {"embedding": "vector"}}, "embedder needs mapping.text"),
        ({"mapping": {"text": "question"}}, "embedder needs mapping.embedding"),
        ({"mapping": {"text": "question", "embedding": "a.b"}}, "embedder needs mapping.embedding"),
        ({"embedder": EMBEDDER | {"url": "http://elsewhere/embed"}}, "texts would go to elsewhere in the clear"),
        ({"embedder": EMBEDDER | {"url": "https://me:secret@embedder/"}}, "no names or passwords"),
        ({"embedder": EMBEDDER | {"template": {"input": "text"}}}, "no text stands in it"),
        ({"embedder": EMBEDDER | {"revision": ""}}, "revision"),
        ({"embedder": EMBEDDER | {"size": 1}}, "size"),
        ({"embedder": EMBEDDER | {"callable": "package.module:function"}}, r"streams.s.embedder\n.*url and callable: write one of"),
        ({"embedder": EMBEDDER | {"url": None}}, r"streams.s.embedder\n.*nothing: write one of url, callable, sentence_transformers"),
        ({"embedder": EMBEDDER | {"url": None, "callable": "module.function"}}, r"streams.s.embedder.callable\n.*write package.module:"),
        ({"embedder": EMBEDDER | {"url": None, "sentence_transformers": ""}}, r"streams.s.embedder.sentence_transformers"),
        ({"embedder": EMBEDDER | {"url": None, "callable": "a:b", "insecure": True}}, "insecure: only a server with a url has it"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        chosen(s={**STREAM, **changes})


def test_http_elsewhere_must_be_wanted() -> None:
    chosen(s={**STREAM, "embedder": EMBEDDER | {"url": "http://elsewhere/embed", "insecure": True}})


def test_one_stream_has_an_embedder() -> None:
    with pytest.raises(ValueError, match="s and t have an embedder each"):
        chosen(s=STREAM, t={**STREAM, "topics": ["other"]})


def test_rules_for_personal_data_and_an_embedder_exclude_each_other(tmp_path: Path) -> None:
    models = {"m": {"personal": {"drop": ["question"]}}}
    with pytest.raises(ValueError, match=r"models.m.personal: the embedder of streams.s is sent texts as they are"):
        Configuration.model_validate({"application": "watch", "streams": {"s": STREAM}, "models": models})


def test_what_it_writes_has_the_partitions_of_what_it_reads() -> None:
    bus, configuration = memory(), chosen()
    assert configuration.topics.embeddings not in create_topics(bus, configuration)
    bus.create(TOPIC, PARTITIONS + 1)
    assert create_topics(bus, configuration) == [configuration.topics.embeddings]
    assert bus.describe([configuration.topics.embeddings])[configuration.topics.embeddings].partitions == PARTITIONS + 1
    assert check_topics(bus, configuration) == []


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [],
        [[1, 2]],
        [[1, 2], [1]],
        [[1, 2], [1, "x"]],
        [[1, 2], None],
        [{"embedding": [1, 2], "index": 0}, {"embedding": [1, 2], "index": 0}],
        [{"embedding": [1, 2], "index": 2**70}, [1, 2]],
        [{"vector": [1, 2]}, {"vector": [1, 2]}],
        [1, 2],
    ],
)
def test_an_answer_that_is_none_is_refused(answer: object) -> None:
    with pytest.raises(Invalid):
        read(answer, 2, 2)


def test_no_vector_is_made_of_what_has_no_direction() -> None:
    found = read([[0, 0], [np.nan, 1], [np.inf, 1], [1e308, -1e308]], 4, 2)
    assert [one is not None for one in found] == [False, False, False, True]


def test_a_text_is_sent_as_json_can_hold_it() -> None:
    assert sent("a\ud800b") == "a?b"
    assert len(sent("x" * 10**6)) == LONGEST_TEXT
