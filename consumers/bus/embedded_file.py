"""What is asked of the embedded bus's file before and after SQLite is."""

import os
import sqlite3
from pathlib import Path

from .interface import BusError


def check_names(file: str) -> None:
    """SQLite keeps its log beside the name that it was given: through two hard links two processes would spoil the file."""
    path = Path(file)
    if file != ":memory:" and path.is_file() and (names := path.stat().st_nlink) > 1:
        msg = f"embedded: {file} has {names} names (hard links), through two of which it would be spoilt; leave it one, or take a symlink"
        raise BusError(msg)


def unusable(file: str, error: sqlite3.Error) -> str:
    """Why SQLite cannot use a file, as its user can mend it."""
    folder = Path(file).parent
    if not folder.is_dir():
        return f"embedded: {file} cannot be used: there is no folder {folder}; make it, or name another file"
    mine = os.access(folder, os.W_OK | os.X_OK) and (not Path(file).exists() or os.access(file, os.R_OK | os.W_OK))
    remedy = "name another file" if mine else f"let this user write to it and to {folder}, where its log is, or name another file"
    return f"embedded: {file} cannot be used ({error}); {remedy}"
