"""What a verb writes is none of what it reads."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from ...schemas.configuration import Configuration, Table

#: What SQLite keeps beside a database.
_BESIDE = ("", "-wal", "-shm", "-journal")


def refuse_inputs(outputs: Mapping[str, Path | None], inputs: Mapping[str, Path]) -> None:
    """Raise where an output is an input, by whatever name: a link, another spelling; lies in a folder that is one; or is written twice."""
    written: dict[str, Path] = {}
    for option, output in outputs.items():
        if output is None:
            continue
        for what, other in {**inputs, **written}.items():
            if _is_in(output, other):
                why = f"which {what} writes too" if what in written else f"which is read ({what})"
                msg = f"{option} {output} is {other}, {why}; name another file"
                raise click.UsageError(msg)
        written[option] = output


def inputs_of(configuration: Configuration) -> Iterator[tuple[str, Path]]:
    """The files that a verb with a configuration may read, by what they are: itself, the embedded bus, references and what they are of."""
    yield "the configuration", Path(click.get_current_context().params["config"])
    if configuration.embedded != ":memory:":
        yield from ((f"the embedded bus{suffix}", Path(configuration.embedded + suffix)) for suffix in _BESIDE)
    if "://" not in configuration.artifacts:
        yield "artifacts", Path(configuration.artifacts) / "references"
    for name, model in configuration.models.items():
        if isinstance(model.reference, Table):
            named = model.reference.file
            yield from ((f"models.{name}.reference", file) for file in ([Path(named)] if isinstance(named, str) else map(Path, named)))


def _is_in(output: Path, other: Path) -> bool:
    if output.exists() and other.exists() and output.samefile(other):
        return output.is_file()  # two devices, such as standard output, may be one
    resolved = output.resolve()
    return resolved == other.resolve() or (other.is_dir() and other.resolve() in resolved.parents)
