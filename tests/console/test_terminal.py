"""What anybody can write to a topic cannot act on a terminal; and all printing goes through the one place that sees to it."""

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from driftbus.consumers.command.main import Verbs, main
from driftbus.consumers.command.watch import View
from driftbus.consumers.console.logs import facts, logs_to_stderr
from driftbus.consumers.console.screen import Table, Terminal
from driftbus.consumers.replay.event_line import event_line
from driftbus.consumers.replay.terminal import Styled, say, told_at_the_end, visible

from ..command.test_event_line import AMOUNT, OPENED

CONSUMERS = Path(__file__).parents[2] / "consumers"

#: What acts on a terminal, or on how the text around it is read.
HOSTILE = {
    "clears the screen": "\x1b[2J\x1b[H",
    "sets the title": "\x1b]0;owned\x07",
    "C1 introducer": "\x9b31m",
    "carriage return": "\rok    all is well",
    "new line": "\nok    all is well",
    "backspace": "major\x08\x08\x08\x08\x08minor",
    "delete": "\x7f",
    "null": "\x00",
    "override": "\u202egnp.exe",
    "embedding": "\u202a",
    "isolate": "\u2066x\u2069",
    "marks": "\u200e\u200f\u061c",
    "line separator": "\u2028",
    "byte order mark": "\ufeff",
    "half a surrogate": "\ud800",
}
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def acts(text: str) -> list[str]:
    """The characters that would act."""
    return [one for one in text if not one.isprintable() and one not in " \n"]


@hostile
def test_it_is_shown_and_does_not_act(text: str) -> None:
    assert not acts(visible(text))
    assert "\n" not in visible(text)
    assert visible(visible(text)) == visible(text)


@hostile
def test_a_line_of_json_stays_one_with_the_same_content(text: str) -> None:
    written = json.dumps({"name": text}, ensure_ascii=False)
    assert json.loads(visible(written)) == {"name": text}


@pytest.mark.parametrize("text", ["amount", "Größe", "金额", "سعر", "मूल्य", "a\u200db", "👩\u200d🔬", "x y"])
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


@hostile
def test_an_event_of_hostile_names_is_a_line_and_a_table(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    signal = AMOUNT.model_copy(update={"name": f"a{text}", "change": f"more '{text}'", "segment": text, "only_in": (text,)})
    event = OPENED.model_copy(update={"model": text, "version": text, "signals": (signal,), "detector": text})
    say(event_line(event))
    say(Styled(event_line(event), "bold red"), err=True)
    told = capsys.readouterr()
    assert not acts(told.out + told.err)
    assert told.out.count("\n") == told.err.count("\n") == 1
    view, screen = View(), io.StringIO()
    view.add([event])
    Terminal(screen, 80).show(*view.shown())
    Terminal(screen).say(event_line(event))
    table = Table(text, text, title=text)
    table.row(text, Styled(text, "red"))
    Terminal(screen).table(table)
    with Terminal(screen).pace() as show:
        show(text)
    assert not acts(screen.getvalue())


@hostile
def test_errors_logs_and_tracebacks_are_neutral(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs_to_stderr("plain")
    log = logging.getLogger("driftbus.test")
    log.warning("kafka: %s", text)
    try:
        raise ValueError(text)
    except ValueError as error:
        log.exception("it failed: %s", text)
        told_at_the_end(ValueError, error, error.__traceback__)
    logs_to_stderr("json")
    log.warning("kafka: %s", text, extra=facts(topic=text))
    told = capsys.readouterr().err
    assert not acts(told)
    last = json.loads(told.splitlines()[-1])
    assert (last["message"], last["topic"]) == (f"kafka: {text}", text)


@hostile
@pytest.mark.parametrize("raised", [click.ClickException, click.UsageError, FileNotFoundError])
def test_what_a_verb_refuses_is_one_line(text: str, raised: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def verb() -> None:
        raise raised(f"streams: {text}")

    monkeypatch.setattr(Verbs, "get_command", lambda *_: verb)
    told = CliRunner().invoke(main, ["status"])
    assert told.exit_code in (1, 2)
    assert not acts(told.output)
    assert "all is well" not in [line.removeprefix("ok    ") for line in told.output.splitlines()]


@pytest.mark.parametrize("words", [["\x1b[2J"], ["--\x1b[2J"], ["run", "\x1b[2J"], ["replay", "\x1b[2J"]])
def test_a_command_line_is_told_back_neutrally(words: list[str]) -> None:
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 2
    assert not acts(told.output)


def printing(tree: ast.AST) -> Iterator[str]:
    """What in a file prints by itself."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(one.name.split(".")[0] == "rich" for one in names):
                yield f"{node.lineno}: import rich"
            case ast.ImportFrom(module=str(module), level=0) if module.split(".")[0] == "rich":
                yield f"{node.lineno}: from rich"
            case ast.ImportFrom(module="click", names=names):
                yield from (f"{node.lineno}: from click import {one.name}" for one in names if one.name in PRINTS)
            case ast.Attribute(value=ast.Name(id="click"), attr=name) if name in PRINTS:
                yield f"{node.lineno}: click.{name}"
            case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr" | "__stdout__" | "__stderr__"):
                yield f"{node.lineno}: sys.{node.attr}"
            case ast.ImportFrom(module="sys", names=names) if any(one.name in ("stdout", "stderr") for one in names):
                yield f"{node.lineno}: from sys"
            case ast.Call(func=ast.Name(id="print")):
                yield f"{node.lineno}: print"
            case ast.Attribute(attr="StreamHandler" | "basicConfig" | "print_exc" | "print_exception"):
                yield f"{node.lineno}: {node.attr}"


PRINTS = {"echo", "secho", "style", "confirm", "prompt", "progressbar", "echo_via_pager", "edit", "getchar", "pause", "launch"}


@pytest.mark.parametrize("file", sorted(CONSUMERS.rglob("*.py")), ids=lambda file: str(file.relative_to(CONSUMERS)))
def test_nothing_else_prints(file: Path) -> None:
    found = list(printing(ast.parse(file.read_text(encoding="utf-8"))))
    allowed = {"console/screen.py": "rich", "replay/terminal.py": "click"}.get(file.relative_to(CONSUMERS).as_posix(), "nothing")
    assert [one for one in found if allowed not in one] == [], "print with driftbus.consumers.replay.terminal, or screen"


@pytest.mark.parametrize(
    "source",
    [
        "import click\nclick.echo(x)",
        "from click import secho",
        "import rich",
        "from rich.table import Table",
        "print(x)",
        "sys.stderr.write(x)",
    ],
)
def test_a_file_that_prints_by_itself_is_found(source: str) -> None:
    assert list(printing(ast.parse(source)))
