"""The cache of digests: right or silent, whatever is done to files, clocks and the cache itself."""

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from compliance.storage import digest_cache, digests
from compliance.storage.digest_cache import SMALLEST, DigestCache
from compliance.storage.keys import Signer, create_key

OLD = time.time_ns() - 3600 * 10**9


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return create_key(tmp_path_factory.mktemp("keys"), "pipeline", b"for this test")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an hour pass: ctime cannot be set, so the clock that it is held against is moved."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model" / "weights.bin"
    path.parent.mkdir()
    path.write_bytes(bytes(SMALLEST))
    return path


def opened(tmp_path: Path, signer: Signer) -> DigestCache:
    return DigestCache(tmp_path / "digests.json", signer)


def logged(path: Path, tmp_path: Path, signer: Signer) -> tuple[str, bool]:
    """Digest a file as `log model` does; return the digest and whether the file was left unread."""
    cache = opened(tmp_path, signer)
    digest = digests.file_digest(path, cache)
    cache.save()
    return digest, cache.known_files == [str(path)]


@pytest.mark.usefixtures("settled")
def test_an_unchanged_file_is_read_once(weights: Path, tmp_path: Path, signer: Signer) -> None:
    true = sha256(bytes(SMALLEST)).hexdigest()
    assert logged(weights, tmp_path, signer) == (true, False)
    assert logged(weights, tmp_path, signer) == (true, True)
    cache = opened(tmp_path, signer)
    assert digests.folder_manifest(weights.parent, cache) == [("weights.bin", true)]
    assert cache.known_files == [str(weights)]
    assert (tmp_path / "digests.json").stat().st_mode & 0o777 == 0o600


def changed_in_place(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.write(b"\x01")


def changed_and_dated_back(path: Path) -> None:
    before = path.stat()
    changed_in_place(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path) -> None:
    other = path.with_name("new")
    other.write_bytes(b"\x01" + bytes(SMALLEST - 1))
    before = path.stat()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", [changed_in_place, changed_and_dated_back, replaced])
def test_a_changed_file_is_read_again(change, weights: Path, tmp_path: Path, signer: Signer) -> None:
    logged(weights, tmp_path, signer)
    change(weights)
    true = sha256(b"\x01" + bytes(SMALLEST - 1)).hexdigest()
    assert logged(weights, tmp_path, signer) == (true, False)


@pytest.mark.usefixtures("settled")
def test_the_same_bytes_at_another_path_are_read(weights: Path, tmp_path: Path, signer: Signer) -> None:
    logged(weights, tmp_path, signer)
    other = weights.with_name("hard-link.bin")
    os.link(weights, other)
    assert not logged(other, tmp_path, signer)[1]


def test_a_file_just_written_or_from_the_future_is_not_remembered(
    weights: Path, tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged(weights, tmp_path, signer)
    with monkeypatch.context() as later:  # read within two seconds of its writing: an hour makes that no safer
        now = time.time_ns
        later.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)
        assert not DigestCache(tmp_path / "digests.json", signer).known(str(weights), weights.stat())
    future = time.time_ns() + 3600 * 10**9
    os.utime(weights, ns=(future, future))
    logged(weights, tmp_path, signer)
    assert not logged(weights, tmp_path, signer)[1]


def test_a_clock_that_is_set_back_makes_the_cache_silent(
    weights: Path, tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns
    with monkeypatch.context() as later:
        later.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)
        logged(weights, tmp_path, signer)
    monkeypatch.setattr(time, "time_ns", lambda: OLD)
    assert not logged(weights, tmp_path, signer)[1]


@pytest.mark.usefixtures("settled")
def test_a_file_that_changes_while_it_is_read_is_refused_and_not_remembered(
    weights: Path, tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = digests._read

    def write_and_date_back(descriptor: int, expected: int) -> tuple[str, int]:
        found = read(descriptor, expected)
        changed_and_dated_back(weights)
        return found

    monkeypatch.setattr(digests, "_read", write_and_date_back)
    with pytest.raises(digests.Unavailable, match="changed while"):
        logged(weights, tmp_path, signer)
    monkeypatch.undo()
    assert not logged(weights, tmp_path, signer)[1]


@pytest.mark.usefixtures("settled")
def test_nobody_plants_a_digest_without_the_key(weights: Path, tmp_path: Path, signer: Signer) -> None:
    stranger = create_key(tmp_path / "keys", "stranger", b"for this test")
    logged(weights, tmp_path, stranger)
    assert not logged(weights, tmp_path, signer)[1]
    file = tmp_path / "digests.json"
    whole = file.read_bytes()
    for broken in (b"", b"[]", whole[:-20], whole.replace(b'"payload":"ey', b'"payload":"eX', 1)):
        file.write_bytes(broken)
        assert not logged(weights, tmp_path, signer)[1]
        assert logged(weights, tmp_path, signer)[1]


@pytest.mark.usefixtures("settled")
def test_small_files_are_simply_read_and_old_entries_give_way(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").write_bytes(bytes(SMALLEST - 1))
    logged(tmp_path / "small", tmp_path, signer)
    assert not (tmp_path / "digests.json").exists()
    monkeypatch.setattr(digest_cache, "MOST", 2)
    for name in "abc":
        (tmp_path / name).write_bytes(bytes(SMALLEST))
        logged(tmp_path / name, tmp_path, signer)
    assert [logged(tmp_path / name, tmp_path, signer)[1] for name in "cb"] == [True, True]
    assert not logged(tmp_path / "a", tmp_path, signer)[1]


@pytest.mark.usefixtures("settled")
def test_a_cache_that_cannot_be_written_is_no_error(weights: Path, tmp_path: Path, signer: Signer) -> None:
    (tmp_path / "digests.json").mkdir()
    assert logged(weights, tmp_path, signer)[0] == sha256(bytes(SMALLEST)).hexdigest()
    assert not list(tmp_path.glob("*.new"))
