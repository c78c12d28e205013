"""Which scripts put spaces between words."""

import re
from collections.abc import Iterable

#: Thai, Lao; Tibetan; Myanmar; Khmer; kana, bopomofo and Han, halfwidth kana and the planes beyond too. Hangul has spaces.
_UNSPACED = (
    "\u0e01-\u0edf\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"
    "\u3005-\u312f\u31a0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
_unspaced, _letters = re.compile(f"[{_UNSPACED}]"), re.compile(r"\w")


def spaced(texts: Iterable[str]) -> bool:
    """Whether most letters are of scripts that put spaces between words.

    >>> spaced(["Guten Tag", "猫"]), spaced(["吾輩は猫である", "ok"])
    (True, False)
    """
    of_spaced = 0
    for text in texts:
        of_spaced += len(_letters.findall(text)) - 2 * len(_unspaced.findall(text))
    return of_spaced >= 0
