"""`compliance status` and `gate`: what the evidence on record shows, and what to do next."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from compliance.cli import options, output
from compliance.cli.edge import DOES_NOT_HOLD

if TYPE_CHECKING:
    from compliance.core.findings import Assessment

ORDER = ("met", "partial", "insufficient", "stale", "undetermined", "gap", "failed", "not-applicable")
SHORT = 10
"""Next steps shown without --all."""


def status(
    model: options.Model = None,
    catalog: options.Catalogs = None,
    as_of: options.AsOf = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every finding, not only the next steps.")] = False,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the findings of all requirements and the most useful next steps."""
    from compliance.services import assess
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        assessment = assess.assess_workspace(ws, model=model, catalogs=catalog, as_of=as_of)
    if as_json:
        output.result(assessment.to_dict())
        return
    _counts(assessment)
    for note in assessment.notes:
        output.put(f"Note: {note.text}")
    if everything:
        output.heading("Findings")
        output.table(
            ("requirement", "finding", "reason", "evidence"),
            [(f.requirement.id, f.finding, f.reason, " ".join(f.evidence)) for f in assessment.findings],
        )
    _next_steps(assessment)


def gate(
    model: options.Model = None,
    catalog: options.Catalogs = None,
    as_of: options.AsOf = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Say whether this model version may be released: exit 0, or 1 with what blocks it."""
    from compliance.services import assess
    from compliance.services.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        decided = assess.gate(ws, model=model, catalogs=catalog, as_of=as_of)
    if as_json:
        output.result(decided.to_dict())
    else:
        if decided.blocking:
            output.table(
                ("requirement", "finding", "reason"),
                [(f.requirement.id, f.finding, f.reason) for f in decided.blocking],
            )
        tally = Counter(str(finding.finding) for finding in decided.blocking)
        which = ", ".join(f"{tally[verdict]} {verdict}" for verdict in ORDER if tally[verdict])
        output.put(
            "The gate is open."
            if decided.ok
            else f"The gate is closed: {len(decided.blocking)} findings block ({which})."
        )
    if not decided.ok:
        raise typer.Exit(DOES_NOT_HOLD)


def _counts(assessment: "Assessment") -> None:
    about = assessment.model.name if assessment.model else "no model version on record"
    output.put(f"{assessment.system}: {about}, as of {assessment.as_of}")
    output.put()
    catalogs = sorted({finding.catalog for finding in assessment.findings})
    tally = Counter((finding.catalog, str(finding.finding)) for finding in assessment.findings)
    rows = [(verdict, *(tally[catalog, verdict] for catalog in catalogs)) for verdict in ORDER]
    output.table(("finding", *catalogs), rows)


def _next_steps(assessment: "Assessment") -> None:
    """Print each distinct next step once, most useful first, with the finding it would serve."""
    from compliance.core.advice import next_steps

    steps = next_steps(assessment)
    if not assessment.findings:
        output.put()
        output.put(
            "No catalog is in use: name some under [system] of compliance.toml; `compliance catalog list` has them."
        )
        return
    if not steps:
        output.heading("Nothing is left to do.")
        return
    output.heading("Next steps")
    for step in steps[:SHORT]:
        first, *others = step.requirements
        more = f" and {len(others)} more" if others else ""
        output.put(f"  {step.command}")
        output.fields({"": f"{step.finding}: {first}{more}: {step.reason}"}, indent=4)
    if len(steps) > SHORT:
        output.say(f"{len(steps) - SHORT} more next steps; `compliance status --all` shows every finding.")
