"""German and Japanese sentences that people wrote, unlike others: ``python -m tests.benchmarks.familiarity_catalogues FOLDER``.

The folder holds wheels whose catalogues of messages are translated: ``pip download --no-deps -d FOLDER django wagtail gramps trac weblate
sphinx plone.app.locales``. What one application says is the training data, what others say is new; all of them speak of files, users and
pages too, so that nobody can tell all of it apart. Beside tf-idf of characters 3 to 5 with one nearest, on the same reference. Means of
three splits for every pair of applications. Raw figures: ``results/familiarity_catalogues.json``.
"""

import json
import re
import sys
import zipfile
from gettext import GNUTranslations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from driftbus.consumers.reference.token_vectors import installed_tokens
from driftbus.detectors.neighbours.texts import TextIndex

from .familiarity import auroc, by_tf_idf, scored
from .world import RESULTS

LANGUAGES = {"German": "de", "Japanese": "ja"}
#: Sentences that an application needs to be the training data, to be new, and of these that are looked at.
KNOWN, NEW, MOST, SPLITS = 600, 100, 4_000, 3
#: Characters of a sentence: fewer are a label of a button.
LEAST_CHARACTERS = {"German": 25, "Japanese": 12}
#: Places for values, marks of HTML and of shortcuts: they are no language.
_NO_PROSE = re.compile(r"<[^>]*>|%\([^)]*\)[a-z]|%[a-z]|\{[^}]*\}|\$\{[^}]*\}|&[a-z]+;|[_&`*]")


class Found(NamedTuple):
    """Of one pair."""

    ours: float
    tf_idf: float
    recall: float  #: of what is new, flagged at .05
    fresh: float  #: of the application's other sentences


def sentences(wheel: Path, language: str) -> list[str]:
    """Different ones, sorted."""
    found = set[str]()
    with zipfile.ZipFile(wheel) as content:
        for name in content.namelist():
            if name.endswith(".mo") and f"/{LANGUAGES[language]}/LC_MESSAGES/" in name:
                with content.open(name) as file:
                    texts = [text for key, text in GNUTranslations(file)._catalog.items() if key]  # type: ignore[attr-defined]  # gettext has no other list
                found.update(" ".join(_NO_PROSE.sub(" ", text).split()) for text in texts)
    return sorted(one for one in found if len(one) >= LEAST_CHARACTERS[language])


def pairs(said: dict[str, list[str]], known: str) -> tuple[str, dict[str, Found]]:
    """The embedder chosen for an application's sentences, and how others are told from them."""
    runs: dict[str, list[Found]] = {}
    for seed in range(SPLITS):
        draw = np.random.default_rng(seed)
        own = [said[known][row] for row in draw.permutation(len(said[known]))[:MOST].tolist()]
        fresh, training = own[: len(own) // 5], own[len(own) // 5 :]
        index, report = TextIndex.built(training, tokens=installed_tokens())
        reference = [training[row] for row in sorted(set(index.rows.tolist()))]
        usual = scored(index, fresh)
        for other, texts in said.items():
            if other != known and len(texts) >= NEW:
                new = [texts[row] for row in draw.permutation(len(texts))[:500].tolist() if texts[row] not in set(own)]
                unlike = scored(index, new)
                shares = (float(np.mean(one.p <= 0.05)) for one in (unlike, usual))
                runs.setdefault(other, []).append(Found(auroc(usual.scores, unlike.scores), by_tf_idf(reference, fresh, new), *shares))
    return report.embedder, {other: Found(*np.mean(of, axis=0).round(4).tolist()) for other, of in runs.items()}


def main(folder: Path) -> None:
    """Print, and keep the raw figures."""
    result: dict[str, object] = {}
    for language in LANGUAGES:
        said = {wheel.name.split("-")[0].lower(): sentences(wheel, language) for wheel in sorted(folder.glob("*.whl"))}
        told = {known: pairs(said, known) for known, texts in said.items() if len(texts) >= KNOWN}
        every = {f"{known}, new: {other}": one for known, (_, of) in told.items() for other, one in of.items()}
        means = Found(*np.mean(list(every.values()), axis=0).round(4).tolist())
        worst, _ = min(every.items(), key=lambda one: one[1].ours)
        behind, _ = max(every.items(), key=lambda one: one[1].tf_idf - one[1].ours)
        result[language] = {
            "sentences": {name: len(texts) for name, texts in said.items()},
            "embedders": sorted({embedder for embedder, _ in told.values()}),
            "mean": means._asdict(),
            "worst": {"pair": worst, **every[worst]._asdict()},
            "farthest behind": {"pair": behind, **every[behind]._asdict()},
            "pairs": {pair: one._asdict() for pair, one in every.items()},
        }
        print(language, json.dumps(result[language], indent=1), flush=True)
    (RESULTS / "familiarity_catalogues.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
