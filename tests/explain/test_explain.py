"""A post-mortem through the bus: from messages to a document, as HTML and as Markdown."""

import json
import re
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.watch import View
from driftbus.consumers.console.causes import ToldIncident, incidents
from driftbus.consumers.explain.drawing import Bar, Mark, Series, Span, bars, series, timeline
from driftbus.consumers.explain.html import html
from driftbus.consumers.explain.incident import post_mortem
from driftbus.consumers.explain.markdown import markdown
from driftbus.consumers.explain.said import Said
from driftbus.consumers.process.settings import load

from ..command.conftest import User, prepared
from ..command.test_event_line import OPENED
from ..command.test_watch import shown as screened
from ..command.test_watch import unfolded
from ..diagnoser.test_text import event
from .cases import HOSTILE, played

NAN = float("nan")
#: Of a page that fetches nothing and runs nothing.
FORBIDDEN = {"script", "img", "link", "iframe", "object", "embed", "form", "a", "base", "video", "audio"}


class Page(HTMLParser):
    """The elements of a file that are not closed, those that were, its headings and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("explained"), played)


@pytest.fixture
def told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody with two incidents."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTBUS_CONFIG", raising=False)
    return User().takes(folder)


def known() -> list[ToldIncident]:
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        return incidents(bus, configuration)


def test_an_incident_is_explained_and_so_is_its_episode(told: User) -> None:
    by_cause = {one.last.cause: one for one in known()}
    assert set(by_cause) == {"feature_recalibration", "feature_unavailability"}
    one = by_cause["feature_recalibration"].last
    text = told.says("explain", one.incident[:8])
    assert text == told.says("explain", one.incident)
    assert text == told.says("explain", one.episodes[0])
    page = Page(text)
    assert page.open == []
    assert not page.seen & FORBIDDEN
    assert not {name for name in page.attributes if name.startswith("on")} | (page.attributes & {"src", "href"})
    for part in ("arrives as", "x 100 (percent, cents)", "recognised constant", "promoted 1", "onset", "fraud.scored", HOSTILE[:8]):
        assert part in page.text, part
    assert text.count("<svg") == 3
    for drawing in re.findall("<svg.*?</svg>", text):
        ElementTree.fromstring(drawing)


def test_markdown_has_the_same_and_no_markup_of_names(told: User) -> None:
    one = next(one.last for one in known() if one.last.cause == "feature_unavailability")
    told.says("explain", one.incident, "--markdown", "--to", "post.md")
    said = Path("post.md").read_text()
    for part in ("# Feature unavailability of model `fraud 1`: `country`", "| threshold |", "## What to do", "| retraining | forbidden"):
        assert part in said, part
    outside = re.sub("`[^`]*`", "", said)
    assert not re.search(r"(?<!\\)[<>]", outside)
    tables = re.split("\n\n+", said)
    for table in (one for one in tables if one.startswith("|")):
        assert len({line.count("|") - line.count("\\|") for line in table.splitlines()}) == 1, table


def test_what_is_not_there_is_said(told: User) -> None:
    assert "there is no such episode" in told.says("explain", "nothing", code=1)


def test_an_episode_without_a_cause(told: User) -> None:
    episode = known()[0].last.episodes[0]
    configuration = load()
    with closing(open_bus(configuration)) as bus:
        bus.delete(configuration.topics.root_causes)
    said = told.says("explain", episode, "--markdown")
    assert "its cause is not known" in said
    assert "# Episode" in said


@pytest.mark.parametrize("status", ["suspected", "confirmed", "superseded", "withdrawn", "resolved"])
def test_hostile_names_and_nothing_stored(status: str) -> None:
    name = 'a"`<script>x</script>|\n\u202e![x](http://y)'
    scope = {"features": [name], "exchanged": {name: name}, "source": name, "owners": [name]}
    one = event(status=status, scope=scope, model=name, text=name, missing_evidence=[], superseded_by=name)
    document = post_mortem(ToldIncident((one, event(revision=3, status=status, scope=scope, text=name))), Said([], [], []), None)
    page, said = Page(html(document)), markdown(document)
    assert page.open == []
    assert not page.seen & FORBIDDEN
    assert "Windows are stored when" in page.text
    assert "\u202e" not in said + page.text
    assert "](" not in re.sub(r"\\.", "", re.sub("`[^`]*`", "", said))


@pytest.mark.parametrize(
    "drawn",
    [
        series(Series([], [], None, None, True, ("", "", ""))),
        series(Series([NAN, 0.1], [NAN], 0, 0.2, True, ("a", "b", "c"))),
        series(Series([0.0, 0.0], [0.0, -1e300, 1e300], 2, 0.0, False, ("<", "&", '"'))),
        bars([]),
        bars([Bar("<", 0.0, 0.0), Bar("x" * 99, 1.0, 0.0)]),
        timeline([], [], (0, 0), ("", "")),
        timeline([Span("<", 5, None, "then"), Span("b", 9, 2, "now")], [Mark("&", 5)], (5, 9), ("5", "9")),
    ],
)
def test_drawings_are_xml_whatever_they_show(drawn: str) -> None:
    ElementTree.fromstring(drawn)
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_causes_stand_beside_episodes(told: User) -> None:
    by_cause = {one.last.cause: one.last for one in known()}
    lost, cents = by_cause["feature_unavailability"], by_cause["feature_recalibration"]
    watched = told.says("watch", "--from-start", "--until-end")
    assert f"CONFIRMED   {lost.incident[:8]}  fraud/1  feature unavailability  `country` is null or missing more often" in watched
    shown = told.says("show", lost.episodes[0])
    assert f"cause: feature unavailability {lost.incident[:8]}; retraining: forbid" in shown
    assert lost.text in shown
    status = told.says("status")
    assert f"{cents.episodes[0][:8]} (feature recalibration {cents.incident[:8]})" in status
    assert "fraud: 3 of 7 causes can be confirmed; would add most: models.fraud.ood (31 of 129 test incidents need it)" in status
    checked = told.says("check")
    assert "causes that can be confirmed: data drift, feature recalibration, feature unavailability" in checked
    assert "may start without a person, once allowed: retraining on recomputed history (feature recalibration)" in checked
    found = json.loads(told.says("status", "--json"))
    assert {one["incident"] for one in found["causes"]} == {lost.incident, cents.incident}
    assert [one["confirmed"] for one in found["diagnosis"]] == [["data_drift", "feature_recalibration", "feature_unavailability"]]


def test_the_view_tells_the_cause_of_an_open_episode_until_it_is_over() -> None:
    view = View()
    cause = event(episodes=[OPENED.episode])
    view.add([OPENED, cause])
    assert "cause:featurerecalibration(confirmed)0b6f0b6f" in unfolded(screened(view))
    view.add([cause.model_copy(update={"status": "resolved", "revision": 3})])
    assert "cause:feature" not in unfolded(screened(view))
