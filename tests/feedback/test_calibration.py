"""A calibration of what people said: never falling, within bounds, the same whatever the order; and refused where it is none."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.calibrations import FOLDER, UnusableCalibration, calibration_of
from driftbus.detectors.diagnosis.calibration import ENOUGH, Answered, confidence, fitted
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.form import NewerForm
from driftbus.schemas.identity import content_hash
from driftbus.schemas.stored.calibration import LEAST, MOST, Calibration

from ..streaming import configuration

CAUSES = st.sampled_from(["data_drift", "model_broken"])
#: Common ones, so that many are equal, and any.
SCORES = st.sampled_from([0.05, 0.6, 0.99]) | st.floats(0.0, 1.0)
ANSWERS = st.lists(st.builds(Answered, CAUSES, SCORES, st.booleans()), max_size=150)


@given(ANSWERS, st.integers(0, 9), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_it_never_falls_stays_within_bounds_and_depends_on_no_order(answers: list[Answered], seed: int, scores: list[float]) -> None:
    made = fitted(answers)
    shuffled = random.Random(seed).sample(answers, len(answers))
    assert fitted(shuffled).encoded() == made.encoded()
    assert Calibration.decoded(made.encoded()) == made
    for cause, curve in made.causes.items():
        own = [one for one in answers if one.cause == cause]
        assert (curve.confirmed + curve.rejected, curve.confirmed) == (len(own), sum(one.right for one in own))
        found = [confidence(curve, score) for score in sorted(scores)]
        assert found == sorted(found)
        assert LEAST <= found[0] <= found[-1] <= MOST


@pytest.mark.parametrize(
    ("right", "wrong", "is_there"), [(ENOUGH, 0, False), (0, ENOUGH, False), (ENOUGH - 2, 1, False), (ENOUGH - 1, 1, True)]
)
def test_a_cause_needs_enough_answers_of_both_kinds(right: int, wrong: int, is_there: bool) -> None:
    answers = [Answered("data_drift", 0.7, True)] * right + [Answered("data_drift", 0.6, False)] * wrong
    assert bool(fitted(answers).causes) == is_there


def test_it_is_how_often_a_score_was_right() -> None:
    answers = [Answered("data_drift", 0.6, number % 4 == 0) for number in range(40)]
    answers += [Answered("data_drift", 0.9, number % 4 != 0) for number in range(40)]
    curve = fitted(answers).causes["data_drift"]
    assert [confidence(curve, score) for score in (0.6, 0.75, 0.9)] == [0.25, 0.5, 0.75]


def chosen(folder: Path, named: str) -> Configuration:
    return configuration(artifacts=f"{folder}/artifacts", models={"m0": {"diagnosis": {"calibration": named}}})


def test_it_is_named_by_its_hash_or_by_a_file(tmp_path: Path) -> None:
    made = fitted([Answered("data_drift", number / 40, number > 20) for number in range(40)])
    store = ArtifactStore(f"{tmp_path}/artifacts")
    name = store.beside(FOLDER).put(made.encoded())
    (tmp_path / "made.json").write_bytes(made.encoded())
    for named in (name, str(tmp_path / "made.json")):
        found = calibration_of(chosen(tmp_path, named), "m0", store)
        assert found is not None
        assert (found.name, found.calibration) == (name, made)
    assert calibration_of(chosen(tmp_path, name), "another", store) is None


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b'{"causes": {"data_drift": {"scores": [], "confidence": [], "confirmed": 1, "rejected": 1}}}',
        b'{"causes": {"data_drift": {"scores": [0.1], "confidence": [1.0], "confirmed": 1, "rejected": 1}}}',
        b'{"causes": {"data_drift": {"scores": [0.1, 0.1], "confidence": [0.2, 0.3], "confirmed": 1, "rejected": 1}}}',
        b'{"causes": {"data_drift": {"scores": [0.1, 0.2], "confidence": [0.3, 0.2], "confirmed": 1, "rejected": 1}}}',
    ],
)
def test_what_is_none_is_refused_with_the_path_of_the_key(tmp_path: Path, content: bytes | None) -> None:
    named = tmp_path / "made.json"
    if content is not None:
        named.write_bytes(content)
    with pytest.raises(UnusableCalibration, match=r"^models\.m0\.diagnosis\.calibration: .*made\.json: "):
        calibration_of(chosen(tmp_path, str(named)), "m0", ArtifactStore(f"{tmp_path}/artifacts"))
    with pytest.raises(UnusableCalibration, match="has no sha256:0"):
        calibration_of(chosen(tmp_path, "sha256:" + "0" * 64), "m0", ArtifactStore(f"{tmp_path}/artifacts"))


def test_one_of_a_newer_form_is_not_guessed_at(tmp_path: Path) -> None:
    content = b'{"causes": {}, "form": 2}'
    (tmp_path / content_hash(content)[7:20]).write_bytes(content)
    with pytest.raises(NewerForm):
        calibration_of(chosen(tmp_path, str(tmp_path / content_hash(content)[7:20])), "m0", ArtifactStore(f"{tmp_path}/artifacts"))
