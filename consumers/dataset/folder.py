"""A folder of data: it gets its name when all is in it, and never another content."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...schemas.stored.dataset import Manifest
from ...schemas.unusable import Unusable

#: Beside these, whoever has the data may leave what he likes.
MANIFEST, PARTS = "manifest.json", "part-*.parquet"


class UnusableFolder(Unusable):
    """A folder in which data cannot be put, or are not as they were. The message says why."""


@contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """A folder to write to, which takes the name when the block has ended well. What somebody left half is thrown away."""
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    with _locked(part):
        for left in part.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        try:
            yield part
            for written in (*part.rglob("*"), part):
                _sync(written)
            if out.exists() or out.is_symlink():
                msg = f"{out} is there already; name another folder"
                raise UnusableFolder(msg)
            part.rename(out)
            _sync(out.parent)
        finally:
            if part.is_dir():
                shutil.rmtree(part)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nobody else writes there meanwhile; the lock is let go with the process."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(folder, descriptor):
                yield
                return
        except BlockingIOError:
            msg = f"{folder} is being written by another process"
            raise UnusableFolder(msg) from None
        finally:
            os.close(descriptor)


def _is(folder: Path, descriptor: int) -> bool:
    """Whether it still has that name: who had the lock may have given it its own."""
    try:
        return os.path.samestat(folder.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def manifest_of(folder: Path) -> Manifest:
    """What is said of the data in a folder."""
    file = folder / MANIFEST
    try:
        return Manifest.decoded(file.read_bytes())
    except FileNotFoundError:
        msg = f"{folder} holds no data of a job: there is no {MANIFEST} in it"
        raise UnusableFolder(msg) from None
    except ValueError as error:
        msg = f"{file} cannot be read: {' '.join(str(error).split())[:300]}"
        raise UnusableFolder(msg) from None
