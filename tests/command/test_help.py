"""Every command and every option says what it does, and the first answer comes at once."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from driftbus.consumers.command.main import VERBS, main


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, (*path, name))


ALL = dict(commands(main))
every_command = pytest.mark.parametrize("path", ALL)


@every_command
def test_every_command_has_help(path: str) -> None:
    assert ALL[path].help
    shown = CliRunner().invoke(main, [*path.split(), "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith("Usage: ")


@every_command
def test_every_option_has_help(path: str) -> None:
    lacking = [option.name for option in ALL[path].params if isinstance(option, click.Option) and not option.help]
    assert not lacking


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_named_after_its_file(verb: str) -> None:
    assert ALL[verb].name == verb


def test_help_imports_nothing_heavy() -> None:
    script = "import sys; from driftbus.consumers.command.main import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert "Commands:" in shown
    assert not {"numpy", "pydantic", "confluent_kafka", "duckdb", "rich", "scipy", "yaml"} & set(shown.split("\n")[-2].split())


def test_a_mistake_is_told_in_one_line() -> None:
    told = CliRunner().invoke(main, ["run", "--config", "nowhere.yaml"])
    assert told.exit_code == 1
    assert told.output.startswith("Error: nowhere.yaml: no such file")
    assert told.output.count("\n") == 1


def test_a_verb_that_is_none_is_refused() -> None:
    told = CliRunner().invoke(main, ["chek"])
    assert told.exit_code == 2
    assert "No such command 'chek'" in told.output
