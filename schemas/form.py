"""Forms: what a number says of how a message is to be read, where a field that is added would not do (``docs/schemas.md``)."""

from collections.abc import Mapping
from typing import Any

from .unusable import Unusable

#: A number beyond it is no form of any release to come.
_HIGHEST = 1_000


class NewerForm(Unusable):
    """A message of a form that this release does not know: it must neither guess nor leave it out."""


def check_form(what: str, plain: Mapping[str, Any], known: int) -> None:  # a message, not yet validated
    """Refuse a newer form."""
    form = plain.get("form", 1)
    if isinstance(form, int) and known < form <= _HIGHEST:
        msg = (
            f"a {what} of form {form} was written by a newer release; this process reads forms up to {known}. Upgrade it: who reads goes "
            "before who writes (docs/operating.md)"
        )
        raise NewerForm(msg)
    if not isinstance(form, int) or not 1 <= form <= known:
        msg = f"form {form!r} of a {what}"
        raise ValueError(msg)


def lean(plain: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:  # a message as it is written
    """Without what is as it always was: so the commonest messages are as small, and the same bytes, as before there were such fields."""
    return {key: value for key, value in plain.items() if key not in defaults or value != defaults[key]}
