"""What MLflow holds and the ledger does not: every tracked run, model version and dataset without evidence.

`[mlflow] experiments` and `models` of compliance.toml name what is tracked. What one look found is itself signed
evidence (a `log` of type `completeness`), so that `status` and dossiers, which ask no server, can say what was
missing and when somebody last looked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

from compliance.core.completeness import newest
from compliance.core.evidence import Evidence, utc_text
from compliance.errors import ComplianceError, InvalidInput
from compliance.services import autolog, capture, mirroring, record, snapshot
from compliance.services.evaluation_runs import is_evaluation
from compliance.services.record import Logged
from compliance.storage.mirror.record import ENVELOPE_TAG
from compliance.storage.mirror.tracking import ACTIVE

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace
    from compliance.storage.mirror.tracking import MLflowRun, ModelVersion, Tracking

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tracked:
    """Everything of MLflow's that is to have evidence."""

    scope: tuple[str, ...]
    runs: tuple["MLflowRun", ...]
    versions: tuple["ModelVersion", ...]


@dataclass(slots=True)
class Look:
    """What one look at MLflow found."""

    scope: tuple[str, ...]
    counts: dict[str, int]
    """Things seen, by what they are."""
    uncovered: list[dict[str, str]] = field(default_factory=list)
    logged: list[Logged] = field(default_factory=list)
    """Evidence made on the way, the look's own record last."""

    def to_dict(self) -> dict[str, Any]:
        return {"scope": list(self.scope), "seen": self.counts, "uncovered": self.uncovered}


def capture_all(ws: "Workspace", *, key: str | None = None, step: Step | None = None, thorough: bool = True) -> Look:
    """Capture every tracked run that is over and every tracked model version, then log what is left without evidence.

    Unless `thorough`, files of what stands on record and looks unchanged are not read again.

    One thing that cannot be read does not stop the others: it is reported as unreadable. What stands on record as
    it is adds nothing. Raises InvalidInput where nothing is tracked, Unavailable where MLflow cannot be reached.
    """
    tracking = mirroring.read_mirror(ws).tracking
    tracked = find(ws, tracking)
    logged = [piece for some in autolog.drain(ws) for piece in some]
    unreadable: dict[str, str] = {}
    captured = capture.captured_runs(ws)
    for name, act in _captures(ws, tracking, tracked, captured, key, thorough=thorough):
        if step:
            step(name)
        try:
            logged += act()
        except ComplianceError as error:
            unreadable[name] = error.problem
    look = compare(ws, tracked, unreadable)
    look.logged = [*logged, *_log(ws, look, key)]
    return look


def find(ws: "Workspace", tracking: "Tracking") -> Tracked:
    """Return what is tracked, as MLflow has it now. Raises InvalidInput where compliance.toml tracks nothing."""
    wanted = ws.config.mlflow
    if not wanted.experiments and not wanted.models:
        raise InvalidInput(
            "compliance.toml does not say what of MLflow's is tracked.",
            remedy='Name it: `mlflow = { …, experiments = ["triage-*"], models = ["triage"] }`.',
        )
    experiments = [e for e in tracking.experiments() if _matches(e.name, wanted.experiments)]
    models = [name for name in tracking.registered_models() if _matches(name, wanted.models)]
    return Tracked(
        scope=(*(f"experiment {e.name}" for e in experiments), *(f"model {name}" for name in models)),
        runs=tuple(run for e in experiments for run in tracking.runs(e.id) if _is_theirs(run)),
        versions=tuple(version for name in models for version in tracking.model_versions(name)),
    )


def compare(ws: "Workspace", tracked: Tracked, unreadable: Mapping[str, str] | None = None) -> Look:
    """Hold what MLflow shows against the ledger, reading no file: whatever has no evidence, or has changed since."""
    unread = unreadable or {}
    captured = capture.captured_runs(ws) | capture.captured_runs(ws, "evaluation")
    inputs = {item.name for run in tracked.runs for item in run.inputs}
    judging = sum(map(is_evaluation, tracked.runs))
    counts = {"run": len(tracked.runs) - judging, "evaluation-run": judging}
    counts |= {"model-version": len(tracked.versions), "dataset": len(inputs)}
    look = Look(tracked.scope, counts)
    for run in tracked.runs:
        state = _state_of_run(ws, run, captured.get(run.run_id))
        what = "evaluation-run" if is_evaluation(run) else "run"
        _note(look, what, run.name or run.run_id, run.run_id, state, unread.get(run.run_id))
    for version in tracked.versions:
        name = f"{version.name}@{version.version}"
        state = "" if ws.ledger.subject(name) else "no-evidence"
        _note(look, "model-version", name, "", state, unread.get(name))
    known = _dataset_names(ws)
    for name in sorted(inputs - known):
        _note(look, "dataset", name, "", "no-evidence", None)
    for run_id, piece in captured.items():
        if run_id not in {run.run_id for run in tracked.runs} and _was_tracked(piece, tracked):
            _note(look, "run", piece.title, run_id, "deleted", None)
    return look


def _captures(
    ws: "Workspace",
    tracking: "Tracking",
    tracked: Tracked,
    captured: Mapping[str, Evidence],
    key: str | None,
    *,
    thorough: bool,
) -> Iterator[tuple[str, Callable[[], list[Logged]]]]:
    for run in tracked.runs:
        state = _state_of_run(ws, run, captured.get(run.run_id))
        if is_evaluation(run):
            continue  # which version it judged, on which dataset, only a person can say
        if state in ("no-evidence", "changed") or (thorough and not state):
            yield run.run_id, partial(capture.log_run, ws, tracking, run, captured.get(run.run_id), key=key)
    for version in tracked.versions:
        if thorough or not ws.ledger.subject(f"{version.name}@{version.version}"):
            yield f"{version.name}@{version.version}", partial(capture.log_version, ws, tracking, version, key=key)


def _state_of_run(ws: "Workspace", run: "MLflowRun", piece: Evidence | None) -> str:
    if run.status not in capture.OUTCOMES:
        return "unfinished"
    if piece is None:
        return "no-evidence"
    return "changed" if snapshot.since(ws, piece, run) else ""


def _was_tracked(piece: Evidence, tracked: Tracked) -> bool:
    experiment = piece.predicate.get("source", {}).get("mlflow", {}).get("experiment")
    return experiment in {run.experiment_id for run in tracked.runs}


def _dataset_names(ws: "Workspace") -> set[str]:
    pieces = (ws.ledger.piece(index) for index in ws.ledger.indexes_of("dataset"))
    return {str(subject["name"]).partition("@")[0] for piece in pieces for subject in piece.subjects}


def _note(look: Look, what: str, name: str, id_: str, state: str, unreadable: str | None) -> None:
    found = {"what": what, "name": name[: capture.WORD], "id": id_, "state": state}
    if unreadable:
        found |= {"state": "unreadable", "detail": unreadable}
    if found["state"]:
        look.uncovered.append({field: value for field, value in found.items() if value})


def _log(ws: "Workspace", look: Look, key: str | None) -> list[Logged]:
    """Log the look, unless one of today already says the same."""
    now = utc_text(datetime.now(UTC))
    content = {
        "type": "completeness",
        "description": "What the tracked experiments and registered models of MLflow hold, held against the ledger.",
        "events": [{"event": what, "seen": seen} for what, seen in look.counts.items()],
        "scope": [word[: capture.WORD] for word in look.scope],
        "uncovered": look.uncovered,
    }
    before = newest(ws.ledger.piece(index) for index in ws.ledger.indexes_of("log"))
    if before is not None and before.logged_at[:10] == now[:10]:
        same = ("events", "scope", "uncovered")
        if all((before.content.get(field) or []) == content[field] for field in same):
            return []
    title = f"Completeness of the evidence against MLflow, {now[:16].replace('T', ' ')} UTC"
    authored = {"kind": "log", "title": title, **content}
    return record.log(ws, [authored], how="capture", key=key)


def _is_theirs(run: "MLflowRun") -> bool:
    """Say whether a run is there and is not itself some system's mirrored evidence."""
    return run.lifecycle == ACTIVE and ENVELOPE_TAG not in run.tags


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
