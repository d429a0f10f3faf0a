"""What the server checks about one piece of evidence while its page is made, step by step.

The same steps can be repeated in the browser and, with the downloads, by tools that are not ours; that is the
point of showing them. A pass says who signed, when, and that nothing was changed since; not that it is true.
"""

from dataclasses import dataclass
from hashlib import sha256

from compliance.core import checkpoint, merkle
from compliance.core.envelope import signer_hint, unseal
from compliance.core.trust import Keyring
from compliance.errors import ComplianceError
from compliance.storage.ledger import Entry, Ledger


@dataclass(frozen=True, slots=True)
class Step:
    """One check: what was compared, and whether it holds; None where there is nothing left to check."""

    title: str
    holds: bool | None
    detail: str


def steps(ledger: Ledger, keys: Keyring, index: int, log_key: str) -> list[Step]:
    """Return the checks of one entry, in the order in which they build on each other."""
    entry = ledger.entry(index)
    envelope = ledger.envelope(entry.envelope)
    found = [_envelope(entry, envelope)]
    if envelope is not None:
        found.append(_signature(entry, envelope, keys))
    return [*found, *_place(ledger, entry, log_key)]


def _envelope(entry: Entry, envelope: bytes | None) -> Step:
    title = "The signed envelope is the one that the ledger names"
    if envelope is None:
        return Step(title, None, "The envelope was erased; its digest remains in the entry.")
    return Step(title, sha256(envelope).hexdigest() == entry.envelope, f"SHA-256 {entry.envelope}")


def _signature(entry: Entry, envelope: bytes, keys: Keyring) -> Step:
    title = "A registered key signed it"
    try:
        hint = signer_hint(envelope)
        if why := keys.fault(hint, entry.logged_at, entry.index):
            return Step(title, False, why)
        key = keys.known(hint, entry.index)
        if key is None:
            return Step(title, False, "unknown key")
        unseal(envelope, {hint: key.key})
    except ComplianceError as error:
        return Step(title, False, error.problem)
    held = f" held by {key.holder}" if key.holder != key.name else ""
    return Step(title, True, f"{key.name}, a {key.holder_type}'s key{held}, valid when it was logged")


def _place(ledger: Ledger, entry: Entry, log_key: str) -> list[Step]:
    inclusion, signed = "It stands at its place in the ledger", "The ledger's key signed size and root"
    note = ledger.checkpoint()
    if note is None:
        return [Step(inclusion, False, "The ledger has no checkpoint.")]
    try:
        head = checkpoint.verify(note, log_key)
    except ComplianceError as error:
        return [Step(inclusion, False, "The checkpoint does not hold."), Step(signed, False, error.problem)]
    try:
        path = ledger.inclusion(entry.index, head.size)
        merkle.verify_inclusion(merkle.leaf_hash(entry.leaf), entry.index, head.size, path, head.root)
        placed = Step(inclusion, True, f"Number {entry.index} of {head.size} entries, by a proof of {len(path)} hashes")
    except (ComplianceError, ValueError) as error:
        placed = Step(inclusion, False, str(error))
    return [placed, Step(signed, True, f"{head.origin}, {head.size} entries")]


def text(ledger: Ledger, index: int) -> str:
    """Return the proof that an entry stands under the newest checkpoint, as a tlog-proof file."""
    note = ledger.checkpoint() or ""
    return checkpoint.proof(index, ledger.inclusion(index, checkpoint.unverified(note).size), note)
