"""An embedder that is a function, or a model of a library: in a process of its own, and its vectors are facts like those of a server."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from driftbus.consumers.calls.answers import Erred, Invalid, TimedOut
from driftbus.consumers.calls.embedding import AskedEmbedder, UnusableEmbedder
from driftbus.consumers.calls.function import FunctionProcess, NotLoaded
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.detectors.neighbours.vectors import whole
from driftbus.schemas.configuration.embedder import Embedder

from .server import SIZE, vector
from .worlds import configured, embed, memory, messages, prepare, records

MODULE = "tests.embedder.functions"


def embedder(**keys: object) -> Embedder:
    return Embedder.model_validate({"name": "words", "revision": "1", "size": SIZE, "attempts": 1, "callable": f"{MODULE}:embeds", **keys})


@pytest.fixture
def function() -> Iterator[FunctionProcess]:
    with closing(FunctionProcess(f"{MODULE}:Model", "words")) as made:
        yield made


def test_messages_get_the_vectors_of_a_function(tmp_path: Path) -> None:
    bus, chosen, sent = memory(), configured(tmp_path, callable=f"{MODULE}:embeds"), messages(100)
    prepare(bus, chosen, sent)
    assert embed(bus, chosen).totals["embedded"] == len(sent)
    for one in records(bus, chosen.topics.embeddings):
        message = msgspec.json.decode(one.value or b"")
        assert message["vector"] == whole(vector(message["question"])[None])[0].tolist()
    assert embed(bus, chosen).totals["embedded"] == 0, "each once"


def test_a_text_that_it_raises_at_holds_nobody_up_and_costs_no_process(tmp_path: Path) -> None:
    with closing(AskedEmbedder(embedder())) as asked:
        found = asked.vectors(["a", "refused", "b"])
        assert [one is None for one in found] == [False, True, False]
        assert asked.answers


def test_an_instance_is_asked_by_its_encode(function: FunctionProcess) -> None:
    function.start(time.monotonic() + 60)
    (found,) = function.call([["a text"]], 1, time.monotonic() + 60)
    assert found == pytest.approx(vector("a text").tolist())


def test_what_raises_answers_again_and_what_dies_is_started_again(function: FunctionProcess) -> None:
    with pytest.raises(Erred, match="raised"):
        function.call([["refused"]], 1, time.monotonic() + 60)
    with pytest.raises(Invalid, match="1 answers for 2"):
        function.call([["a"]], 2, time.monotonic() + 60)
    with closing(FunctionProcess(f"{MODULE}:dies", most_starts=2)) as dying:
        for told in ("ended: it raised", "ended: it raised", "ended 2 times"):
            with pytest.raises(Erred, match=told):
                dying.call([["a"]], 1, time.monotonic() + 60)


def test_what_is_cut_answers_no_more(function: FunctionProcess) -> None:
    function.start(time.monotonic() + 60)
    function.cut()
    with pytest.raises(TimedOut):
        function.call([["a"]], 1, time.monotonic() + 60)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"callable": "nowhere:embeds"}, r"streams.s.embedder.callable: nowhere:embeds cannot be loaded: ModuleNotFoundError"),
        ({"callable": f"{MODULE}:absent"}, r"streams.s.embedder.callable: .*AttributeError.*'absent'"),
    ],
)
def test_what_cannot_be_loaded_is_told_with_its_key(keys: dict[str, object], told: str) -> None:
    with pytest.raises(UnusableEmbedder, match=told):
        AskedEmbedder(embedder(**keys)).start("streams.s.embedder")


def test_a_model_that_is_not_there_is_told_as_the_library_tells_it() -> None:
    with closing(FunctionProcess(f"{MODULE}:Model", "another")) as function, pytest.raises(NotLoaded) as told:
        function.start(time.monotonic() + 60)
    assert told.value.why == "OSError: no model of the name another"
    try:
        import sentence_transformers  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError:
        with pytest.raises(UnusableEmbedder, match=r'sentence_transformers: a/model cannot be loaded: .* install "driftbus\[sentence-'):
            AskedEmbedder(embedder(callable=None, sentence_transformers="a/model")).start("streams.s.embedder")


def test_the_role_ends_at_its_start_where_the_function_is_not_there(tmp_path: Path) -> None:
    bus, chosen = memory(), configured(tmp_path, callable=f"{MODULE}:absent")
    prepare(bus, chosen, [])
    with pytest.raises(UnusableEmbedder, match=r"streams.predictions.embedder.callable"):
        Pipeline(bus, chosen, ["embedder"])


def test_it_closes_in_the_middle_of_a_call(tmp_path: Path) -> None:
    bus, chosen = memory(), configured(tmp_path, callable=f"{MODULE}:hangs")
    prepare(bus, chosen, messages(10))
    pipeline = Pipeline(bus, chosen, ["embedder"])
    pipeline.turn()
    pipeline.close()
    assert records(bus, chosen.topics.embeddings) == []
