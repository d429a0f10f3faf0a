"""A workspace that was moved or copied: MLflow's database still names its old folder, absolutely.

MLflow offers no call that changes where an experiment's files lie, so the paths are mended in the SQLite
file itself, which stands inside the workspace, in one transaction, and in path columns alone. Until then
the paths are read as if mended: a copy never reads or writes its original's files
(docs/decisions/mending-artifact-paths.md).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from compliance.errors import Unavailable
from compliance.storage.mirror.files import local_folder

PATH_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where a workspace went; both are absolute folders."""

    old: Path
    new: Path

    def mend(self, uri: str) -> str:
        """Return an artifact URI or path as it is after the move."""
        for old, new in self._prefixes():
            if uri == old or uri.startswith(old + "/"):
                return new + uri[len(old) :]
        return uri

    def _prefixes(self) -> Iterator[tuple[str, str]]:
        yield self.old.as_uri(), self.new.as_uri()
        yield str(self.old), str(self.new)


def folder_of(artifacts: Path, experiment: str) -> Path:
    """Return the folder that holds the files of an experiment that we make."""
    return artifacts / experiment.replace("/", "-")


def find_move(database: Path, artifacts: Path, root: Path, experiment: str) -> Move | None:
    """Return how the workspace at `root` moved since our experiment was made, or None where it did not.

    Only a database and a folder inside the workspace move with it; anything else is somebody's own choice.
    """
    here = folder_of(artifacts, experiment)
    if not (database.is_relative_to(root) and here.is_relative_to(root) and database.exists()):
        return None
    tail = here.relative_to(root).as_posix()
    with _opened(database, "ro") as connection:
        rows = connection.execute("SELECT artifact_location FROM experiments WHERE name = ?", (experiment,)).fetchall()
    for (location,) in rows:
        folder = local_folder(location or "")
        if folder is not None and folder != here and str(folder).endswith("/" + tail):
            return Move(Path(str(folder).removesuffix("/" + tail)), root)
    return None


def mend(database: Path, move: Move) -> int:
    """Write the new folder into MLflow's database and return how many paths were changed."""
    changed = 0
    with _opened(database, "rw") as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        for table, column in PATH_COLUMNS:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
            mended = [(move.mend(path), rowid) for rowid, path in rows if move.mend(path) != path]
            connection.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", mended)
            changed += len(mended)
    return changed


@contextmanager
def _opened(database: Path, mode: str) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode={mode}", uri=True, timeout=30)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise Unavailable(
            f"{database} cannot be read as MLflow's database: {error}.",
            remedy="Check the file and its permissions; `mlflow db upgrade` makes the tables of a new version.",
        ) from error
