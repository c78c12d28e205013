"""What the command line says of alerts, and that the page about them runs."""

import re
from pathlib import Path

import pytest
import yaml

from driftbus.consumers.process.settings import ConfigurationError, parsed

from ..actions.test_command import refused
from ..command.conftest import CONFIGURATION, User, user  # noqa: F401  # a fixture
from ..launcher.receivers import receiving
from .alertmanagers import alertmanager

PAGE = (Path(__file__).parents[2] / "docs/alerts.md").read_text(encoding="utf-8")
SECRET = "a-token-of-ours"
LIVE = CONFIGURATION.replace("clock: record", "clock: live").replace("  fraud:", "  eta: {}\n  fraud:")


def test_the_page_runs(user: User, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811  # the fixture
    """Its first block, with an Alertmanager and a receiver of JSON in the place of those that it names."""
    written, routes = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert yaml.safe_load(routes)["route"]["group_by"] == ["application", "model"]
    with alertmanager() as server, receiving("200") as receiver:
        address = receiver.address.removeprefix("http://")
        monkeypatch.setenv("TEAM_URL", f"json://user:{SECRET}@{address}/hook")
        Path("driftbus.yaml").write_text(LIVE + written.replace("http://127.0.0.1:9093", server.address))
        user.creates()
        said = user.says("check")
        assert f"alerts.oncall: what is moderate or worse goes to Alertmanager at {server.address}" in said
        assert "alerts.team: what is minor or worse of eta goes to the address of Apprise's in TEAM_URL" in said
        assert (server.posts, receiver.calls) == ([], []), "a check sends nothing"
        said += user.says("alerts", "test", "oncall") + user.says("alerts", "test", "team")
        assert SECRET not in said
        assert [one["annotations"]["summary"] for one in server.active()] == ["driftbus: a test"]
        assert b"driftbus: a test" in receiver.calls[0][3]
        server.away = True
        assert "oncall: Alertmanager at" in refused(user, "alerts", "test", "oncall")
        assert "alerts: nobody is not among oncall, team" in refused(user, "alerts", "test", "nobody")


def test_an_address_that_is_none_is_said_without_it(user: User, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811  # the fixture
    monkeypatch.setenv("TEAM_URL", f"nonsense://{SECRET}")
    Path("driftbus.yaml").write_text(LIVE + "alerts: {team: {apprise: {url_from: TEAM_URL}}, other: {apprise: {url_from: NOT_THERE}}}\n")
    user.creates()
    for words in (["check"], ["run", "alerter", "--until-end"], ["alerts", "test", "team"]):
        said = refused(user, *words)
        assert "alerts.team.apprise.url_from: what TEAM_URL holds is no address of Apprise's" in said
        assert SECRET not in said
        assert ("alerts.other.apprise.url_from: NOT_THERE is not set" in said) is (words == ["check"])


@pytest.mark.parametrize(
    ("alert", "says"),
    [
        ("{}", "alerts.a: nothing: write one of alertmanager, apprise"),
        ("{alertmanager: {url: http://example.org}}", r"alerts\.a\.alertmanager: url: what is wrong would go to example.org in the clear"),
        ("{alertmanager: {url: x}}", r"alerts\.a\.alertmanager\.url: .*is not an address"),
        ("{alertmanager: {url: http://localhost, headers: {Authorization: x}}}", r"alertmanager\.headers\.Authorization: is a secret"),
        ("{apprise: {url_from: json://x}}", r"alerts\.a\.apprise\.url_from"),
        ("{apprise: {url_from: X}, models: [none]}", r"alerts\.a\.models: 'none' is not among models: eta, fraud"),
        ("{apprise: {url_from: X}, severity: high}", r"alerts\.a\.severity"),
        ("{apprise: {url_from: X}, per_hour: 0}", r"alerts\.a\.per_hour"),
    ],
)  # fmt: skip
def test_what_would_never_work_is_refused_at_start(alert: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        parsed(f"{LIVE}alerts: {{a: {alert}}}\n")
