"""``${NAME}`` in a configuration's values: the environment's NAME, at any depth; ``$${NAME}`` is the text ``${NAME}``.

What came from the environment may be a secret: of such a value no message says more than what stands in the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_VARIABLE = re.compile(r"\$(\$)?\{(\w+)\}")

Step = str | int
Location = tuple[Step, ...]


@dataclass
class Expanded:
    """A document with its variables replaced."""

    content: object
    unset: list[str] = field(default_factory=list)  #: mistakes, each with the key's full path
    written: dict[Location, str] = field(default_factory=dict)  #: what stood where something was replaced
    _values: dict[str, str] = field(default_factory=dict)  # by name

    def masked(self, text: str) -> str:
        """The text without any value from the environment: its name stands in its place."""
        for name, value in sorted(self._values.items(), key=lambda one: -len(one[1])):
            for form in dict.fromkeys((value, repr(value)[1:-1], value.strip())):
                if form:
                    text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)" if len(form) < _SHORT else re.escape(form), f"${{{name}}}", text)
        return text


#: Shorter values are replaced in a message only where they stand as a word: `1` is in many numbers.
_SHORT = 4


def expanded(document: object, environment: Mapping[str, str]) -> Expanded:
    """The document with every ``${NAME}`` in its values replaced."""
    found = Expanded(None)
    found.content = _replaced(document, (), environment, found)
    return found


def _replaced(node: object, path: Location, environment: Mapping[str, str], found: Expanded) -> object:
    if isinstance(node, dict):
        return {key: _replaced(value, (*path, key), environment, found) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, (*path, place), environment, found) for place, value in enumerate(node)]
    if not isinstance(node, str):
        return node

    def value(match: re.Match[str]) -> str:
        literal, name = match.groups()
        if literal:
            return match[0][1:]
        if name not in environment:
            found.unset.append(f"{'.'.join(map(str, path))}: ${{{name}}} is not set in the environment")
            return ""
        found.written[path] = node
        found._values[name] = environment[name]
        return environment[name]

    return _VARIABLE.sub(value, node)
