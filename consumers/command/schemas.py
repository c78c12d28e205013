"""``driftbus schemas``: what travels, as JSON Schema."""

import json
from pathlib import Path

import click

from ...schemas.export import PUBLISHED, json_schema
from ..pipeline.documents import asyncapi
from ..replay.terminal import say

ASYNCAPI = "asyncapi.json"


@click.group()
def schemas() -> None:
    """Export the JSON Schemas of all messages, and of the configuration."""


@schemas.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(folder: Path) -> None:
    """Write one JSON Schema per kind of message into FOLDER, and asyncapi.json: on which topic which of them travels."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PUBLISHED:
        (folder / f"{name}.json").write_text(json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / ASYNCAPI).write_text(json.dumps(asyncapi(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"{len(PUBLISHED)} schemas, and {ASYNCAPI}, in {folder}")
