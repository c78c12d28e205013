"""A secret of a webhook that is none is told at start, and by a check, by its key: never by what stands there."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import load

from ..actions.test_command import refused
from ..command.conftest import CONFIGURATION, User, user  # noqa: F401  # a fixture
from .receivers import receiving
from .test_webhook import SECRETS, at, launcher_of

LIVE = CONFIGURATION.replace("clock: record", "clock: live")
#: Key, what stands there, what is said of it. ``FILE``: it stands in a file.
WRONG = [
    ("secret", "a-secret", "it is no secret of Standard Webhooks"),
    ("secret", "whsec_c2hvcnQ=", "it is no secret of Standard Webhooks"),
    ("secret", "whsec_a-secret!", "it is no secret of Standard Webhooks"),
    ("secret", "FILE a-secret", "it is no secret of Standard Webhooks"),
    ("secret", "file:nowhere", "cannot be read: FileNotFoundError"),
    ("former_secret", "a-secret", "it is no secret of Standard Webhooks"),
    ("former_secret", "FILE whsec_c2hvcnQ=", "it is no secret of Standard Webhooks"),
    ("former_secret", "FILE a-secret\nX-Evil: 1", "one line of ASCII"),
    ("headers.X-Token", "file:nowhere", "cannot be read: FileNotFoundError"),
    ("headers.X-Token", "FILE a-secret\nX-Evil: 1", "one line of ASCII"),
]
each = pytest.mark.parametrize(("key", "stands", "reason"), WRONG)


@pytest.fixture
def configured(user: User, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:  # noqa: F811  # the fixture
    """Writes a configuration in which this stands there, of a launcher beside one that is as it should be."""

    def write(key: str, stands: str) -> None:
        value = stands
        if stands.startswith("FILE "):
            Path("token").write_text(stands.removeprefix("FILE "))
            value = "file:token"
        elif not stands.startswith("file:"):
            monkeypatch.setenv("TOKEN", stands)
            value = "${TOKEN}"
        monkeypatch.setenv("GOOD", SECRETS[0])
        own: dict[str, object] = {"url": "https://jobs.example.org/hook", "secret": "${GOOD}"}
        whole = {"good": {"webhook": own}, "hook": {"webhook": own | ({"headers": {"X-Token": value}} if "." in key else {key: value})}}
        policy = "    retrain:\n      asked: {when: person, on: hook}\n"
        Path("driftbus.yaml").write_text(LIVE + policy + yaml.safe_dump({"launchers": whole}))
        user.creates()

    return write


@each
def test_a_check_fails_by_its_key(user: User, configured: Callable[[str, str], None], key: str, stands: str, reason: str) -> None:  # noqa: F811  # the fixture
    configured(key, stands)
    told = refused(user, "check", "--sample", "1")
    lines = [line for line in told.splitlines() if "launchers." in line]
    assert len(lines) == 1
    assert f"launchers.hook.webhook.{key}: " in lines[0]
    assert reason in lines[0]
    assert "a-secret" not in told
    assert "c2hvcnQ" not in told


@each
def test_it_does_not_start(configured: Callable[[str, str], None], key: str, stands: str, reason: str) -> None:
    configured(key, stands)
    settings = load()
    with closing(open_bus(settings)) as bus, pytest.raises(ValueError, match=reason) as error:
        Pipeline(bus, settings, ("launcher",))
    assert str(error.value).startswith(f"launchers.hook.webhook.{key}: ")
    assert "a-secret" not in str(error.value)
    assert error.value.__suppress_context__, "a traceback would show it"


def test_what_is_as_it_should_be_is_not_told(user: User, configured: Callable[[str, str], None]) -> None:  # noqa: F811  # the fixture
    configured("secret", f"FILE {SECRETS[1]}\n")
    assert "launchers." not in user.says("check", "--sample", "1")


def test_a_secret_that_became_none_later_is_told_by_its_key(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRETS[0])
    with receiving() as receiver:
        launcher = launcher_of(receiver, secret=f"file:{secret}")
        assert launcher.ensure(at(1)).state == "succeeded"
        secret.write_text("a-secret")
        seen = launcher.ensure(at(2))
    assert seen.state == "failed"
    assert seen.why.startswith("webhook.secret: it is no secret")
    assert "a-secret" not in seen.why
