"""The V2 inference protocol: what a tensor says of itself is so, or it is refused by name, value and place."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.schemas.configuration import Configuration

from .test_last_net import answered
from .test_server import asked, serving
from .worlds import MODEL, prepare, publish, published, request, said, settings_of

PATH = f"/v2/models/{MODEL}/infer"


class Asking:
    """A server of a model with the features amount, colour and new."""

    def __init__(self, bus: EmbeddedBus, settings: Configuration, port: int) -> None:
        self._bus, self._settings, self._port = bus, settings, port

    def __call__(self, *inputs: Any, **more: Any) -> tuple[int, Any]:
        """Status, and the scores or the error."""
        status, answer = asked(self._port, PATH, {"inputs": list(inputs), **more})
        return status, answer["outputs"][0]["data"] if status == 200 else answer["error"]

    def served(self) -> int:
        """Predictions that were written."""
        return sum(map(len, said(self._bus, self._settings.topics.served).values()))


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    settings = settings_of(tmp_path_factory.mktemp("tensors"))
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        publish(bus, settings, published(settings, 500))
        with serving(bus, settings) as (_, port):
            yield Asking(bus, settings, port)


def tensor(data: list[Any], name: str = "amount", **more: Any) -> dict[str, Any]:
    return {"name": name, "data": data, **more}


REFUSED: list[tuple[list[Any], dict[str, Any], str]] = [
    ([tensor([1, 2, 3, 4, 5, 6], shape=[2, 3])], {}, "inputs.amount.shape: [2, 3] is neither [rows] nor [rows, 1], as it is one feature"),
    ([tensor([1, 2, 3], shape=[1, 3])], {}, "inputs.amount.shape: [1, 3] is neither"),
    ([tensor([1, 2], shape=[1])], {}, "inputs.amount.shape: [1] is not of as many values as data has, 2"),
    ([tensor([1], shape=[2, 1])], {}, "inputs.amount.shape: [2, 1] is not of as many values as data has, 1"),
    ([tensor([1], shape=[10**4_000])], {}, "inputs.amount.shape: [1000"),
    ([tensor([1], shape=[])], {}, "inputs.amount.shape: [] is neither"),
    ([tensor([1], shape=[-1])], {}, "inputs.amount.shape: [-1] is neither"),
    ([tensor([1], shape=1)], {}, "inputs.amount.shape: 1 is neither"),
    ([tensor([1], shape=[True])], {}, "inputs.amount.shape: [True] is neither"),
    ([tensor([1], shape=["1"])], {}, "inputs.amount.shape: ['1'] is neither"),
    ([tensor([1], shape=[1.0])], {}, "inputs.amount.shape: [1.0] is neither"),
    ([tensor([[1], [2]], shape=[2])], {}, "inputs.amount: one value a row is needed"),
    ([tensor([[1, 2]], shape=[1, 1])], {}, "inputs.amount: one value a row is needed"),
    ([tensor([1, 5.0], datatype="BYTES")], {}, "inputs.amount: '1' of row 0 is no BYTES"),
    ([tensor([1, "5"], datatype="FP64")], {}, "inputs.amount: '5' of row 1 is no FP64"),
    ([tensor([True], datatype="FP32")], {}, "inputs.amount: 'True' of row 0 is no FP32"),
    ([tensor([1, 5.5], datatype="INT64")], {}, "inputs.amount: '5.5' of row 1 is no INT64"),
    ([tensor([128], datatype="INT8")], {}, "inputs.amount: '128' of row 0 is no INT8"),
    ([tensor([-1], datatype="UINT64")], {}, "inputs.amount: '-1' of row 0 is no UINT64"),
    ([tensor([10**400], datatype="INT64")], {}, "inputs.amount: '1000"),
    ([tensor([10**400], datatype="FP64")], {}, "features.amount: '1000"),
    ([tensor([1], "new", datatype="BOOL")], {}, "inputs.new: '1' of row 0 is no BOOL"),
    ([tensor([1], datatype="FLOAT")], {}, "inputs.amount.datatype: 'FLOAT' is none of BOOL, UINT8"),
    ([tensor([1], datatype=["FP64"])], {}, "inputs.amount.datatype: \"['FP64']\" is none of BOOL"),
    ([tensor([5]), tensor([-5])], {}, "inputs[1].name: 'amount' is the name of inputs[0], too"),
    ([tensor(["red"], "colour"), tensor([5]), tensor([5])], {}, "inputs[2].name: 'amount' is the name of inputs[1], too"),
    ([tensor([5], "x"), tensor([5], "x")], {}, "inputs[1].name: 'x' is the name of inputs[0], too"),
    ([tensor([5, -5])], {"parameters": {"ids": ["a", "a"]}}, "parameters.ids: 'a' of row 1 is the id of row 0, too"),
    ([tensor([5, -5, 1])], {"parameters": {"ids": ["a", "b", "a"]}}, "parameters.ids: 'a' of row 2 is the id of row 0, too"),
    ([tensor([5], "amuont")], {}, "features: there is none in row 0, which has amuont; the model knows amount, colour, new"),
    ([tensor([5], "Amount"), tensor(["red"], "color")], {}, "features: there is none in row 0, which has Amount, color; the model knows"),
    ([tensor([5], "features.amount")], {}, "features: there is none in row 0, which has features.amount"),
    ([tensor([{}], "x" * 10_000)], {}, f"inputs.{'x' * 60}: one value"),
]


@pytest.mark.parametrize(("inputs", "more", "why"), REFUSED)
def test_what_does_not_agree_is_refused_by_name_value_and_place(asking: Asking, inputs: list[Any], more: dict[str, Any], why: str) -> None:
    before = asking.served()
    status, error = asking(*inputs, **more)
    assert (status, error[: len(why)]) == (400, why)
    assert len(error) < 300
    assert asking.served() == before


@pytest.mark.parametrize(
    "inputs",
    [
        [tensor([5.0, -5], shape=[2], datatype="FP64")],
        [tensor([[5.0], [-5]], shape=[2, 1], datatype="FP32")],
        [tensor([5, -5], shape=[2, 1], datatype="INT64")],
        [tensor([5, -5], datatype="INT8")],
        [tensor([[5], [-5]])],
        [tensor([5, -5]), tensor([None, None], "new", shape=[2], datatype="BOOL")],
        [tensor([5, -5]), tensor([None, "red"], "other", shape=[2], datatype="BYTES")],
    ],
)
def test_what_agrees_is_answered_row_by_row(asking: Asking, inputs: list[Any]) -> None:
    """Features that are not there are null; those that the model does not know are let be beside others."""
    status, scores = asking(*inputs)
    assert status == 200, scores
    assert scores[0] > 0.5 > scores[1]
    assert [asking(tensor([value]))[1] for value in (5, -5)] == [[score] for score in scores]


@pytest.mark.parametrize("features", [{"amuont": 5}, {"Amount": 5, "color": "red"}, {"features": {"amount": 5}}])
def test_misspelt_names_alone_are_refused_on_the_topic_too(tmp_path_factory: pytest.TempPathFactory, features: dict[str, Any]) -> None:
    settings = settings_of(tmp_path_factory.mktemp("names"))
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, settings)
        publish(bus, settings, published(settings, 500))
        beside = {**features, "amount": 5}
        found = answered(bus, settings, [request(settings, "a", features), request(settings, "b", beside)])
    assert found["a"].startswith(f"features: there is none in row 0, which has {', '.join(sorted(features))}; the model knows amount")
    assert found["b"] == ""
