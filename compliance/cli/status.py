"""`compliance status`: what the evidence on record shows, and what to do next."""

from typing import TYPE_CHECKING, Annotated

import typer

from compliance.cli import findings, options, output
from compliance.cli.edge import fail

if TYPE_CHECKING:
    from compliance.core.assessments import Comparison, Moved
    from compliance.core.evidence import Evidence
    from compliance.core.findings import Assessment

SHORT = 10
"""Next steps, and rows of one sort in a comparison, shown without --all."""


def status(
    model: options.Model = None,
    catalog: options.Catalogs = None,
    finding: Annotated[
        list[str] | None, typer.Option(metavar="FINDING", help="Only this finding; may be repeated.")
    ] = None,
    requirement: Annotated[
        str | None, typer.Option(metavar="PREFIX", help="Only ids that begin so; a whole id: that finding in full.")
    ] = None,
    binding: Annotated[bool, typer.Option("--binding", help="Only rows that bind on the day.")] = False,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="NAME@V1 NAME@V2", help="What got better, worse and stays open from V1 to V2."),
    ] = None,
    as_of: options.AsOf = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every finding with its reason, grouped.")] = False,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the findings of all requirements, by catalog, and the most useful next steps first.

    Findings: met, partial (some needs are shown), insufficient (evidence that cannot carry the claim), stale (about
    another version, or too old), undetermined (a person must decide), gap (nothing on record), failed, not-applicable.
    """
    from compliance.core import assessments
    from compliance.core.completeness import TOPIC
    from compliance.services import assess
    from compliance.services.workspace import Workspace

    findings.check_words(finding or ())
    if compare and model:
        fail("--compare names its two model versions itself.", "Leave out --model.")

    def part(assessment: "Assessment") -> "Assessment":
        return assessments.narrow(assessment, findings=finding or (), requirement=requirement or "", binding=binding)

    with Workspace.open(workspace, read_only=True) as ws:
        found = [
            assess.assess_workspace(ws, model=version, catalogs=catalog, as_of=as_of) for version in compare or (model,)
        ]
        look = next(
            (ws.ledger.piece(int(n.evidence[0][3:])) for n in found[0].notes if n.topic == TOPIC and n.evidence), None
        )
    if requirement and not any(f.requirement.id.startswith(requirement) for f in found[0].findings):
        fail(f"No requirement of these catalogs begins with {requirement}.", "`compliance catalog show ID` lists them.")
    if compare:
        _compare(assessments.compare(*found), found[1], finding or (), requirement or "", everything, as_json)
        return
    shown = part(found[0]) if finding or requirement or binding else found[0]
    if as_json:
        output.result(shown.to_dict())
        return
    output.put(findings.title(shown))
    findings.notes(shown, but=TOPIC if look else "")
    if look is not None:
        _uncovered(look, everything)
    if not found[0].findings:
        output.put()
        output.put(
            "No catalog is in use: name some under [system] of compliance.toml; `compliance catalog list` has them."
        )
        return
    if not shown.findings:
        output.put()
        output.put("No finding matches.")
        return
    if requirement and [f.requirement.id for f in shown.findings] == [requirement]:
        findings.one(shown.findings[0])
        return
    output.put()
    findings.table(shown)
    output.put()
    findings.block(f"{findings.said(shown.counts)}.", 0)
    if everything:
        findings.grouped(shown.findings)
    if shown is found[0] or any(one.next for one in shown.findings):
        _next_steps(shown, everything)


def _uncovered(look: "Evidence", everything: bool) -> None:
    """Print what the newest look at MLflow found without evidence, and what to do about each."""
    from compliance.core.completeness import covered, head

    left = look.content.get("uncovered") or []
    if not left:
        said = covered(event["seen"] for event in look.content["events"])
        findings.block(f"{head(look)}; {said} ({look.number}).", 0)
        return
    findings.block(f"{head(look)}. Without valid evidence ({look.number}):", 0)
    findings.uncovered(left if everything else left[:SHORT])
    if len(left) > SHORT and not everything:
        output.say(f"{len(left) - SHORT} more without evidence; `compliance status --all` shows them.")


def _next_steps(assessment: "Assessment", everything: bool) -> None:
    """Print each distinct next step once, most useful first, with the finding it would serve."""
    from compliance.core.advice import next_steps

    steps = next_steps(assessment)
    if not steps:
        output.heading("Nothing is left to do.")
        return
    output.heading("Next steps")
    for step in steps if everything else steps[:SHORT]:
        first, *others = step.requirements
        more = f" and {len(others)} more{', for the same reason' if step.shared else ''}" if others else ""
        findings.command(step.command, 2)
        findings.block(f"{step.finding}: {first}{more}: {step.reason}", 6)
    if len(steps) > SHORT and not everything:
        output.say(f"{len(steps) - SHORT} more next steps; `compliance status --all` shows them, and every finding.")


def _compare(
    comparison: "Comparison",
    after: "Assessment",
    words: "list[str] | tuple[()]",
    prefix: str,
    everything: bool,
    as_json: bool,
) -> None:
    """Print what moved between two versions; the filters choose by the finding that stands now."""

    def kept(moved: "Moved") -> bool:
        stands = moved.after.value if moved.after else ""
        return moved.requirement.startswith(prefix) and (not words or stands in words)

    if as_json:
        told = comparison.to_dict()
        for name in ("better", "worse", "open", "scope"):
            told[name] = [moved.to_dict() for moved in getattr(comparison, name) if kept(moved)]
        output.result({"as_of": after.as_of} | told)
        return
    output.put(f"{after.system}: {comparison.before} compared with {comparison.after}, as of {after.as_of}")
    for name, text in (
        ("better", "Better"),
        ("worse", "Worse"),
        ("scope", "Applicable in one of them only"),
        ("open", "Still open"),
    ):
        rows = [moved for moved in getattr(comparison, name) if kept(moved)]
        output.heading(f"{text}: {len(rows)}")
        for moved in rows if everything else rows[:SHORT]:
            output.put(f"  {moved.requirement}: {_change(moved)}")
            findings.block(moved.reason, 6)
        if len(rows) > SHORT and not everything:
            output.put(f"  and {len(rows) - SHORT} more; --all shows them.")


def _change(moved: "Moved") -> str:
    return f"{moved.after}" if moved.before is moved.after else f"{moved.before} → {moved.after}"
