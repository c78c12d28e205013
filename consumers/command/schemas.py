"""``driftbus schemas``: what travels, as JSON Schema."""

import json
from pathlib import Path
from typing import Any

import click

from ...schemas.export import PUBLISHED, json_schema
from ..pipeline.documents import asyncapi
from ..reference.files import written_whole
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
    documents = {folder / f"{name}.json": json_schema(name) for name in PUBLISHED} | {folder / ASYNCAPI: asyncapi()}
    for file, document in documents.items():
        if file.exists() and not _is_one(file, document):
            msg = f"{file} is there already, and is not a schema of driftbus; name another folder"
            raise click.UsageError(msg)
    for file, document in documents.items():
        with written_whole(file) as place:
            place.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"{len(PUBLISHED)} schemas, and {ASYNCAPI}, in {folder}")


def _is_one(file: Path, document: dict[str, Any]) -> bool:  # any JSON
    """Whether what is there is an earlier form of a document."""
    try:
        there = json.loads(file.read_bytes())
    except ValueError:
        return False
    return isinstance(there, dict) and all(there.get(key) == document.get(key) for key in ("$id", "info"))
