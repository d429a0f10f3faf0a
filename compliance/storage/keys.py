"""Private keys on disk: encrypted, readable by their owner only, and found by URI.

A key NAME is two files: NAME.pem (PKCS #8, encrypted with AES-256 under scrypt, RFC 7914; mode 0600) and NAME.pub for
outsiders. Trust never comes from a folder: which key may sign what is read from the ledger (core.trust).
Pass phrases and private keys reach no message, log or table.
"""

import base64
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from compliance.core.envelope import PublicKey
from compliance.errors import Conflict, InvalidInput, Unavailable

KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
VARIABLE = "COMPLIANCE_PASSPHRASE"
LOG_VARIABLE = "COMPLIANCE_LOG_PASSPHRASE"
_ECDSA_SHA256 = ECDSA(SHA256())
_PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, decrypted in memory, that signs bytes."""

    name: str
    public_key: PublicKey
    key: _PrivateKey = field(repr=False, compare=False)

    @property
    def hint(self) -> str:
        return self.public_key.hint

    @property
    def public_pem(self) -> str:
        return self.public_key.pem

    @property
    def algorithm(self) -> str:
        return self.public_key.algorithm

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data`: DER of ECDSA over its SHA-256, or Ed25519 over the data itself."""
        if isinstance(self.key, Ed25519PrivateKey):
            return self.key.sign(data)
        return self.key.sign(data, _ECDSA_SHA256)


def create_key(folder: Path, name: str, passphrase: bytes, algorithm: str = "p256") -> Signer:
    """Make a key pair in `folder`. Raises Conflict where the name is taken: a key file is never overwritten."""
    if not KEY_NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} cannot name a key.", remedy="Use letters, digits, dots, dashes and underscores.")
    if not passphrase:
        raise InvalidInput("The pass phrase is empty.", remedy="Choose one: a private key is never kept in the clear.")
    key: _PrivateKey
    if algorithm == "p256":
        key = generate_private_key(SECP256R1())
    elif algorithm == "ed25519":
        key = Ed25519PrivateKey.generate()
    else:
        raise InvalidInput(f"There is no algorithm {algorithm!r} here.", remedy="Use p256 or ed25519.")
    signer = Signer(name, PublicKey.of(key.public_key()), key)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(folder / f"{name}.pem", _encrypted(key, passphrase), 0o600)
        _write_new(folder / f"{name}.pub", signer.public_pem.encode(), 0o644)
    except FileExistsError as error:
        raise Conflict(
            f"A key named {name} stands in {folder} already.", remedy="Choose another name; keys are never overwritten."
        ) from error
    except OSError as error:
        raise Unavailable(
            f"The key {name} cannot be written in {folder}: {error.strerror}.",
            remedy="Check the folder's permissions and the disk's space.",
        ) from error
    return signer


def load_signer(uri: str, root: Path, passphrase: Callable[[], bytes]) -> Signer:
    """Return the private key that `uri` names: `file:PATH` (from `root`) or `env:VARIABLE` (PEM text).

    `passphrase` is asked only where the key is encrypted. Raises InvalidInput for a URI that means nothing
    here, Unavailable where the key is not there or the pass phrase is missing or wrong.
    """
    scheme, _, where = uri.partition(":")
    if scheme == "file" and where:
        name, pem = Path(where).stem, _read(root / where)
    elif scheme == "env" and where:
        name, pem = where, os.environ.get(where, "").encode()
        if not pem:
            raise Unavailable(f"The variable {where} holds no key.", remedy=f"Set {where} to the key's PEM text.")
    else:
        raise InvalidInput(
            f"{uri!r} names no key that can be reached from here.",
            remedy="Use file:PATH of a PEM file, or env:VARIABLE that holds one.",
        )
    key = _decrypted(pem, passphrase, where)
    if not isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise InvalidInput(
            f"The key in {where} is neither ECDSA P-256 nor Ed25519.",
            remedy="Make one with `compliance key create NAME`.",
        )
    return Signer(name, PublicKey.of(key.public_key()), key)


def prompt(text: str) -> str:
    """Ask on the terminal. Who draws on it meanwhile puts something in this place that stops drawing first."""
    from getpass import getpass

    return getpass(text)


def passphrase_source(
    root: Path, config_passphrase_file: str | Path | None, variable: str = VARIABLE, *, ask: bool = True
) -> Callable[[], bytes]:
    """Return what fetches the pass phrase when needed: environment, then file, then, where it may `ask`, a terminal.

    The log key has a variable of its own and falls back on the general one. What is returned raises Unavailable
    where none of these yields a pass phrase.
    """

    def fetch() -> bytes:
        for name in dict.fromkeys((variable, VARIABLE)):
            if value := os.environ.get(name):
                return value.encode()
        if config_passphrase_file is not None:
            return _read(root / config_passphrase_file).strip()
        at_hand = ask and sys.stdin is not None and sys.stdin.isatty()
        if at_hand and (typed := prompt("Pass phrase of the signing key: ")):
            return typed.encode()
        raise Unavailable(
            "The signing key needs a pass phrase, and none was given.",
            remedy=f"Set {variable}{', or run the command on a terminal' if ask else ''}.",
        )

    return fetch


def _decrypted(pem: bytes, passphrase: Callable[[], bytes], where: str) -> object:
    encrypted = b"ENCRYPTED" in pem
    secret = passphrase() if encrypted else None
    try:
        return load_pem_private_key(pem, secret)
    except (ValueError, TypeError):
        pass  # the library's words may quote what it read: leave them out, cause included
    if encrypted:
        raise Unavailable(
            f"The key in {where} does not open with this pass phrase.",
            remedy="Give the right pass phrase; a lost one cannot be recovered, only the key rotated by another admin.",
        )
    raise InvalidInput(f"{where} holds no private key in PEM form.", remedy="Give the NAME.pem file of the key.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {error.strerror}.", remedy="Check the path in compliance.toml and its permissions."
        ) from error


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not exist yet, durably, with its mode from the first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


# PKCS #8 as `cryptography` writes it derives its key with 2,048 rounds of PBKDF2, which a weak pass phrase does not
# survive; so the EncryptedPrivateKeyInfo of RFC 8018 is put together here. OpenSSL and `cryptography` read it.
_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_LANES = 2**14, 8, 1
_OID_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_OID_SCRYPT = bytes.fromhex("06092b06010401da47040b")
_OID_AES256_CBC = bytes.fromhex("060960864801650304012a")


def _encrypted(key: _PrivateKey, passphrase: bytes) -> bytes:
    salt, iv = os.urandom(16), os.urandom(16)
    secret = Scrypt(salt=salt, length=32, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=_SCRYPT_LANES).derive(passphrase)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    fill = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()
    numbers = b"".join(_integer(value) for value in (_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_LANES, 32))
    derivation = _sequence(_OID_SCRYPT, _sequence(_octets(salt), numbers))
    scheme = _sequence(_OID_PBES2, _sequence(derivation, _sequence(_OID_AES256_CBC, _octets(iv))))
    text = base64.b64encode(_sequence(scheme, _octets(sealed)))
    lines = b"\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n%s\n-----END ENCRYPTED PRIVATE KEY-----\n" % lines


def _der(tag: int, value: bytes) -> bytes:
    size = len(value)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big") if size > 255 else bytes([0x81, size])
    return bytes([tag]) + length + value


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, b"".join(parts))


def _octets(value: bytes) -> bytes:
    return _der(0x04, value)


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))
