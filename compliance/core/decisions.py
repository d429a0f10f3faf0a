"""The determinations that count for one requirement and one model version, and what they carry over."""

from collections.abc import Iterator, Mapping, Sequence

from compliance.core.case import Case
from compliance.core.catalog import Requirement
from compliance.core.evidence import Evidence
from compliance.core.shelf import things


class Decisions:
    """What people decided about a requirement, as far as it counts on the day."""

    def __init__(self, case: Case, requirement: Requirement) -> None:
        self._case = case
        self.refused: list[str] = []
        """Why some of them do not count."""
        self.carried: dict[str, str] = {}
        """Evidence that counts although it is about an earlier version: digest -> number."""
        self.allowed_by: list[tuple[str, str]] = []
        """Numbers of the carrying decisions, each with that of the planned change that allows it."""
        self._by: dict[str, Evidence] = {}
        for piece in case.authority.decisions(requirement.id, case.model):
            if why := case.authority.refusal(piece, case.on):
                self.refused.append(why)
            elif piece.content.get("decision") == "carried-over":
                self._carry(piece)
            else:
                self._by[str(piece.content.get("decision"))] = piece
        for digest in self.carried:
            earlier = case.shelf.records[digest]
            decides = earlier.kind == "determination" and requirement.id in (earlier.content.get("requirements") or [])
            if decides and not case.authority.refusal(earlier, case.on):
                self._by.setdefault(str(earlier.content.get("decision")), earlier)

    def the(self, decision: str) -> Evidence | None:
        """Return the newest live determination with this decision; a later one does not hide a `not-met`."""
        return self._by.get(decision)

    def _carry(self, piece: Evidence) -> None:
        change = next(self._planned(piece), None)
        if change is None:
            self.refused.append(
                f"{piece.number} carries evidence over without the planned change that allows it (--based-on)."
            )
            return
        for record in piece.content.get("carry") or []:
            if why := self._not_earlier(record):
                self.refused.append(f"{piece.number} carries {record['name']} over, but {why}.")
            else:
                self.carried[record["sha256"]] = record["name"]
                self.allowed_by = list(dict.fromkeys([*self.allowed_by, (piece.number, change.number)]))

    def _planned(self, piece: Evidence) -> Iterator[Evidence]:
        """Yield what lets a decision carry evidence over: live plans of changes, and changes within such a plan.

        A predetermined change control plan (FD&C Act 515C), or the changes predetermined under Annex IV(2)(f).
        """
        plans = {d: plan for plan in self._case.shelf.of("change") for d in _own(plan) if _is_plan(plan)}
        for record in piece.content.get("based_on") or []:
            change = self._case.shelf.records.get(record["sha256"])
            if change is None or change.kind != "change" or change.digest in self._case.shelf.aside:
                continue
            if _is_plan(change):
                yield change
            plan = plans.get(str((change.content.get("plan") or {}).get("sha256")))
            within = change.content.get("planned_change")
            if plan and within in {planned.get("id") for planned in plan.content.get("planned_changes") or []}:
                yield change

    def _not_earlier(self, record: Mapping[str, str]) -> str | None:
        """Return why a record may not be carried over: it is off the shelf, or of no earlier version of this model."""
        shelf, model = self._case.shelf, self._case.model
        piece = shelf.records.get(record["sha256"])
        if piece is None or piece.digest in shelf.aside or model is None:
            return "it is not on record, or was put aside"
        if piece.kind == "dataset":
            ours = {dataset.family for dataset in self._case.datasets.values()}
            return None if families_of(piece) & ours else "no dataset of that name belongs to this version"
        entered = shelf.entered.get(model.sha256)
        for digest in shelf.versions_of(piece):
            since = shelf.entered.get(digest)
            earlier = since is not None and entered is not None and since < entered
            if digest == model.sha256 or model.family not in families_of(piece) or not earlier:
                return f"it is not about an earlier version of {model.family}"
        return None


def _is_plan(change: Evidence) -> bool:
    return change.content.get("type") == "plan" and bool(change.content.get("planned_changes"))


def _own(piece: Evidence) -> Sequence[str]:
    return [subject["digest"].get("sha256", "") for subject in piece.subjects]


def families_of(piece: Evidence) -> set[str]:
    """Return the names, without versions, of what a piece is about."""
    return {name.partition("@")[0] for _, name in things(piece)}
