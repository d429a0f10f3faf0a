"""The gate: whether a model version may be released, by a policy that says what blocks."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from compliance.core.canonical import digest
from compliance.core.findings import Assessment, Finding, Rule, Verdict
from compliance.core.policy import Decision, Policy, decide
from compliance.errors import InvalidInput, Unavailable
from compliance.kinds.problems import problems_in
from compliance.services import own_catalogs
from compliance.services.assess import assess_workspace
from compliance.services.config import FILE, toml
from compliance.services.record import read_file
from compliance.services.verify import verify_workspace

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a model version may be released, and what stands in the way."""

    assessment: Assessment
    decision: Decision
    ledger_ok: bool
    policy: str
    """Where the policy was read, with the digest of a file; empty where it is the default."""
    left_out: tuple[str, ...]
    """Catalogs of the system that were not asked."""
    unseen: int
    """Records logged after the day of the assessment."""
    place: str
    """compliance.toml as seen from the folder that the gate was run in."""

    @property
    def ok(self) -> bool:
        """Whether the gate is open; where nothing was asked or nothing applies, nothing was answered: it is not."""
        return self.ledger_ok and self.applies and not self.blocking

    @property
    def applies(self) -> bool:
        """Whether any requirement that was asked applies."""
        return any(finding.finding is not Verdict.NOT_APPLICABLE for finding in self.assessment.findings)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return self.decision.blocking

    @property
    def decided_away(self) -> tuple[Finding, ...]:
        """Rows that apply by the profile, and that a person's decision put out of scope: told every time."""
        findings = self.assessment.findings
        return tuple(one for one in findings if (one.finding, one.rule) == (Verdict.NOT_APPLICABLE, Rule.DETERMINED))

    def to_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "as_of": self.assessment.as_of,
            "model": self.assessment.to_dict()["model"],
            "ledger": "verified" if self.ledger_ok else "does not verify",
            "policy": self.policy or "default",
            "blocking": [finding.to_dict() for finding in self.blocking],
            "exceptions": [applied.to_dict() for applied in self.decision.exceptions],
            "decided_away": [finding.to_dict() for finding in self.decided_away],
            "not_binding": [finding.requirement.id for finding in self.decision.not_binding],
            "allowed": [finding.requirement.id for finding in self.decision.allowed],
            "notes": [note.to_dict() for note in self.assessment.notes],
            "catalogs": [used.to_dict() for used in self.assessment.catalogs],
            "left_out": list(self.left_out),
            "unseen": self.unseen,
        }


def gate(
    ws: "Workspace",
    *,
    model: str | None = None,
    catalogs: Sequence[str] | None = None,
    as_of: str | date | None = None,
    policy: Path | None = None,
    pin: str | None = None,
) -> Gate:
    """Say whether the model version may be released: no finding blocks, and the ledger verifies.

    `policy` is a file; without one `[gate]` of compliance.toml counts, and without that every finding that is neither
    met nor not applicable blocks, also of rows that bind only from a later day: a gate that stands open because a law
    does not apply yet would look like one that stands open because nothing is missing. No policy opens the gate over
    a ledger that does not verify. Raises InvalidInput for a policy that is none, whose SHA-256 is not `pin` where one
    is given, or that names what no catalog has.
    """
    if pin is not None and policy is None:
        raise InvalidInput("--policy-sha256 pins a policy file.", remedy="Name the file with --policy.")
    rules, where = read_policy(policy, pin) if policy else (ws.config.gate, _of_config(ws))
    _known(ws, rules, where)
    ledger = verify_workspace(ws.root)
    assessment = assess_workspace(ws, model=model, catalogs=catalogs, as_of=as_of, ledger=ledger)
    decision = decide(rules, assessment.findings, assessment.as_of)
    asked = {used.id for used in assessment.catalogs}
    left_out = tuple(each.catalog.id for each in own_catalogs.in_use(ws) if each.catalog.id not in asked)
    return Gate(assessment, decision, ledger.ok, where, left_out, _unseen(ws, assessment.as_of), _place(ws))


def read_policy(path: Path, pin: str | None = None) -> tuple[Policy, str]:
    """Return a policy file's rules, and its name with its digest. Raises InvalidInput with every wrong field."""
    data = read_file(path)
    if pin is not None and pin.lower() != digest(data):
        raise InvalidInput(
            f"{path} is not the policy that is pinned: its SHA-256 is {digest(data)}.",
            remedy="Read what changed in it; then pin the new digest where the gate is called.",
        )
    try:
        return Policy.model_validate(toml(data.decode("utf-8"), path)), f"{path} (sha256 {digest(data)})"
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text.", remedy="Save it as UTF-8.") from error
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(map(str, problem.path)) or 'the policy'} {problem.text}"
            for problem in problems_in(error, Policy)
        ]
        raise InvalidInput(
            "\n".join(lines), remedy="Mend these fields; docs/how-to/gate-a-release shows a policy."
        ) from error


def _of_config(ws: "Workspace") -> str:
    return f"[gate] of {FILE}" if ws.config.gate != Policy() else ""


def _known(ws: "Workspace", policy: Policy, where: str) -> None:
    """Refuse a policy about a catalog or requirement that the system does not have: it would excuse nothing."""
    if not policy.exceptions and not policy.catalogs:
        return
    used = [each.catalog for each in own_catalogs.in_use(ws)]
    known = {catalog.id for catalog in used} | {row.id for catalog in used for row in catalog.requirements}
    for name in (*policy.catalogs, *(exception.subject for exception in policy.exceptions)):
        if name not in known:
            raise InvalidInput(
                f"{where}: {name} is no catalog of this system, and no requirement of one.",
                remedy="Mend the id; `compliance catalog show ID` lists the requirements of a catalog.",
            )


def _unseen(ws: "Workspace", day: str) -> int:
    """Return how many records were logged after a day: a gate that is asked about the past says what it leaves out."""
    size, last = ws.ledger.size, f"{day}T23:59:59Z"
    return size - bisect_right(range(size), last, key=lambda index: ws.ledger.entry(index).logged_at)


def _place(ws: "Workspace") -> str:
    """Return compliance.toml by its path below the current folder, where CI has checked the repository out."""
    path = ws.root / FILE
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else FILE


def write_sarif(decided: Gate, path: Path) -> None:
    """Write the gate's results as SARIF. Raises Unavailable where the file cannot be written."""
    from compliance import __version__
    from compliance.exporters.sarif import to_sarif

    data = to_sarif(decided.assessment, decided.decision, tool_version=__version__, place=decided.place)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}.", remedy="Check the folder and its permissions."
        ) from error
