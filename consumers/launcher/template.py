"""A webhook's body as a structure: what stands in for a hole is put in whole, and the encoder writes the JSON.

A leaf ``"{{ job }}"`` becomes the value, of its type; with text around it, a text. Paths lead into facts: nothing is evaluated, and what a
value holds is not looked at again.
"""

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from ...schemas.configuration.holes import HOLE

#: Left out of an address, or taken for a step back, by whoever reads it.
_NO_PIECE = frozenset({"", ".", ".."})


class NoSuchFact(ValueError):
    """A hole for which there is nothing."""


def filled(template: object, facts: Mapping[str, object]) -> object:
    """A structure with its holes filled. Raises `NoSuchFact`.

    >>> facts = {"job": "a1", "model": 'x", "admin": "{{ job }}', "data": {"rows": 1200}}
    >>> filled({"id": "{{ job }}", "n": ["{{ data.rows }}"], "why": "{{data.rows}} rows of {{ model }}"}, facts)
    {'id': 'a1', 'n': [1200], 'why': '1200 rows of x", "admin": "{{ job }}'}
    """
    if isinstance(template, Mapping):
        return {key: filled(one, facts) for key, one in template.items()}  # keys are the user's own
    if isinstance(template, list):
        return [filled(one, facts) for one in template]
    if not isinstance(template, str):
        return template
    if whole := HOLE.fullmatch(template.strip()):
        return _found(facts, whole[1])
    return HOLE.sub(lambda hole: _text(facts, hole[1]), template)


def filled_address(template: str, facts: Mapping[str, object]) -> str:
    """An address with its holes filled: a value never becomes more than one piece of it. Raises `NoSuchFact`.

    >>> filled_address("https://host/{{ version }}/runs", {"version": "../../etc?x=1#"})
    'https://host/..%2F..%2Fetc%3Fx%3D1%23/runs'
    """
    address = HOLE.sub(lambda hole: quote(_text(facts, hole[1]), safe=""), template)
    for piece, asked in zip(address.split("/"), template.split("/"), strict=True):  # a hole holds no /, and what fills it neither
        if piece in _NO_PIECE and HOLE.search(asked):
            msg = f"{asked}: it would be {piece or 'nothing'}, which leads to another address"
            raise NoSuchFact(msg)
    return address


def _found(facts: Mapping[str, object], path: str) -> object:
    here: object = facts
    for step in path.split("."):
        if not isinstance(here, Mapping) or step not in here:
            msg = f"{{{{ {path} }}}}: there is no {step}"
            raise NoSuchFact(msg)
        here = here[step]
    return here


def _text(facts: Mapping[str, object], path: str) -> str:
    value = _found(facts, path)
    if isinstance(value, Mapping | list | tuple):
        msg = f"{{{{ {path} }}}}: it is more than one value, and cannot stand within text"
        raise NoSuchFact(msg)
    return "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
