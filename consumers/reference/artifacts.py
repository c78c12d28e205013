"""Where references and golden sets are kept: a folder, or any fsspec URL, under the hash of their content."""

from pathlib import Path

import fsspec

from ...schemas.identity import content_hash
from ...schemas.stored.reference import Reference
from .files import written_whole
from .kept import Kept

#: References that are kept as they were read, and bytes of their artifacts.
MOST_DECODED, MOST_DECODED_BYTES = 256, 1 << 26


class ArtifactError(Exception):
    """A stored content cannot be had, or is not what its name says. Never taken for "unmonitored"."""


class ArtifactStore:
    """Contents by their hash, at ``URL/references/sha256-DIGITS.json``; other contents in a ``folder`` of their own.

    *Guarantee*: what `get` returns is what was `put`: its hash is checked at every reading. A process that dies while it writes leaves no
    content under that name: local files are renamed into place, and object stores show an object when it is whole.
    """

    def __init__(self, url: str, folder: str = "references") -> None:
        self._folder = folder
        self.url = url.rstrip("/")
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            msg = f"artifacts: {url!r} cannot be used: {error}"
            raise ArtifactError(msg) from error
        self._local = "file" in self._files.protocol
        self._kept = Kept(self._reference, MOST_DECODED, MOST_DECODED_BYTES)

    def _path(self, name: str) -> str:
        return f"{self._root}/{self._folder}/{name.replace(':', '-')}.json"

    def beside(self, folder: str) -> "ArtifactStore":
        """Other contents, at the same URL."""
        return ArtifactStore(self.url, folder)

    def put(self, content: bytes) -> str:
        """Store a content; returns its hash. What is there already is left as it is."""
        name = content_hash(content)
        path = self._path(name)
        try:
            if self._files.exists(path) and self._files.cat_file(path) == content:
                return name
            if self._local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                with written_whole(Path(path)) as place:
                    place.write_bytes(content)
            else:
                self._files.pipe_file(path, content)
        except Exception as error:  # whatever a file system of fsspec raises: they share no base class
            msg = f"artifacts: {self.url} does not let {name} be written: {error or type(error).__name__}"
            raise ArtifactError(msg) from error
        return name

    def get(self, name: str) -> bytes:
        """The content of that hash."""
        try:
            content = bytes(self._files.cat_file(self._path(name)))
        except FileNotFoundError as error:
            msg = f"artifacts: {self.url} has no {name}; every process of an application must see the same artifacts"
            raise ArtifactError(msg) from error
        except Exception as error:  # as above
            msg = f"artifacts: {name} cannot be read from {self.url}: {error or type(error).__name__}"
            raise ArtifactError(msg) from error
        if content_hash(content) != name:
            msg = f"artifacts: {self._path(name)} was changed: its content is {content_hash(content)}; build it again"
            raise ArtifactError(msg)
        return content

    def reference(self, name: str) -> Reference:
        """The reference of that hash; the last ones read are kept."""
        return self._kept(name)

    def _reference(self, name: str) -> tuple[Reference, int]:
        content = self.get(name)
        try:
            return Reference.decoded(content), len(content)
        except ValueError as error:
            msg = f"artifacts: {name} cannot be read by this release: {error}; was it built by a newer one? Build it again with this one"
            raise ArtifactError(msg) from error
