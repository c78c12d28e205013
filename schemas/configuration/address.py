"""Servers of other people in the configuration: where they are, what they are sent; no secret stands in an address."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from .holes import ANY

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def _address(written_: str) -> str:
    try:
        parts = urlsplit(written_)
        (parts.hostname or "").encode("idna")  # as it is when it is looked up
        wrong = not written_.isprintable() or not parts.path.isascii() or " " in ANY.sub("", parts.path)
        wrong |= parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0 or bool(parts.query or parts.fragment)
    except ValueError:
        wrong = True
    if wrong:
        msg = f"{written_!r} is not an address; write http://HOST:PORT/PATH"
        raise ValueError(msg)
    if parts.username or parts.password:
        msg = "no names or passwords stand in an address; write headers: {Authorization: ${NAME}}"
        raise ValueError(msg)
    return written_


def _headers(written_: dict[str, str]) -> dict[str, str]:
    for name, value in written_.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not value.isprintable() or not value.isascii():
            msg = f"header {name!r}: a name of letters, digits and -, and a value of ASCII; write {{Authorization: ${{NAME}}}}"
            raise ValueError(msg)
    return written_


def clear(url: str, what: str) -> str | None:
    """Why an address is no private one: all but to this machine itself is read on the way."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname in _HERE:
        return None
    return f"url: {what} would go to {parts.hostname} in the clear; write https, or insecure: true"


Address = Annotated[str, AfterValidator(_address)]
Headers = Annotated[dict[str, str], AfterValidator(_headers), Field(repr=False)]


def holds(template: object, placeholder: str) -> bool:
    """Whether a text in a template begins like this.

    >>> holds({"rows": ["{features}"]}, "{features}"), holds({"{features}": 1}, "{features}")
    (True, False)
    """
    if isinstance(template, Mapping):
        return any(holds(one, placeholder) for one in template.values())
    if isinstance(template, list):
        return any(holds(one, placeholder) for one in template)
    return isinstance(template, str) and template.startswith(placeholder)
