"""Episodes as their events tell them, and their picture."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import pytest

from driftbus.consumers.replay.picture import MORE, Mark, draw, episodes, label, moment
from driftbus.schemas.messages.drift import DriftedSignal, DriftEvent, Effect, Histogram, Severity, Status

YEAR = (moment("2013-01-01T00:00:00Z"), moment("2014-01-01T00:00:00Z"))


def signal(name: str, *, open_: bool = True) -> DriftedSignal:
    return DriftedSignal(
        name=name,
        role="feature",
        open=open_,
        share=0.5,
        change="mean up",
        log_evidence=12,
        effect=Effect(ks=0.3),
        reference=Histogram(),
        current=Histogram(),
        rows=500,
    )


def event(episode: str, sequence: int, status: Status, hour: str, *signals: DriftedSignal, severity: Severity = "major") -> DriftEvent:
    return DriftEvent(
        episode=episode,
        sequence=sequence,
        status=status,
        model="nyc-late",
        version="1",
        stream="flights",
        reference="sha256:0",
        kind="input",
        bucket=(f"2013-{hour}:00:00Z", f"2013-{hour}:59:00Z"),
        onset="2013-02-01T00:00:00Z",
        signals=signals,
        detector="esr",
        budget="1 per 365d",
        severity=severity,
        complete=True,
        clock_decided=False,
        configuration="sha256:0",
    )


EVENTS = [
    event("b", 0, "opened", "05-02T10", signal("temp")),
    event("a", 0, "opened", "02-08T21", signal("precip")),
    event("a", 1, "updated", "02-08T22", signal("precip"), signal("score")),
    event("a", 2, "updated", "02-09T03", signal("precip", open_=False), signal("score")),
    event("a", 3, "resolved", "02-11T03", signal("precip", open_=False), signal("score", open_=False)),
]


def test_an_episode_tells_how_long_each_signal_was_in_it() -> None:
    first, second = episodes(EVENTS)
    assert (first.first.episode, second.first.episode) == ("a", "b")
    assert first.spans == {
        "precip": (moment("2013-02-01T00:00:00Z"), moment("2013-02-09T03:59:00Z")),
        "score": (moment("2013-02-08T22:59:00Z"), moment("2013-02-11T03:59:00Z")),
    }
    assert first.resolved == moment("2013-02-11T03:59:00Z")
    assert second.resolved is None
    assert second.spans["temp"].end is None


def test_a_picture_has_a_panel_for_every_run_even_a_quiet_one(tmp_path: Path) -> None:
    path = tmp_path / "drift.png"
    draw(path, {"January": EVENTS, "rebuilt": []}, YEAR, [Mark(moment("2013-03-15T00:00:00Z"), moment("2013-03-22T00:00:00Z"), "Celsius")])
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


#: Name, segment, what is watched: alike, if they were only joined.
ALIKE: dict[str, list[tuple[str, str | None, str]]] = {
    "of": [("a (ids)", None, "values"), ("a", None, "ids")],
    "of ours": [("(ids)", None, "values"), ("(ids)", None, "ids"), ("(ids) (ids)", None, "values")],
    "segment": [("a [x]", None, "values"), ("a", "x", "values")],
    "both": [
        ("a [x] (ids)", None, "values"),
        ("a [x]", None, "ids"),
        ("a", "x", "ids"),
        ("a (ids) [x]", None, "values"),
        ("a (ids)", "x", "values"),
    ],
    "brackets in a segment": [("a [x", "y", "values"), ("a", "x [y", "values"), ("a [x] [y]", None, "values"), ("a", "x] [y", "values")],
    "quotes": [('"a [x]"', None, "values"), ("a [x]", None, "values"), ('"', None, "values"), ('\\"', None, "values")],
    "more": [("and more", None, "values"), (MORE, "x", "values"), ("a\n)", None, "values"), ("a\n", None, "values")],
}


@pytest.mark.parametrize("what", ALIKE)
def test_no_two_signals_have_one_line(what: str) -> None:
    signals = [
        signal(name).model_copy(update={"segment": segment, "of": of, "role": "row" if name == f"({of})" else "feature"})
        for name, segment, of in ALIKE[what]
    ]
    (told,) = episodes([event("a", 0, "opened", "05-02T10", *signals).model_copy(update={"more_signals": 1})])
    assert len(told.spans) == len(signals) + 1
    assert label(signal("temp")) == "temp"
    assert label(signal("(volume)").model_copy(update={"of": "volume", "role": "row"})) == "(volume)"


@pytest.mark.parametrize("name", ["price $ per $", r"$\frac{$", r"a\$b$", "100 $"])
def test_dollars_are_no_formula(tmp_path: Path, name: str) -> None:
    mark = Mark(moment("2013-03-15T00:00:00Z"), moment("2013-03-22T00:00:00Z"), f"mark {name}")
    _, words = drawn(tmp_path, [event("a", 0, "opened", "05-02T10", signal(name))], [mark], title=f"title {name}")
    assert {name, f"title {name}", f"mark {name}"} <= set(words)


def drawn(tmp_path: Path, events: list[DriftEvent], marks: Sequence[Mark] = (), title: str = "January") -> tuple[set[str], list[str]]:
    """The colours of the bars, and the words of the legend, of a picture: as SVG, where both can be read."""
    path = tmp_path / "drift.svg"
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        draw(path, {title: events}, YEAR, marks)
    text = path.read_text(encoding="utf-8")
    return set(re.findall(r"fill: (#[0-9a-f]{6})", text)), re.findall(r"<text[^>]*>([^<]*)</text>", text)


def test_colour_says_severity_where_there_is_more_than_one(tmp_path: Path) -> None:
    minor = event("c", 0, "opened", "06-01T10", signal("dewp"), severity="minor")
    of_one, words_of_one = drawn(tmp_path, EVENTS)
    of_two, words_of_two = drawn(tmp_path, [*EVENTS, minor])
    assert not of_one & {"#d1344b", "#9aa5b1"}
    assert "in drift, from the onset on: every one major" in words_of_one
    assert of_two >= {"#d1344b", "#9aa5b1"}
    assert {"in drift, from the onset on: minor", "in drift, from the onset on: major"} <= set(words_of_two)


def test_the_legend_names_events_and_marks(tmp_path: Path) -> None:
    fault = Mark(moment("2013-03-15T00:00:00Z"), moment("2013-03-22T00:00:00Z"), "Celsius")
    _, words = drawn(tmp_path, EVENTS, [fault])
    assert any("opened" in word for word in words)
    assert any("resolved" in word for word in words)
    assert "Celsius" in words
    _, quiet = drawn(tmp_path, [], [fault])
    assert not any("opened" in word for word in quiet)


def test_without_matplotlib_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.dates", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RuntimeError, match=r"driftbus\[plot\]"):
        draw(tmp_path / "drift.png", {}, YEAR)
