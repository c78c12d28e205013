"""What a model's rules make of users' data, where bytes become columns: before anything is counted, stored or published.

A hash is that of the value's text, with a secret key: without it nobody can find out what the values are by trying those that there might
be. The same key gives the same hash in every process, in references and in messages.
"""

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from ...schemas.configuration import Configuration, Model
from ...schemas.configuration.personal import Personal
from ...schemas.stored.reference import FieldRule, ProfiledField
from ...schemas.text import is_unicode
from ...schemas.unusable import Unusable
from .looks import looks_like
from .scalars import category_text
from .tolerant import Undecodable, decode_generic

#: In the place of what a pattern matches: no character of a word.
MARK = "***"
#: Characters of a key; bytes of a hash, and of what tells keys apart.
FEWEST, HASH_BYTES, ID_BYTES = 16, 8, 4
#: In front of a hash, which is a text whatever its digits are.
SIGN = "#"
#: Types of fields of which any text is a value.
_TEXTS = ("categorical", "text")
_HASHED = re.compile(f"{SIGN}[0-9a-f]{{{2 * HASH_BYTES}}}")
#: The longest key that the hash takes.
_MOST_KEY = 64


class UnusableKey(Unusable):
    """There is no key, or none that hides anything. The text says where it is named."""


class Rule(NamedTuple):
    """What becomes of one field's values."""

    key: bytes = b""  #: they are hashed with it
    pattern: re.Pattern[str] | None = None  #: what it matches is replaced

    def __repr__(self) -> str:
        """Without the key."""
        return f"Rule({'hash' if self.key else 'mask' if self.pattern else 'none'})"

    def of_text(self, text: str) -> str:
        """One text, or one category's text.

        >>> masked = Rule(pattern=re.compile("[0-9]{13,19}"))
        >>> masked.of_text("my card is 4111111111111111"), Rule(b"0123456789abcdef").of_text("ann@example.org")
        ('my card is ***', '#e51a0d8e178c5bd3')
        """
        if self.key:
            return SIGN + blake2b(text.encode(), digest_size=HASH_BYTES, key=self.key).hexdigest()
        return text if self.pattern is None else self.pattern.sub(MARK, text)

    def of(self, value: object) -> object:
        """A value as JSON has it; what is neither text, number nor boolean stays as it is: it is no value of such a field."""
        if isinstance(value, str):
            return self.of_text(value) if is_unicode(value) else value
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            return value
        if not isinstance(value, int | float):
            return value
        text = category_text(value)
        changed = self.of_text(text)
        return value if changed == text else changed

    def seen(self, value: object) -> object:
        """A value as it may be shown or stored by itself: where no rule can be applied to it, as to lists, objects and broken texts, none.

        >>> Rule(pattern=re.compile("[0-9]")).seen(["4111"]), Rule(b"0123456789abcdef").seen({"a": 1}), Rule().seen([0.5])
        (None, None, [0.5])
        """
        ruled = self.of(value)
        changed = isinstance(value, bool | int | float) or (isinstance(value, str) and is_unicode(value))
        return ruled if changed or self == NO_RULE else None

    def column(self, values: Sequence[object]) -> list[object]:
        """Texts as a decoder has them, and marks of those that are not there, which are ints."""
        if self.key:
            known = {value: self.of_text(value) for value in set(values) if isinstance(value, str)}
            return [known.get(value, value) if type(value) is str else value for value in values]
        return [self.of_text(value) if type(value) is str else value for value in values]


NO_RULE = Rule()


class Keys(NamedTuple):
    """The keys of a stream's models, by what they are known by."""

    by_id: Mapping[str, bytes]

    def rule(self, written: FieldRule | None) -> Rule:
        """As a reference has it. Raises `LookupError` for a key that is not there."""
        if written is None:
            return NO_RULE
        return Rule(self.by_id[written.hash]) if written.hash is not None else Rule(pattern=_together(written.mask))


NO_KEYS = Keys({})


class ModelRules:
    """The rules of one model, ready to use. Raises `UnusableKey` where the environment has no key."""

    def __init__(self, name: str, settings: Model | Personal, environment: Mapping[str, str] = os.environ) -> None:
        self.settings = settings.personal if isinstance(settings, Model) else settings
        self._name = name
        variable = self.settings.key
        self.key = b"" if variable is None else key_of(f"models.{name}.personal.key", variable, environment)
        self.key_id = key_id(self.key) if self.key else None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.settings)

    @property
    def keys(self) -> Keys:
        """Of this model."""
        return Keys({} if self.key_id is None else {self.key_id: self.key})

    def written(self, feature: str) -> FieldRule | None:
        """The rule of a feature, as a reference has it."""
        return self.settings.rule(feature, self.key_id)

    def of(self, feature: str) -> Rule:
        """The rule of a feature."""
        return self.keys.rule(self.written(feature))

    def shown(self, features: Mapping[str, object], fields: Sequence[ProfiledField] = ()) -> dict[str, object]:
        """Features as they may be stored or published: without those that are dropped. A text in the place of a number, of one of these
        ``fields``, is nobody knows what, and left out, too.

        >>> ModelRules("m", Personal(drop=("ssn",), mask={"question": ("[0-9]{4,9}",)})).shown({"ssn": "1", "question": "of 12345", "n": 2})
        {'question': 'of ***', 'n': 2}
        """
        numbers = {field.name for field in fields if field.type not in _TEXTS}
        kept = {name: value for name, value in features.items() if self.settings.dropped(name) is None}
        return {name: self.of(name).seen(value) for name, value in kept.items() if not (name in numbers and isinstance(value, str))}

    def unruly(self, features: Mapping[str, object]) -> str | None:
        """Why features that are stored are not as the rules leave them; None: they are, as far as can be seen."""
        for name, value in features.items():
            if pattern := self.settings.dropped(name):
                return f"it holds {name}, which drop ({pattern}) leaves out"
            rule = self.of(name)
            hashed = isinstance(value, str) and _HASHED.fullmatch(value) is not None
            if value is not None and not (hashed if rule.key else rule.of(value) == value):
                return f"{name} is not {'hashed' if rule.key else 'masked'} in it"
        return None

    def amiss(self, fields: Sequence[ProfiledField]) -> str | None:
        """Why a reference with these fields was not built by these rules; None: it was."""
        path = f"models.{self._name}.personal"
        for field in fields:
            if field.role != "feature":
                continue
            if pattern := self.settings.dropped(field.name):
                return f"it holds {field.name}, which {path}.drop ({pattern}) leaves out"
            rule = self.written(field.name)
            if field.rule == rule:
                continue
            if rule is None:
                return f"{field.name} is {'hashed' if field.rule and field.rule.hash else 'masked'} in it, and {path} does not say so"
            if rule.hash is not None and field.rule is not None and field.rule.hash is not None:
                return f"{field.name} is hashed in it with another key than that of {path}.key"
            return f"{field.name} is not {'hashed' if rule.hash is not None else 'masked'} in it as {path} says"
        return None


def rules_of(configuration: Configuration, model: str) -> ModelRules:
    """Those of a model; none where it is not listed."""
    return ModelRules(model, configuration.models[model]) if model in configuration.models else ModelRules(model, Personal())


def keys_in(configuration: Configuration, stream: str) -> Keys:
    """Of all models of a stream."""
    names = [name for name in configuration.models if configuration.stream_of(name) == stream]
    return Keys({id_: key for name in names for id_, key in rules_of(configuration, name).keys.by_id.items()})


def label_key(configuration: Configuration, labels: str, environment: Mapping[str, str] = os.environ) -> bytes:
    """The key of the ids of a stream of labels; empty: they are hashed without one."""
    variable = configuration.labels[labels].key
    return b"" if variable is None else key_of(f"labels.{labels}.key", variable, environment)


def entity_key(configuration: Configuration, log: str, environment: Mapping[str, str] = os.environ) -> bytes:
    """The key of the entities of a feature log; empty: they are hashed without one."""
    variable = configuration.features[log].key
    return b"" if variable is None else key_of(f"features.{log}.key", variable, environment)


def id_key(configuration: Configuration, model: str, environment: Mapping[str, str] = os.environ) -> bytes:
    """The key by which the ids of a model's predictions are hashed: that of its labels, so that both meet; empty: they are not personal."""
    own = configuration.models[model]
    if not configuration.hides_ids(model):
        return b""
    return rules_of(configuration, model).key if own.labels is None else label_key(configuration, own.labels, environment)


def key_of(path: str, variable: str, environment: Mapping[str, str]) -> bytes:
    """A key from the environment; a long one by its hash. Raises `UnusableKey`."""
    content = environment.get(variable, "").encode(errors="surrogateescape")
    if len(content) < FEWEST:
        what = f"has {len(content)} characters, at least {FEWEST} hide anything" if content else "is not set in the environment"
        msg = f"{path}: {variable} {what}; generate one: openssl rand -hex 32"
        raise UnusableKey(msg)
    return content if len(content) <= _MOST_KEY else blake2b(content).digest()


def key_id(key: bytes) -> str:
    """What tells keys apart, and says nothing else of them."""
    return blake2b(b"driftbus", digest_size=ID_BYTES, key=key).hexdigest()


def unusable_keys(configuration: Configuration, environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the keys that a configuration names, a line each."""
    found = []
    named = [(f"models.{name}.personal.key", model.personal.key) for name, model in configuration.models.items()]
    named += [(f"labels.{name}.key", labels.key) for name, labels in configuration.labels.items()]
    named += [(f"features.{name}.key", log.key) for name, log in configuration.features.items()]
    for path, variable in named:
        try:
            if variable is not None:
                key_of(path, variable, environment)
        except UnusableKey as error:
            found.append(str(error))
    return found


def plain_reason(value: bytes | None, field: str | None = None) -> str:
    """Why a record, or a field of it, is bad, without a character of it.

    >>> plain_reason(b'{"ssn": "1', None), plain_reason(b'{"id": []}'), plain_reason(b"", "features.amount")
    ('it cannot be read: JSON that is cut off or broken', 'the mapping does not find what it needs', 'features.amount: not of its type')
    """
    if field is not None:
        return f"{field}: not of its type"
    try:
        decode_generic(value)
    except Undecodable:
        return f"it cannot be read: {looks_like(value)}"
    return "the mapping does not find what it needs"


@lru_cache(maxsize=1024)
def _together(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns))
