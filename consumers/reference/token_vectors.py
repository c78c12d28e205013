"""The token vectors that are installed: two files in WordLlama's wheel, read where they lie. Nothing is looked for on the network."""

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from ...detectors.neighbours.tokens import Tokens

PACKAGE, MODEL = "wordllama", "l2_supercat_256"
_TOKENIZER, _WEIGHTS = "wordllama/tokenizers/l2_supercat_tokenizer_config.json", "wordllama/weights/l2_supercat_256.safetensors"


@cache
def installed_tokens() -> Tokens | None:
    """About 75 MB, read once a process; None without the extra ``ood``.

    The package itself is not imported: its own `load` would look for its tokenizer where it is not, and then on the network. One thread
    embeds: others would be at work in a process that forks.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        wheel = distribution(PACKAGE)
        tokenizer, weights = (Path(str(wheel.locate_file(file))) for file in (_TOKENIZER, _WEIGHTS))
        import tokenizers  # noqa: F401
    except (PackageNotFoundError, ImportError):
        return None
    try:
        return Tokens(f"{PACKAGE}-{wheel.version}/{MODEL}", tokenizer.read_bytes(), weights.read_bytes())
    except OSError as error:
        msg = f"token vectors: {PACKAGE} {wheel.version} is installed, but {error.filename} cannot be read: install it again"
        raise ValueError(msg) from error
