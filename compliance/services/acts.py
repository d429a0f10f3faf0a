"""What people decide and sign: approvals, determinations, revocations. Each is evidence like any other."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.core import trust
from compliance.core.authority import DECIDING
from compliance.core.canonical import digest
from compliance.errors import InvalidInput
from compliance.services import record
from compliance.services.record import Logged
from compliance.services.resolver import LedgerResolver

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

PERSONAL = frozenset({"met", "not-applicable"})
"""Decisions that count only from a person who may decide; anybody may say what is not shown."""


def approve(
    ws: "Workspace",
    targets: Sequence[str],
    meaning: str,
    key: str | None = None,
    *,
    reason: str | None = None,
    until: str | None = None,
) -> list[Logged]:
    """Sign an approval of records (`EV-…`) or of compiled dossiers (their `ID.json`), with a person's key.

    Records go into one approval together, each dossier into one of its own. Beside its meaning an approval shows the
    signer's printed name, which is the key's holder as registered now, and local time (21 CFR 11.50).
    Raises InvalidInput where the key is a pipeline's or its role does not allow this meaning.
    """
    numbers = [target for target in targets if not target.endswith(".json")]
    act: dict[str, Any] = {"kind": "approval", "meaning": meaning, **_shown(ws, key)}
    act |= {name: said for name, said in (("reason", reason), ("valid_until", until)) if said}
    acts = [act | {"evidence": numbers}] if numbers else []
    acts += [act | {"dossier": _dossier(Path(target))} for target in targets if target.endswith(".json")]
    return record.log(ws, acts, how="act", key=key)


def determine(
    ws: "Workspace",
    requirements: Sequence[str],
    model: str | None,
    decision: str,
    reason: str,
    *,
    carry: Sequence[str] = (),
    based_on: Sequence[str] = (),
    key: str | None = None,
    **fields: Any,
) -> list[Logged]:
    """Sign a decision about requirements for one model version (default: the system's model, newest version).

    `carry` names evidence of an earlier version, `based_on` what the decision rests on: for evidence that is carried
    over, the planned change that allows it. A decision `met` that names nothing cites what shows the requirements now.
    Raises InvalidInput for a requirement that no catalog of this system knows, and for a decision that is for a person
    in the role reviewer or approver when the key is another's: either would be on record and decide nothing.
    """
    from compliance.services import own_catalogs

    _refuse_uncounted(ws, decision, key)
    known = {row.id for used in own_catalogs.in_use(ws) for row in used.catalog.requirements}
    unknown = [requirement for requirement in requirements if requirement not in known]
    if unknown:
        raise InvalidInput(
            f"No catalog of this system has the requirement {', '.join(unknown)}.",
            remedy="`compliance catalog show ID` lists the ids.",
        )
    name = model or ws.config.system.model
    if name is None:
        raise InvalidInput("Which model version is decided about?", remedy="Name it: --model NAME@VERSION.")
    if decision == "met" and not based_on:
        based_on = _shown_by(ws, requirements, name)
    act = {"kind": "determination", "model": name, "requirements": list(requirements), "decision": decision}
    return record.log(
        ws,
        [act | {"reason": reason} | _named("carry", carry) | _named("based_on", based_on) | fields],
        how="act",
        key=key,
    )


def _shown_by(ws: "Workspace", requirements: Sequence[str], model: str) -> list[str]:
    """Return the evidence that shows these requirements for a model version as it stands on record."""
    from compliance.services.assess import assess_workspace
    from compliance.services.verify import Report

    findings = assess_workspace(ws, model=model, ledger=Report()).findings
    return sorted({number for one in findings if one.requirement.id in requirements for number in one.evidence})


def _named(field: str, numbers: Sequence[str]) -> dict[str, list[str]]:
    return {field: list(numbers)} if numbers else {}


def revoke(
    ws: "Workspace", number: str, reason: str, *, erase: str | None = None, key: str | None = None
) -> list[Logged]:
    """Withdraw a record, which stays on record.

    With `erase`, the legal basis that asks for it, its envelope is deleted once the revocation stands: entry,
    digest and every proof remain (DESIGN section 4), and what is gone cannot come back.
    """
    act = {"kind": "revocation", "evidence": number, "reason": reason}
    logged = record.log(ws, [act | ({"erasure": True, "legal_basis": erase} if erase else {})], how="act", key=key)
    if erase:
        _, envelope = LedgerResolver(ws.ledger).record(number)
        ws.ledger.erase(envelope)
    return logged


def _shown(ws: "Workspace", key: str | None) -> dict[str, Any]:
    """Return the signer's printed name and offset from UTC; a key that may not sign is refused on logging."""
    from compliance.services.workspace import utc_offset

    registered = _registered(ws, key)
    return {"utc_offset": utc_offset()} | ({"printed_name": registered.holder} if registered else {})


def _dossier(path: Path) -> dict[str, Any]:
    """Return what an approval says of a compiled dossier: its id, the digest of its content, its cut-off, its model."""
    data = record.read_file(path)
    try:
        content = json.loads(data)
        said = {"name": content["dossier"], "sha256": digest(data), "at": content["cutoff"]["evidence"]}
        model = content["model"]
        return said | ({"model": {"name": model["name"], "sha256": model["sha256"]}} if model else {})
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{path} is not the JSON of a compiled dossier.",
            remedy="Name the ID.json that `compliance dossier build` wrote.",
        ) from error


def _refuse_uncounted(ws: "Workspace", decision: str, key: str | None) -> None:
    registered = _registered(ws, key)
    if decision not in PERSONAL or registered is None:
        return
    if registered.holder_type != "person" or not DECIDING.intersection(registered.roles):
        raise InvalidInput(
            f"A decision that says {decision} counts from a person in the role reviewer or approver; "
            f"the key {registered.name} is neither's.",
            remedy="Choose another key with --key; `compliance key list` shows the keys and their roles.",
        )


def _registered(ws: "Workspace", key: str | None) -> trust.Registered | None:
    """Return the key that is to sign as the ledger knows it now; None where it does not."""
    from compliance.services.workspace import now

    return trust.keyring(record.key_events(ws.ledger)).at(ws.signer(key).hint, now())
