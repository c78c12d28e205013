"""``driftbus dead-letters``: what could not be counted, and what to do with it."""

import json
from itertools import islice
from typing import NoReturn

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.dead_letter import LARGEST_VALUE
from ..bus.interface import Bus, Output
from ..console.letters import Letter, letters, returned, way_back
from ..console.screen import Table, Terminal
from ..replay.terminal import agreed, say
from .configured import configured
from .opened import opened

#: Letters whose records go back in one transaction; of a value, bytes shown.
_TOGETHER = 200
_SHOWN = 2_000


@click.group(name="dead-letters")
def dead_letters() -> None:
    """List, show or replay what could not be counted."""


@dead_letters.command(name="list")
@click.option("--last", "most", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="So many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each.")
@configured
def list_(configuration: Configuration, most: int, as_json: bool) -> None:
    """List the newest dead letters, with the place of each in its topic."""
    with opened(configuration) as bus:
        found = list(islice(letters(bus, configuration), most))
    if as_json:
        for letter in found:
            say(json.dumps({**letter.facts.model_dump(), "place": letter.place, "replayed": letter.replayed}, ensure_ascii=False))
        return
    if not found:
        say(f"no dead letter on {configuration.topics.dead_letter}")
        return
    table = Table("place", "record time", "", "reason", wide=("reason",))
    for letter in reversed(found):
        facts = letter.facts
        further = f" (and {facts.further:,} more of that run, which were only counted)" if facts.further else ""
        state = "replayed" if letter.replayed else facts.scope
        table.row(letter.place, _time(facts.timestamp // 1000 * 1000), state, f"{facts.reason}{further}")
    Terminal().table(table)
    say(f"driftbus dead-letters show '{found[0].place}' shows one")


@dead_letters.command()
@click.argument("place")
@configured
def show(configuration: Configuration, place: str) -> None:
    """Show the dead letter of the record at PLACE, as `driftbus dead-letters list` names it: TOPIC[PARTITION]@OFFSET."""
    with opened(configuration) as bus:
        found = [letter for letter in letters(bus, configuration) if letter.place == place]
        ways = [way_back(bus, configuration, letter) for letter in found]
    if not found:
        _unknown(configuration, [place])
    for letter, way in zip(found, ways, strict=True):
        facts = letter.facts
        say(f"{place}: {facts.reason}")
        field = f"field {facts.field}" if facts.field else "the whole record"
        say(f"  {field}, stream {facts.stream}, record time {_time(facts.timestamp)}, set aside at {_time(letter.written)}")
        if facts.further:
            say(f"  {facts.further:,} more of that run were only counted")
        head = f", of which the first {LARGEST_VALUE:,} are kept; the whole is {facts.hash}" if facts.hash else ""
        if facts.withheld is not None:
            head = f", withheld: a model of stream {facts.stream} has rules for {facts.withheld} data; the record itself is {facts.place}"
        say(f"  {facts.size:,} bytes{head}{'' if facts.withheld else ':'}")
        for line in content(letter.value[:_SHOWN]) if letter.value else ():
            say(f"    {line}")
        if len(letter.value) > _SHOWN:
            say(f"    ... {len(letter.value) - _SHOWN:,} bytes more")
        say(f"  replay: {way.reason}")


@dead_letters.command()
@click.argument("places", metavar="[PLACE]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that can go back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@configured
def replay(configuration: Configuration, places: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Write the records at these PLACEs back to their topics, once what was wrong with them is mended.

    The original bytes, with the header driftbus-replayed that says where they were. They count in the bucket that is open then, as late.
    --all leaves out those that their topics no longer hold: name them to write them back from their letters, without key and headers.
    """
    if everything == bool(places):
        msg = "name the places (driftbus dead-letters list), or --all"
        raise click.UsageError(msg)
    with opened(configuration) as bus:
        found = [letter for letter in letters(bus, configuration) if everything or letter.place in places]
        if missing := sorted(set(places) - {letter.place for letter in found}):
            _unknown(configuration, missing)
        _write(bus, configuration, found[::-1], named=bool(places), yes=yes)


def _write(bus: Bus, configuration: Configuration, found: list[Letter], *, named: bool, yes: bool) -> None:
    going, left_out = list[tuple[Letter, Output]](), 0
    for letter in found:
        way = way_back(bus, configuration, letter)
        if not way.held and not named:
            left_out += 1
        elif way.output is None:
            say(f"{letter.place} stays: {way.reason}")
        else:
            say(f"{letter.place}: {way.reason}")
            going.append((letter, way.output))
    if left_out:
        say(f"{left_out:,} more are left out, whose records their topics no longer hold; name them to write back what the letters hold")
    if not going:
        say("nothing to write")
        return
    if not yes and not agreed(f"Write {len(going):,} records?"):
        raise click.Abort
    for start in range(0, len(going), _TOGETHER):
        together = going[start : start + _TOGETHER]
        bus.publish([output for letter, back in together for output in (back, returned(configuration, letter))])
    say(f"{len(going):,} records written back")


def _unknown(configuration: Configuration, places: list[str]) -> NoReturn:
    msg = f"no dead letter of {', '.join(places)} on {configuration.topics.dead_letter}; driftbus dead-letters list names them"
    raise click.ClickException(msg)


def content(value: bytes) -> list[str]:
    """Text where it is text, else in hexadecimal digits.

    >>> content(b'{"a": 1}'), content(bytes([255, 0]))
    (['{"a": 1}'], ['ff 00'])
    """
    try:
        return [value.decode()]
    except UnicodeDecodeError as error:
        if error.start > len(value) - 4 and error.start > 0:  # cut within a character
            return [value[: error.start].decode()]
        return [value[start : start + 24].hex(" ") for start in range(0, len(value), 24)]


def _time(time_ms: int) -> str:
    try:
        return iso(time_ms)
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"
