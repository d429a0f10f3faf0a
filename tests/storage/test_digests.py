"""Digests of real files, folders and things that are neither, against coreutils and the OMS vector."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from compliance.core.evidence import Basis
from compliance.errors import InvalidInput, Unavailable
from compliance.storage import digests


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "my-model"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_bytes(b'{"a":1}\n')
    (folder / "weights.bin").write_bytes(bytes(1000))
    (folder / "sub/Z.txt").write_bytes(b"z")
    return folder


@pytest.mark.parametrize("size", [0, 1, digests.BUFFER - 1, digests.BUFFER, digests.BUFFER + 1, 3 * digests.BUFFER + 7])
def test_a_files_digest_is_what_sha256sum_prints(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    printed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert digests.subject_digest(path) == (printed, Basis.FILE)


def test_a_folders_digest_is_the_oms_root(model: Path) -> None:
    root = "917a435067ecd13c5df29038368b378497c09072aeb0d435b3d9bf0c0837f78e"
    assert digests.subject_digest(model) == (root, Basis.FOLDER)


def test_git_files_are_left_out_at_the_top_only(model: Path) -> None:
    before = digests.subject_digest(model)
    (model / ".git").mkdir()
    (model / ".git/HEAD").write_text("ref")
    (model / ".gitattributes").write_text("*.bin filter=lfs")
    assert digests.subject_digest(model) == before
    (model / "sub/.gitignore").write_text("x")
    assert digests.subject_digest(model) != before


def test_every_file_of_many_is_in_the_manifest_once(tmp_path: Path) -> None:
    for number in range(digests.BATCH_FILES * 2 + 3):
        (tmp_path / f"{number:04}").write_text(str(number))
    manifest = digests.folder_manifest(tmp_path)
    assert [name for name, _ in manifest] == [f"{number:04}" for number in range(digests.BATCH_FILES * 2 + 3)]
    assert dict(manifest)["0007"] == digests.file_digest(tmp_path / "0007")


def make_link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def make_folder_link(path: Path) -> None:
    path.symlink_to("/etc")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "called"),
    [(make_link, "link"), (make_folder_link, "link"), (os.mkfifo, "pipe"), (make_socket, "socket")],
)
def test_what_is_no_regular_file_is_refused_by_name(model: Path, make, called: str) -> None:
    make(model / "sub/odd")
    for subject in (model, model / "sub/odd"):
        with pytest.raises(InvalidInput, match=rf"sub/odd is a .*{called}") as caught:
            digests.subject_digest(subject)
        assert caught.value.remedy


def test_a_missing_path_and_a_file_taken_for_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nothing at .*absent"):
        digests.subject_digest(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="file is not a folder"):
        digests.folder_manifest(tmp_path / "file")


def test_an_unreadable_file_is_named() -> None:
    with pytest.raises(Unavailable, match="/proc/self/mem could not be read"):  # even root cannot read its page 0
        digests.file_digest(Path("/proc/self/mem"))


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing"
    path.write_bytes(bytes(10))
    read = digests._read

    def grow_then_read(descriptor: int, expected: int) -> tuple[str, int]:
        with path.open("ab") as file:
            file.write(b"more")
        return read(descriptor, expected)

    monkeypatch.setattr(digests, "_read", grow_then_read)
    with pytest.raises(Unavailable, match="growing changed"):
        digests.file_digest(path)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff", "wb"):
        pass
    with pytest.raises(InvalidInput, match="not UTF-8"):
        digests.folder_manifest(tmp_path)
