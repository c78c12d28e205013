"""How ``tests/data/reviews.parquet`` was made: sentences of four kinds, of the data published with

Hutto, C.J. & Gilbert, E.E. (2014). *VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text.* Eighth
International Conference on Weblogs and Social Media (ICWSM-14). MIT licence, copyright (c) 2016 C.J. Hutto.

All of the Amazon reviews, of the others as many as the tests need::

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    python -m tests.real.reduce_reviews vaderSentiment-3.3.2.tar.gz tests/data/reviews.parquet
"""

import sys
import tarfile
from pathlib import Path

import duckdb

_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
#: Per kind its file, and that every so many-th of its sentences is taken.
_KINDS = {
    "product reviews": ("amazonReviewSnippets", 1),
    "film reviews": ("movieReviewSnippets", 9),
    "editorials": ("nytEditorialSnippets", 4),
    "tweets": ("tweets", 3),
}


def reduce(sdist: Path, target: Path) -> None:
    """Write kind and text, in the order of the source's files."""
    rows: list[tuple[str, str]] = []
    with tarfile.open(sdist) as outer, tarfile.open(fileobj=outer.extractfile(_ARCHIVE)) as inner:
        for kind, (name, every) in _KINDS.items():
            file = inner.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
            assert file is not None
            lines = file.read().decode("utf-8").splitlines()
            rows += [(kind, line.split("\t", 2)[2].strip()) for line in lines[::every]]
    with duckdb.connect() as sql:
        sql.execute("create table sentences (kind varchar, text varchar)")
        sql.executemany("insert into sentences values (?, ?)", rows)
        sql.execute(f"copy sentences to '{target}' (format parquet, parquet_version v2, compression zstd, compression_level 19)")


if __name__ == "__main__":
    reduce(Path(sys.argv[1]), Path(sys.argv[2]))
