"""A model's state as plain data: read by a twin, it goes on to the last digit, and no content makes anything else."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from river import ensemble, forest, linear_model, naive_bayes, optim, preprocessing, tree
from river.datasets import synth

from driftbus.detectors.learning.state import RELEASE, Foreign, read, written

Rows = list[tuple[dict[str, float], bool]]

MODELS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.01)),
    "adam": lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.Adam(0.01)),
    "linear": lambda: preprocessing.StandardScaler() | linear_model.LinearRegression(),
    "softmax": lambda: preprocessing.StandardScaler() | linear_model.SoftmaxRegression(),
    "passive aggressive": linear_model.PAClassifier,
    "tree": lambda: tree.HoeffdingTreeClassifier(grace_period=50),
    "adaptive tree": lambda: tree.HoeffdingAdaptiveTreeClassifier(grace_period=50, seed=1),
    "forest": lambda: forest.ARFClassifier(n_models=3, seed=1),
    "bagging": lambda: ensemble.ADWINBaggingClassifier(tree.HoeffdingTreeClassifier(), n_models=3, seed=1),
    "bayes": naive_bayes.GaussianNB,
}
every_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def rows() -> Rows:
    found = synth.Agrawal(classification_function=0, seed=3).take(1_500)
    return [({name: float(value) for name, value in row.items()}, bool(label)) for row, label in found]


def taught(name: str, rows: Rows) -> Any:  # river gives no types
    model = MODELS[name]()
    for row, label in rows:
        model.learn_one(row, label)
    return model


@every_model
def test_what_is_read_goes_on_to_the_last_digit(name: str, rows: Rows) -> None:
    model, twin = taught(name, rows[:1_200]), taught(name, rows[:900])
    content = written(model)
    found = read(content, twin)
    assert written(found) == content
    for row, label in rows[1_200:]:
        assert found.predict_one(row) == model.predict_one(row)
        found.learn_one(row, label)
        model.learn_one(row, label)
    assert written(found) == written(model)


@every_model
def test_equal_models_are_the_same_bytes(name: str, rows: Rows) -> None:
    assert written(taught(name, rows[:400])) == written(taught(name, rows[:400]))


@pytest.mark.parametrize(
    "plain",
    [
        ["called", 0, "subprocess.Popen", [["list", 1, ["true"]]], None, None, None],
        ["new", 0, "pathlib.Path", [], None, None, None],
        ["partial", 0, ["function", 1, "builtins.eval"], ["tuple", 2, ["1"]], ["dict", 3, []]],
        ["class", 0, "os.system"],
        ["called", 0, "builtins.int", [["list", 1, []]], None, None, None],
        ["met", 5],
        ["unknown", 0],
        ["list"],
        [],
        "text",
        None,
    ],
)
def test_what_no_such_model_wrote_is_refused(plain: object, rows: Rows) -> None:
    with pytest.raises(Foreign):
        read(msgspec.msgpack.encode([RELEASE, plain]), taught("logistic", rows[:10]))


def test_what_another_release_wrote_is_refused(rows: Rows) -> None:
    content = msgspec.msgpack.encode(["0.1.0", None])
    with pytest.raises(Foreign, match=r"river 0\.1\.0"):
        read(content, taught("logistic", rows[:10]))


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x92", msgspec.msgpack.encode({"a": 1})])
def test_what_is_no_such_content_is_refused(content: bytes, rows: Rows) -> None:
    with pytest.raises(Foreign):
        read(content, taught("logistic", rows[:10]))


@pytest.mark.parametrize("name", ["logistic", "adaptive tree"])
def test_damage_is_refused_or_is_data(name: str, rows: Rows) -> None:
    twin, content = taught(name, rows[:900]), written(taught(name, rows[:300]))
    for place in range(0, len(content), max(len(content) // 60, 1)):
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        try:
            found = read(bytes(damaged), twin)
        except Foreign:
            continue
        assert type(found) is type(twin)
