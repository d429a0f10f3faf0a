"""`compliance gate`: may this model version be released? For CI."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compliance.cli import findings, options, output
from compliance.cli.edge import DOES_NOT_HOLD

if TYPE_CHECKING:
    from compliance.services.gate import Gate


def gate(
    model: options.Model = None,
    catalog: options.Catalogs = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What blocks, and exceptions, TOML (default: [gate] of compliance.toml)."),
    ] = None,
    pin: Annotated[
        str | None, typer.Option("--policy-sha256", metavar="HEX", help="Refuse a policy file of another SHA-256.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write what was found as SARIF 2.1.0, for a code host.")
    ] = None,
    as_of: options.AsOf = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Say whether this model version may be released: exit 0, or 1 with what blocks it.

    Without a policy everything blocks that is neither met nor not-applicable, also rows that bind only later. No
    policy opens the gate over a ledger that does not verify. Exceptions are printed every time, with reason and last
    day.
    """
    from compliance.services import gate as gating
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        decided = gating.gate(ws, model=model, catalogs=catalog, as_of=as_of, policy=policy, pin=pin)
    if sarif:
        gating.write_sarif(decided, sarif)
    if as_json:
        output.result(decided.to_dict())
    else:
        _print(decided)
    if not decided.ok:
        raise typer.Exit(DOES_NOT_HOLD)


def _print(decided: "Gate") -> None:
    decision = decided.decision
    output.put(findings.title(decided.assessment))
    findings.block(f"Policy: {decided.policy or 'the default, under which every open finding blocks'}.", 0)
    if decided.left_out:
        findings.block(f"Not asked, though of this system: {', '.join(decided.left_out)}.", 0)
    if decided.unseen:
        many = "record" if decided.unseen == 1 else "records"
        findings.block(f"Not seen: {decided.unseen} {many} logged after {decided.assessment.as_of}.", 0)
    findings.notes(decided.assessment)
    findings.grouped(decision.blocking, questions=False)
    findings.grouped(decided.decided_away)
    if decision.exceptions:
        output.heading("Exceptions")
    for applied in decision.exceptions:
        exception, excused = applied.exception, len(applied.excused)
        state = "expired, counts no more" if applied.expired else f"excuses {excused} {_findings(excused)}"
        output.put(f"  {exception.subject} until {exception.expires}, {state}: {', '.join(exception.findings)}")
        findings.block(exception.reason, 6)
    output.put()
    aside = [
        f"{count} {words}"
        for count, words in (
            (len(decision.excused), "excused"),
            (len(decision.not_binding), "not binding on the day"),
            (len(decision.allowed), "of a finding that the policy does not block"),
        )
        if count
    ]
    passed = f" Passed over: {', '.join(aside)}." if aside else ""
    if not decided.ledger_ok:
        output.put("The ledger does not verify: `compliance verify` names the record.")
    if not decided.assessment.findings:
        output.put("Nothing was assessed: the system, as signed, names no catalog.")
    elif not decided.applies:
        output.put("Nothing was assessed: no requirement of these catalogs applies to this system.")
    if decided.ok:
        findings.block(f"The gate is open.{passed}", 0)
        return
    counts = Counter(finding.finding.value for finding in decision.blocking)
    count = len(decision.blocking)
    which = f": {count} {_findings(count)} block{'s' if count == 1 else ''} ({findings.said(counts)})"
    findings.block(f"The gate is closed{which if counts else ''}.{passed}", 0)


def _findings(count: int) -> str:
    return "finding" if count == 1 else "findings"
