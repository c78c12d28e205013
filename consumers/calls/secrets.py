"""Secrets that servers are sent: from the environment, through the configuration, or from a file that may change."""

from pathlib import Path

from ...schemas.unusable import Unusable

_FILE = "file:"


class UnusableSecret(Unusable):
    """A secret is none. The text does not say what stands there."""


def secret_of(written: str) -> str:
    """A secret, or a header's value, as it is now: what is written ``file:PATH`` stands in that file, and may change."""
    if not written.startswith(_FILE):
        return written
    try:
        found = Path(written.removeprefix(_FILE)).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        msg = f"{written}: cannot be read: {type(error).__name__}"
        raise UnusableSecret(msg) from None
    if not found.isprintable() or not found.isascii():
        msg = f"{written}: what stands there is not one line of ASCII, as a header's value is"
        raise UnusableSecret(msg)
    return found
