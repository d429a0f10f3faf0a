"""Keys as acts on record: make a pair here, register, rotate and revoke it in the ledger.

Making a key gives it no rights: a key-event signed by a registered admin does, from the entry after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core import people
from compliance.core import trust as trusting
from compliance.core.envelope import PublicKey, load_public_key
from compliance.core.trust import Keyring, Registered
from compliance.errors import Conflict, InvalidInput, UnknownReference
from compliance.services import record
from compliance.services.workspace import KEYS, now
from compliance.storage.keys import KEY_NAME, Signer, create_key

if TYPE_CHECKING:
    from compliance.services.record import Logged
    from compliance.services.workspace import Workspace

RESERVED = "log"
"""Name of the key that signs checkpoints: it signs no evidence."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as the ledger knows it now."""

    name: str
    holder: str
    holder_type: str
    roles: tuple[str, ...]
    state: str
    """`active`, `not yet valid`, `expired`, `rotated` or `revoked`."""
    hint: str
    algorithm: str
    valid_from: str
    valid_until: str | None

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def create(ws: "Workspace", name: str, *, algorithm: str = "p256") -> Signer:
    """Make an encrypted key pair in the workspace. It may sign once `trust` has registered it."""
    if name == RESERVED:
        raise InvalidInput(f"{name!r} is the name of the ledger's own key.", remedy="Choose another name.")
    return create_key(ws.root / KEYS, name, ws.passphrase()(), algorithm)


def list_(ws: "Workspace") -> list[Listed]:
    """Return every key that the ledger knows, oldest registration first."""
    moment = now()
    return [
        Listed(
            name=key.name,
            holder=key.holder,
            holder_type=key.holder_type,
            roles=key.roles,
            state=_state(key, moment),
            hint=key.hint,
            algorithm=key.key.algorithm,
            valid_from=key.valid_from,
            valid_until=key.valid_until,
        )
        for key in keyring(ws).current()
    ]


def keyring(ws: "Workspace") -> Keyring:
    """Return the keys as the ledger registers them now, signatures taken on record."""
    return trusting.keyring(record.key_events(ws.ledger))


def trust(
    ws: "Workspace",
    public_key: Path | Signer,
    *,
    holder: str,
    roles: Sequence[str],
    name: str | None = None,
    holder_type: str = "person",
    valid_until: str | None = None,
    key: str | None = None,
) -> "list[Logged]":
    """Register a public key (a PEM file, or a key just made), signed by an admin's key.

    `valid_until` is the last day, or the last moment, on which it may sign. Raises InvalidInput for an unknown
    role or a holder who could be taken for another, Conflict where another key stands under the name.
    """
    if isinstance(public_key, Signer):
        name, public = name or public_key.name, public_key.public_key
    else:
        name, public = name or public_key.stem, load_public_key(record.read_file(public_key))
    if not KEY_NAME.fullmatch(name) or name == RESERVED:
        raise InvalidInput(f"{name!r} cannot name a key.", remedy="Use letters, digits, dots, dashes and underscores.")
    if unknown := sorted(set(roles) - set(trusting.ROLES)):
        raise InvalidInput(f"There is no role {', '.join(unknown)}.", remedy=f"Roles are {', '.join(trusting.ROLES)}.")
    ring = keyring(ws)
    _distinct(holder, ring)
    if (known := ring.known(public.hint)) and known.ended == "revoked":
        raise Conflict(
            f"This key was revoked, as {known.name}: it does not come back.",
            remedy="`compliance key create` a new one.",
        )
    standing = ring.named(name)
    if standing and standing.ended is None and standing.hint != public.hint:
        raise Conflict(f"Another key stands under the name {name}.", remedy="Choose another name, or `key rotate` it.")
    entering = _entering(public, name, holder, holder_type, list(dict.fromkeys(roles)))
    if valid_until is not None:
        entering["valid_until"] = _end(valid_until)
    return _log(ws, {"event": "registered", **entering}, key)


def rotate(ws: "Workspace", name: str, *, key: str | None = None) -> "list[Logged]":
    """Make a new pair for the holder of `name` and retire the old one.

    The old private key stays beside it as NAME.retired-N.pem; the new pair takes its file's name. Until the event
    is on record nothing has changed, and a failure leaves the old key in place.
    """
    old = _standing(ws, name)
    folder = ws.root / KEYS
    signer = create_key(folder, f"{name}.new", ws.passphrase()(), old.key.algorithm)
    try:
        entering = _entering(signer.public_key, name, old.holder, old.holder_type, list(old.roles))
        if old.valid_until is not None:
            entering["valid_until"] = old.valid_until
        logged = _log(ws, {"event": "rotated", "replaces": old.hint, **entering}, key)
    except BaseException:
        for suffix in ("pem", "pub"):
            (folder / f"{name}.new.{suffix}").unlink(missing_ok=True)
        raise
    retired = f"{name}.retired-{old.since}"
    for suffix in ("pem", "pub"):
        if (folder / f"{name}.{suffix}").exists():
            (folder / f"{name}.{suffix}").rename(folder / f"{retired}.{suffix}")
        (folder / f"{name}.new.{suffix}").rename(folder / f"{name}.{suffix}")
    ws.forget_signer(name)
    return logged


def revoke(ws: "Workspace", name: str, *, reason: str, key: str | None = None) -> "list[Logged]":
    """Withdraw a key from the next entry on; what it signed before stays valid."""
    old = _standing(ws, name)
    event = {
        "event": "revoked",
        **_entering(old.key, old.name, old.holder, old.holder_type, list(old.roles)),
        "valid_from": old.valid_from,
        "reason": reason,
    }
    admins = [other for other in keyring(ws).current() if other.ended is None and "admin" in other.roles]
    if [other.hint for other in admins] == [old.hint]:
        raise Conflict(
            f"{name} is the only admin's key: without it no key could ever be registered again.",
            remedy="Register another admin first, or `compliance key rotate` this one.",
        )
    return _log(ws, event, key)


def _distinct(holder: str, ring: Keyring) -> None:
    """Refuse a holder whose name could be read as another's: an author could approve as somebody else."""
    if why := people.fault(holder):
        raise InvalidInput(f"The holder's name {holder!a} {why}.", remedy="Write it in the letters of one script.")
    for other in ring.current():
        if people.looks_like(holder, other.holder):
            raise InvalidInput(
                f"The holder's name {holder!a} looks like {other.holder!a}, who holds the key {other.name}.",
                remedy="Write the same name for the same person, and one that can be told from it for another.",
            )


def _log(ws: "Workspace", event: dict[str, Any], key: str | None) -> "list[Logged]":
    return record.log(ws, [{"kind": "key-event", **event}], how="act", key=key)


def _entering(public: PublicKey, name: str, holder: str, holder_type: str, roles: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "hint": public.hint,
        "holder": holder,
        "holder_type": holder_type,
        "roles": roles,
        "public_key": public.pem,
        "algorithm": public.algorithm,
        "valid_from": now(),
    }


def _standing(ws: "Workspace", name: str) -> Registered:
    found = keyring(ws).named(name)
    if found is None or found.ended is not None:
        raise UnknownReference(
            f"No key named {name} is registered and active.", remedy="`compliance key list` shows the keys."
        )
    return found


def _end(text: str) -> str:
    """Return the last moment that a day, or a moment, names. Raises InvalidInput."""
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return f"{moment:%Y-%m-%d}T23:59:59Z" if form == "%Y-%m-%d" else text
    raise InvalidInput(f"{text!r} is no day.", remedy="Write it as 2027-06-30.")


def _state(key: Registered, moment: str) -> str:
    if key.ended is not None:
        return key.ended
    if key.valid_at(moment):
        return "active"
    return "not yet valid" if moment < key.valid_from else "expired"
