"""Keys on disk: other tools open them with the pass phrase and nobody does without."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from compliance.core.envelope import load_public_key
from compliance.errors import Conflict, InvalidInput, Unavailable
from compliance.storage import keys
from compliance.storage.keys import create_key, load_signer, passphrase_source

SECRET = b"correct horse battery staple"


@pytest.mark.parametrize("algorithm", ["p256", "ed25519"])
def test_a_key_comes_back_and_signs(tmp_path: Path, algorithm: str) -> None:
    made = create_key(tmp_path, "training-pipeline", SECRET, algorithm)
    read = load_signer("file:training-pipeline.pem", tmp_path, lambda: SECRET)
    assert read == made
    assert (read.name, read.algorithm) == ("training-pipeline", algorithm)
    public = load_public_key((tmp_path / "training-pipeline.pub").read_bytes())
    public.verify(read.sign(b"data"), b"data")


@pytest.mark.parametrize("algorithm", ["p256", "ed25519"])
def test_openssl_opens_it_with_the_pass_phrase_only(tmp_path: Path, algorithm: str) -> None:
    create_key(tmp_path, "k", SECRET, algorithm)
    command = ["openssl", "pkey", "-in", tmp_path / "k.pem", "-pubout", "-passin"]
    done = subprocess.run([*command, f"pass:{SECRET.decode()}"], capture_output=True, check=False)
    assert done.stdout == (tmp_path / "k.pub").read_bytes()
    assert subprocess.run([*command, "pass:wrong"], capture_output=True, check=False).returncode != 0


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_key(tmp_path / "keys", "k", SECRET)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys/k.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert b"ENCRYPTED" in (tmp_path / "keys/k.pem").read_bytes()


def test_a_wrong_pass_phrase_is_said_and_not_repeated(tmp_path: Path) -> None:
    create_key(tmp_path, "k", SECRET)
    with pytest.raises(Unavailable, match="does not open") as raised:
        load_signer("file:k.pem", tmp_path, lambda: b"my other secret")
    assert "my other secret" not in repr(raised.value) + str(raised.value.remedy) + repr(raised.value.facts)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_a_signer_never_shows_its_key(tmp_path: Path) -> None:
    assert "private" not in repr(create_key(tmp_path, "k", SECRET)).lower()


def test_no_key_is_overwritten(tmp_path: Path) -> None:
    create_key(tmp_path, "k", SECRET)
    before = (tmp_path / "k.pem").read_bytes()
    with pytest.raises(Conflict, match="already"):
        create_key(tmp_path, "k", SECRET)
    assert (tmp_path / "k.pem").read_bytes() == before


@pytest.mark.parametrize("name", ["", "../k", "a b", "k/l", ".k"])
def test_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name"):
        create_key(tmp_path, name, SECRET)


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="pass phrase is empty"):
        create_key(tmp_path, "k", b"")
    with pytest.raises(InvalidInput, match="no algorithm"):
        create_key(tmp_path, "k", SECRET, "rsa")
    with pytest.raises(InvalidInput, match="names no key"):
        load_signer("pkcs11:token", tmp_path, lambda: SECRET)
    with pytest.raises(Unavailable, match="cannot be read"):
        load_signer("file:none.pem", tmp_path, lambda: SECRET)
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(InvalidInput, match="no private key"):
        load_signer("file:text.pem", tmp_path, lambda: SECRET)
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        create_key(tmp_path / "file/keys", "k", SECRET)


def test_a_key_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_key(tmp_path, "k", SECRET)
    monkeypatch.setenv("SIGNING_KEY", (tmp_path / "k.pem").read_text())
    assert load_signer("env:SIGNING_KEY", tmp_path, lambda: SECRET).hint == made.hint
    monkeypatch.delenv("SIGNING_KEY")
    with pytest.raises(Unavailable, match="holds no key"):
        load_signer("env:SIGNING_KEY", tmp_path, lambda: SECRET)


def test_where_the_pass_phrase_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(keys.VARIABLE, raising=False)
    monkeypatch.delenv(keys.LOG_VARIABLE, raising=False)
    (tmp_path / "passphrase").write_text("from the file\n")
    assert passphrase_source(tmp_path, "passphrase")() == b"from the file"
    monkeypatch.setenv(keys.VARIABLE, "from the environment")
    assert passphrase_source(tmp_path, "passphrase")() == b"from the environment"
    log = passphrase_source(tmp_path, None, keys.LOG_VARIABLE)
    assert log() == b"from the environment"
    monkeypatch.setenv(keys.LOG_VARIABLE, "its own")
    assert log() == b"its own"


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in (keys.VARIABLE, keys.LOG_VARIABLE)}
    code = (
        "from pathlib import Path; from compliance.storage.keys import passphrase_source; "
        "passphrase_source(Path('.'), None)()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Unavailable: The signing key needs a pass phrase" in done.stderr
