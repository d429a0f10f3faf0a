"""Artifact folders on this machine: what is no regular file is listed, and never read."""

import os
from pathlib import Path

import pytest

from compliance.errors import InvalidInput, UnknownReference
from compliance.storage.mirror.files import file_pieces, files_under


def test_nothing_is_followed_and_nothing_waits(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    folder = tmp_path / "artifacts"
    (folder / "d").mkdir(parents=True)
    (folder / "d/file").write_text("f")
    (folder / "link").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    assert files_under(folder) == ["d/file", "folder", "link", "pipe"]
    assert b"".join(file_pieces(folder / "d/file")) == b"f"
    for name in ("folder", "link", "pipe"):
        with pytest.raises(InvalidInput, match="only regular files have a digest"):
            list(file_pieces(folder / name))
    with pytest.raises(UnknownReference):
        list(file_pieces(folder / "gone"))
    assert files_under(tmp_path / "nowhere") == []
