"""What MLflow holds and the ledger does not: every tracked run, model version and dataset without evidence.

`[mlflow] experiments` and `models` of compliance.toml name what is tracked. What one look found is itself signed
evidence (a `log` of type `completeness`), so that `status` and dossiers, which ask no server, can say what was
missing and when somebody last looked.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

from compliance.core.catalog import MEASURED_KINDS
from compliance.core.completeness import matches_none, newest, remedy
from compliance.core.differences import told
from compliance.core.evidence import Evidence, utc_text
from compliance.errors import ComplianceError, Conflict, InvalidInput, Unavailable
from compliance.services import autolog, capture, mirroring, record, snapshot
from compliance.services.evaluation_runs import is_evaluation, is_safety
from compliance.services.record import Logged
from compliance.storage.mirror.record import ENVELOPE_TAG
from compliance.storage.mirror.tracking import ACTIVE

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace
    from compliance.storage.mirror.tracking import EvaluationSet, MLflowRun, ModelVersion, Tracking

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tracked:
    """Everything of MLflow's that is to have evidence."""

    scope: tuple[str, ...]
    runs: tuple["MLflowRun", ...]
    versions: tuple["ModelVersion", ...]
    sets: tuple["EvaluationSet", ...]
    elsewhere: frozenset[str]
    """Ids of the experiments that are there and not tracked."""


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
        left = [{**one, "next": remedy(one)} for one in self.uncovered]
        return {"scope": list(self.scope), "seen": self.counts, "uncovered": left}


def capture_all(ws: "Workspace", *, key: str | None = None, step: Step | None = None, thorough: bool = True) -> Look:
    """Capture every tracked run that is over and every tracked model version, then log what is left without evidence.

    Unless `thorough`, files of what stands on record and looks unchanged are not read again.

    One thing that cannot be read does not stop the others: it is reported as unreadable. What stands on record as
    it is adds nothing. Raises InvalidInput where nothing is tracked, Unavailable where MLflow cannot be reached.
    """
    tracking = mirroring.read_mirror(ws).tracking
    tracked = find(ws, tracking)
    logged = [piece for some in autolog.drain(ws) for piece in some]
    failed: dict[str, ComplianceError] = {}
    for name, act in _captures(ws, tracking, tracked, key, thorough=thorough):
        if step:
            step(name)
        try:
            logged += act()
        except ComplianceError as error:
            failed[name] = error
            if isinstance(error, Unavailable):
                tracking.experiments()  # raises where it is MLflow itself that is gone, and not the one thing
    look = compare(ws, tracked, failed, thorough=thorough)
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
    there = tracking.experiments()
    experiments = [e for e in there if _matches(e.name, wanted.experiments)]
    models = [name for name in tracking.registered_models() if _matches(name, wanted.models)]
    return Tracked(
        scope=(
            *(f"experiment {e.name}" for e in experiments),
            *(f"model {name}" for name in models),
            *_unmatched("experiment", wanted.experiments, [e.name for e in experiments]),
            *_unmatched("model", wanted.models, models),
        ),
        runs=tuple(run for e in experiments for run in tracking.runs(e.id) if _is_theirs(run)),
        versions=tuple(version for name in models for version in tracking.model_versions(name)),
        sets=tuple(one for e in experiments for one in tracking.evaluation_sets(e.id)),
        elsewhere=frozenset(e.id for e in there if e not in experiments),
    )


def compare(
    ws: "Workspace",
    tracked: Tracked,
    failed: Mapping[str, ComplianceError] | None = None,
    *,
    thorough: bool = False,
) -> Look:
    """Hold what MLflow shows against the ledger, reading no file: whatever has no evidence, or has changed since.

    `failed` says why something could not be captured. Unless it was `thorough`, what the last look found of a
    version's files still holds.
    """
    wrong = failed or {}
    look = Look(tracked.scope, _counts(tracked))
    captured = capture.captured_runs(ws, "training-run", *MEASURED_KINDS)
    for run in tracked.runs:
        state, detail = _state_of_run(ws, run, captured.get(run.run_id))
        _note(look, _what(run), run.name or run.run_id, run.run_id, state, detail, wrong.get(run.run_id))
    versions, last = capture.captured_versions(ws), {} if thorough else _last(ws)
    for version in tracked.versions:
        name = capture.subject_of(version)
        state, detail = _state_of_version(version, versions.get(name))
        if not state and name not in wrong:
            state, detail = last.get(name, ("", ""))
        _note(look, "model-version", name, "", state, detail, wrong.get(name))
    for name, id_, state, detail in _datasets(ws, tracked):
        _note(look, "dataset", name, id_, state, detail)
    for name in sorted(versions.keys() - {capture.subject_of(version) for version in tracked.versions}):
        registered = versions[name].predicate["source"].get("mlflow", {}).get("registered_model", "")
        if _matches(registered.rpartition("/")[0], ws.config.mlflow.models):
            _note(look, "model-version", name, "", "deleted")
    for run_id, piece in captured.items():
        if run_id not in {run.run_id for run in tracked.runs} and _was_tracked(piece, tracked):
            what = {"evaluation": "evaluation-run", "safety-result": "safety-run"}.get(piece.kind, "run")
            _note(look, what, piece.title, run_id, "deleted")
    return look


def _captures(
    ws: "Workspace", tracking: "Tracking", tracked: Tracked, key: str | None, *, thorough: bool
) -> Iterator[tuple[str, Callable[[], list[Logged]]]]:
    captured = capture.captured_runs(ws)
    for run in tracked.runs:
        piece = captured.get(run.run_id)
        state, _ = _state_of_run(ws, run, piece)
        if is_evaluation(run):
            continue  # which version it judged, on which dataset, only a person can say
        if state in ("no-evidence", "changed") or (thorough and not state):
            yield run.run_id, partial(capture.log_run, ws, tracking, run, piece, key=key)
    versions, captured = capture.captured_versions(ws), capture.captured_runs(ws)
    for version in tracked.versions:
        name = capture.subject_of(version)
        if name not in versions:
            yield name, partial(capture.log_version, ws, tracking, version, versions, captured, key=key)
        elif thorough:
            yield name, partial(capture.check_version, ws, tracking, version, versions[name])


def _counts(tracked: Tracked) -> dict[str, int]:
    runs = Counter(map(_what, tracked.runs))
    data = {(item.name, item.digest) for run in tracked.runs for item in run.inputs}
    data |= {(one.name, one.digest) for one in tracked.sets}
    counts = {what: runs[what] for what in ("run", "evaluation-run", "safety-run")}
    return counts | {"model-version": len(tracked.versions), "dataset": len(data)}


def _what(run: "MLflowRun") -> str:
    if is_safety(run):
        return "safety-run"
    return "evaluation-run" if is_evaluation(run) else "run"


def _state_of_run(ws: "Workspace", run: "MLflowRun", piece: Evidence | None) -> tuple[str, str]:
    if run.status not in capture.OUTCOMES:
        return "unfinished", ""
    if piece is None:
        return "no-evidence", ""
    return _changed(snapshot.since(ws, piece, run))


def _state_of_version(version: "ModelVersion", piece: Evidence | None) -> tuple[str, str]:
    if piece is None:
        return "no-evidence", ""
    return _changed(capture.registry_changes(piece, version))


def _changed(differences: Iterable[str]) -> tuple[str, str]:
    found = told(differences)
    return ("changed", found) if found else ("", "")


def _was_tracked(piece: Evidence, tracked: Tracked) -> bool:
    experiment = piece.predicate.get("source", {}).get("mlflow", {}).get("experiment")
    return experiment not in tracked.elsewhere


def _datasets(ws: "Workspace", tracked: Tracked) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, id, state and detail of each dataset without evidence.

    MLflow's digest is no proof, but other digests are other data: one version on record stands for one of them.
    """
    on_record = defaultdict(set)
    for piece in capture.standing(ws, "dataset"):
        name, _, version = piece.subjects[0]["name"].partition("@")
        on_record[name].add(version)
    inputs: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for run in tracked.runs:
        for item in run.inputs:
            used = f"{item.context or 'input'} of {run.name or run.run_id}"
            inputs[item.name][item.digest].append(used)
    sets = {(one.name, one.digest) for one in tracked.sets}
    for one in sorted(tracked.sets, key=lambda one: (one.name, one.digest)):
        known = on_record[one.name]
        if one.digest not in known:
            others = f"MLflow's digest {one.digest}; on record: {', '.join(sorted(known))}" if known else ""
            yield one.name, one.id, "changed" if known else "no-evidence", others
    for name, digests in sorted(inputs.items()):
        if capture.is_dataset(ws, name):
            continue
        left = {d: used for d, used in digests.items() if d not in on_record[name] and (name, d) not in sets}
        if len(left) <= len(on_record[name] - digests.keys()):
            continue
        for mlflows, users in sorted(left.items()):
            some = f"{users[0]} and {len(users) - 1} more" if len(users) > 1 else users[0]
            yield name, "", "no-evidence", f"MLflow's digest {mlflows}: {some}"


def _newest(ws: "Workspace") -> Evidence | None:
    return newest(ws.ledger.piece(index) for index in ws.ledger.indexes_of("log"))


def _last(ws: "Workspace") -> dict[str, tuple[str, str]]:
    """Return what the newest look on record found of the files of versions."""
    look = _newest(ws)
    found = (look.content.get("uncovered") or []) if look else []
    return {
        one["name"]: (one["state"], one.get("detail", ""))
        for one in found
        if one["what"] == "model-version" and one["state"] == "changed" and capture.OTHER_BYTES in one.get("detail", "")
    }


def _note(
    look: Look, what: str, name: str, id_: str, state: str, detail: str = "", failed: ComplianceError | None = None
) -> None:
    if failed is not None:
        state, detail = ("changed" if isinstance(failed, Conflict) else "unreadable"), failed.problem
    found = {"what": what, "name": name[: capture.WORD], "id": id_, "state": state, "detail": detail}
    if state:
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
    before = _newest(ws)
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


def _unmatched(what: str, patterns: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Yield what is tracked and not there: a pattern with a typing error would else seem to be all covered."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            yield matches_none(what, pattern)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
