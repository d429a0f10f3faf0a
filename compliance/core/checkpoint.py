"""A signed statement of the ledger's size and root, as text that any transparency-log tool reads.

Follows C2SP signed-note v1.0.0 and tlog-checkpoint v1.0.0. Numbers are read in one spelling only; signatures
by keys that we do not know are passed over, and one by a known key that fails rejects the whole note.
Held to tests/vectors/evidence.json and to the example in C2SP signed-note.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.errors import BadSignature, InvalidInput, VerificationFailed

MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64
_ED25519 = b"\x01"
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_BODY_LINES = 3
_PROOF = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How many leaves a log holds, and the root over them."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Return the signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class LogKey:
    """The log's public key under its name: what a verifier must hold."""

    name: str
    public: bytes
    """32 bytes, Ed25519."""

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """Return the verifier key as C2SP writes it: NAME+ID+KEY."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key. Raises InvalidInput."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raw = b""
        if not _NAME.fullmatch(name) or len(raw) != 33 or raw[:1] != _ED25519:
            raise InvalidInput(
                "This is not the verifier key of an Ed25519 log (NAME+ID+KEY).",
                remedy="Copy `log_key` from the [ledger] table of compliance.toml as it stands.",
            )
        key = cls(name, raw[1:])
        if key.key_id.hex() != key_id:
            raise InvalidInput(
                f"The id {key_id} in this verifier key is not that of its name and key ({key.key_id.hex()}).",
                remedy="Copy `log_key` from the [ledger] table of compliance.toml as it stands.",
            )
        return key


def vkey(name: str, public: bytes) -> str:
    """Return the verifier key of an Ed25519 key (32 bytes) under `name`."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot name a log: no spaces, no plus signs.",
            remedy="Use a name like a web address without scheme, such as example.org/clinical-risk.",
        )
    return str(LogKey(name, public))


def parse_vkey(text: str) -> LogKey:
    """Read a verifier key. Raises InvalidInput."""
    return LogKey.parse(text)


def sign(checkpoint: Checkpoint, signer: Callable[[bytes], bytes], public: bytes) -> str:
    """Return the checkpoint as a note signed by the log's Ed25519 key (`public`: its 32 bytes), named as its origin."""
    key_id = LogKey(checkpoint.origin, public).key_id
    signature = base64.b64encode(key_id + signer(checkpoint.body().encode())).decode()
    return f"{checkpoint.body()}\n— {checkpoint.origin} {signature}\n"


def verify(note: str, key: LogKey | str) -> Checkpoint:
    """Check the log's signature, then read the note. Raises BadSignature or VerificationFailed."""
    key = parse_vkey(key) if isinstance(key, str) else key
    body, signatures = _split(note)
    ours = [value for name, key_id, value in signatures if name == key.name and key_id == key.key_id]
    if not ours:
        raise BadSignature(
            f"The checkpoint is not signed by {key}.",
            remedy="Compare the log key with the one you were given; this may be another ledger's checkpoint.",
        )
    public = Ed25519PublicKey.from_public_bytes(key.public)
    for value in ours:
        try:
            public.verify(value, body.encode())
        except InvalidSignature:
            raise BadSignature(
                "The checkpoint's signature does not match its text.",
                remedy="It was changed after it was signed. Take a copy from another place.",
            ) from None
    checkpoint = _read(body)
    if checkpoint.origin != key.name:
        raise VerificationFailed(
            f"The checkpoint is about {checkpoint.origin}, not {key.name}.",
            remedy="Compare the log key with the one you were given; this is another ledger's checkpoint.",
        )
    return checkpoint


def proof(index: int, path: Sequence[bytes], note: str) -> str:
    """Return an inclusion proof with its checkpoint as one text file (C2SP tlog-proof)."""
    hashes = "".join(f"{base64.b64encode(value).decode()}\n" for value in path)
    return f"{_PROOF}\nindex {index}\n{hashes}\n{note}"


def read_proof(text: str) -> tuple[int, list[bytes], str]:
    """Return index, hashes and checkpoint of a proof file, nothing of it checked. Raises VerificationFailed."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    index = lines[1].removeprefix("index ") if len(lines) > 1 else ""
    if len(text) > MAX_NOTE or lines[0] != _PROOF or not _SIZE.fullmatch(index):
        raise VerificationFailed("This is not a proof of inclusion.", remedy="Give the file as it was handed out.")
    try:
        return int(index), [base64.b64decode(line, validate=True) for line in lines[2:]], note
    except (binascii.Error, ValueError):
        raise VerificationFailed(
            "The proof's hashes are damaged.", remedy="Give the file as it was handed out."
        ) from None


def unverified(note: str) -> Checkpoint:
    """Read a note without checking any signature: to find its place, never to trust it."""
    return _read(_split(note)[0])


def _split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return the signed text and (name, key id, signature) of each signature line."""
    text, blank, tail = note.rpartition("\n\n")
    lines = tail.split("\n")[:-1]
    if len(note) > MAX_NOTE or not blank or not tail.endswith("\n") or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise _unreadable("it is not a signed note")
    if _CONTROL.search(note):
        raise _unreadable("it holds control characters")
    signatures = []
    for line in lines:
        dash, name, encoded = [*line.split(" "), "", ""][:3]
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        canonical = len(raw) >= 5 and base64.b64encode(raw).decode() == encoded
        if dash != "—" or line.count(" ") != 2 or not _NAME.fullmatch(name) or not canonical:
            raise _unreadable("a signature line is malformed")
        signatures.append((name, raw[:4], raw[4:]))
    return text + "\n", signatures


def _read(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) <= _BODY_LINES or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise _unreadable("origin, size or root is missing or misspelt")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if len(root) != 32 or base64.b64encode(root).decode() != lines[2]:
        raise _unreadable("the root is not the base64 of 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def _unreadable(why: str) -> VerificationFailed:
    return VerificationFailed(
        f"This is not a checkpoint: {why}.", remedy="Give the file `checkpoint` as it was handed out."
    )
