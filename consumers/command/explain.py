"""``driftbus explain``: a post-mortem."""

from pathlib import Path

import click

from ...schemas.configuration import Configuration
from ..bus.interface import Bus
from ..console.causes import incidents
from ..explain.document import Document
from ..explain.episode import unexplained
from ..explain.html import html
from ..explain.incident import post_mortem
from ..explain.markdown import markdown
from ..explain.said import Said, said
from ..explain.stored import stored
from ..reference.artifacts import ArtifactStore
from ..reference.files import written_whole
from ..replay.terminal import say
from .configured import configured
from .opened import opened


@click.command()
@click.argument("beginning", metavar="EPISODE|INCIDENT")
@click.option("--markdown", "as_markdown", is_flag=True, help="Markdown in place of HTML.")
@click.option("--to", "place", type=click.Path(dir_okay=False, path_type=Path), help="The file to write. [default: on the terminal]")
@configured
def explain(configuration: Configuration, beginning: str, as_markdown: bool, place: Path | None) -> None:
    """Write a post-mortem of an incident, or of what is behind an episode: one HTML file, or Markdown.

    EPISODE|INCIDENT is the id in its events, or the beginning of it. Of an episode: the incident that names it, if one does; of several,
    the confirmed one.
    """
    with opened(configuration) as bus:
        found = said(bus, configuration, beginning)
    document = _document(found, configuration)
    content = markdown(document) if as_markdown else html(document)
    if place is None:
        for line in content.removesuffix("\n").split("\n"):
            say(line)
        return
    with written_whole(place) as file:
        file.write_text(content, "utf-8")
    say(f"{place}: {document.title}")
    for other in found.incidents[1:]:
        say(f"also behind it: driftbus explain {other.id}")


def explained(bus: Bus, configuration: Configuration, folder: Path) -> None:
    """Write a post-mortem of every incident of which windows are stored, one HTML file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in incidents(bus, configuration):
        if any(revision.artifact is not None for revision in one.revisions):
            document = _document(said(bus, configuration, one.id), configuration)
            with written_whole(folder / f"{one.id}.html") as file:
                file.write_text(html(document), "utf-8")
            say(f"{folder / one.id}.html: {document.title}")


def _document(found: Said, configuration: Configuration) -> Document:
    if not found.incidents:
        return unexplained(found.episodes[0])
    incident = found.incidents[0]
    return post_mortem(incident, found, stored(incident, configuration, ArtifactStore(configuration.artifacts)))
