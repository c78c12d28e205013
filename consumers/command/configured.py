"""The option that every verb with a configuration has: ``--config``."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import click

from ...schemas.configuration import Configuration
from ..process.settings import DEFAULT_FILE, FILE, load

_Rest = ParamSpec("_Rest")


def configured(verb: Callable[Concatenate[Configuration, _Rest], None]) -> Callable[..., None]:
    """Give a verb the configuration that ``--config``, else DRIFTBUS_CONFIG, else ``./driftbus.yaml`` names."""

    @click.option(
        "-c",
        "--config",
        envvar=FILE,
        default=DEFAULT_FILE,
        show_default=True,
        show_envvar=True,
        metavar="FILE",
        help="The configuration.",
    )
    @wraps(verb)
    def with_configuration(config: str, *args: _Rest.args, **options: _Rest.kwargs) -> None:
        verb(load(config), *args, **options)

    return with_configuration
