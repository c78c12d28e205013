"""What is known of an episode behind which no cause was found."""

from ...detectors.diagnosis.words import quoted
from ..console.description import described
from ..console.episodes import ToldEpisode
from ..replay.event_line import changes, short_id
from .document import Document, Items, Prose, Section, Table


def unexplained(episode: ToldEpisode) -> Document:
    """Its signals, and what can be done."""
    last = episode.last
    facts = (
        ("Status", "open" if episode.is_open else last.reason or "recovered"),
        ("Since", episode.first.onset),
        ("Severity", last.severity),
        ("Of", last.kind),
        ("Stream", quoted(last.stream)),
        ("Episode", quoted(episode.id)),
    )
    signals = tuple((one.name, one.role, one.change, f"{one.share:.0%}") for one in last.signals)
    sections = (
        Section("What happened", (Prose(f"{changes(last.signals)}. No incident names this episode: its cause is not known.", lead=True),)),
        Section("Signals", (Table(("signal", "role", "what changed", "share of the evidence"), signals, numbers=1),)),
        Section("In full", (Items(tuple(line.strip() for line in described(episode) if line.strip())),)),
    )
    return Document(f"Episode {short_id(episode.id)} of model {quoted(f'{last.model} {last.version}')}", facts, sections)
