"""Holes in a template: ``{{ job }}``, ``{{ data.until }}``. What they lead to is a request to retrain; nothing is evaluated."""

import re
from collections.abc import Iterator, Mapping

HOLE = re.compile(r"\{\{\s*([a-z_]+(?:\.[a-z_]+)*)\s*\}\}")
#: What looks like one, also if it is none.
ANY = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def holes(template: object) -> Iterator[str]:
    """The paths of all, and as they are written those that are none.

    >>> list(holes({"id": "{{ job }}", "n": ["{{data.until}} of {{ a + b }}"]}))
    ['job', 'data.until', '{{ a + b }}']
    """
    if isinstance(template, Mapping):
        for one in template.values():
            yield from holes(one)
    elif isinstance(template, list | tuple):
        for one in template:
            yield from holes(one)
    elif isinstance(template, str):
        for found in ANY.findall(template):
            whole = HOLE.fullmatch(found)
            yield found if whole is None else whole[1]
