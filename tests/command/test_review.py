"""``driftbus review``: cases out, answers in."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from driftbus.consumers.command.main import main
from tests.review import cases
from tests.review.cases import MODEL, answers, request, requests

NOBODY = "http://127.0.0.1:1"
LABELS = [word for name in cases.TOPICS for word in ("--label", name)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTBUS_CONFIG", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_TOKEN", raising=False)
    with cases.asked(cases.configuration(tmp_path), [request(0, group="g"), request(1, group="g"), *requests(5)[2:]]):
        pass
    return tmp_path


def says(*words: str, code: int = 0) -> str:
    told = CliRunner().invoke(main, ["review", *words])
    assert told.exit_code == code, told.output + repr(told.exception)
    return told.output


def given(folder: Path) -> list[tuple[object, str | None, str]]:
    configured = cases.configuration(folder)
    with cases.asked(configured, []) as bus:
        return [(one.label, one.skipped, one.reviewer) for one in answers(bus, configured)]


def test_cases_go_out_and_answers_come_in_as_lines(folder: Path) -> None:
    waiting = [json.loads(line) for line in says("export").splitlines()]
    assert len(waiting) == 5
    assert set(waiting[0]["shown"]) == {"question", "channel", "words", "country"}
    lines: list[object] = [
        {"case": waiting[0]["case"], "label": "card"},
        {"case": waiting[1]["case"], "skipped": "what?", "reviewer": "ben"},
    ]
    wrong = [{"case": "x", "label": "card"}, {"case": waiting[2]["case"], "label": "gold"}, {"case": waiting[2]["case"]}, {"label": 1}]
    Path("answers.jsonl").write_text("\n".join(map(json.dumps, [*lines, *wrong])) + "\n\n{\n")
    said = says("import", "answers.jsonl", "--reviewer", "anna", *LABELS, code=1)
    assert "2 answers published" in said
    assert said.count("left out line") == 5
    assert "line 4: label 'gold': it is none of those asked for: card, refund, account, other" in said
    assert given(folder) == [("card", None, "anna"), (None, "what?", "ben")]
    assert len(says("export").splitlines()) == 4


def test_near_duplicates_are_one_task_of_label_studio(folder: Path) -> None:
    tasks = json.loads(says("export", MODEL, "--label-studio", *LABELS))
    assert sorted(len(task["data"]["cases"]) for task in tasks) == [1, 1, 1, 2]
    assert all(task["data"]["event_id"] == task["data"]["cases"][0] for task in tasks)
    assert '<Choice value="refund" hotkey="2"/>' in says("interface", MODEL, *LABELS)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["fraud"], 1, "fraud: nobody is asked about it: models.fraud.review is not there; models with it: support"),
        (["--reviewer", " "], 2, "write a name of 1 to 200 characters"),
        (["deliver", MODEL, "--url", NOBODY, "--project", "1"], 2, "LABEL_STUDIO_TOKEN"),
        (["deliver", MODEL, "--url", "x", "--project", "1", "--token", "t"], 1, "--url: write http://HOST:PORT"),
        (
            ["deliver", MODEL, "--url", "http://127.0.0.1:1", "--project", "1", "--token", "t", "--once"],
            1,
            "does it run, and is --url right?",
        ),
    ],
)
def test_what_cannot_be_done_is_said(folder: Path, words: list[str], code: int, said: str) -> None:
    assert said in " ".join(says(*words, code=code).split())


def test_the_page_is_served_until_it_is_told_to_end(folder: Path) -> None:
    command = [sys.executable, "-c", "from driftbus.consumers.command.main import main; main()", "review", MODEL, "--reviewer", "anna"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "5 cases wait for anna; end: Ctrl-C\n"
        address = started.stdout.readline().strip()
        with urllib.request.urlopen(f"{address}state", timeout=10) as answer:
            assert json.loads(answer.read())["left"] == 5
        started.send_signal(signal.SIGINT)
        assert started.wait(15) == 0


def test_a_webhook_is_a_round_at_once(folder: Path) -> None:
    """Though the server there does not answer, and the next round is minutes away."""
    words = ["deliver", MODEL, "--url", "http://127.0.0.1:1", "--project", "1", "--token", "t", "--every", "3600", "--webhook", "0"]
    command = [sys.executable, "-c", "from driftbus.consumers.command.main import main; main()", "review", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        address = started.stdout.readline().removeprefix("webhook: ").strip()
        assert started.stderr.readline().startswith("again in 300 s")
        with urllib.request.urlopen(urllib.request.Request(address, b"{}"), timeout=10) as answer:
            assert answer.status == 204
        assert started.stderr.readline().startswith("again in 300 s")
        started.send_signal(signal.SIGINT)
        assert started.wait(15) == 0
