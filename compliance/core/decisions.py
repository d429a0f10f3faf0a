"""The determinations that count for one requirement and one model version, and what they carry over."""

from collections.abc import Mapping

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
        self._carriers: dict[str, int] = {}
        """Digest of what is carried over -> index of the decision that carries it."""
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

    def taken_at(self, decision: Evidence) -> int:
        """Return the ledger index at which a decision was taken for this version: for one carried over, then."""
        return max(decision.index, self._carriers.get(decision.digest, 0))

    def _carry(self, piece: Evidence) -> None:
        refusals = [", but the planned change that allows it is missing (--based-on)"]
        for record in piece.content.get("based_on") or []:
            change = self._case.shelf.records.get(record["sha256"])
            if change is None or change.kind != "change":
                continue
            if why := self._not_planned(change):
                refusals.append(f", but {why}")
            else:
                return self._carry_under(piece, change)
        self.refused.append(f"{piece.number} carries evidence over{refusals[-1]}.")
        return None

    def _carry_under(self, piece: Evidence, change: Evidence) -> None:
        for record in piece.content.get("carry") or []:
            if why := self._not_earlier(record):
                self.refused.append(f"{piece.number} carries {record['name']} over, but {why}.")
            else:
                self.carried[record["sha256"]] = record["name"]
                self._carriers[record["sha256"]] = piece.index
                self.allowed_by = list(dict.fromkeys([*self.allowed_by, (piece.number, change.number)]))

    def _not_planned(self, change: Evidence) -> str | None:
        """Return why a change lets nothing be carried over: only a plan of changes does, or a change within one.

        A predetermined change control plan (FD&C Act 515C), or the changes predetermined under Annex IV(2)(f).
        """
        shelf, model, content = self._case.shelf, self._case.model, change.content
        if change.digest in shelf.aside or model is None:
            return f"{change.number} was put aside"
        if content.get("type") == "plan":
            return self._not_beforehand(change)
        named = str((content.get("plan") or {}).get("sha256"))
        plan = next((one for one in shelf.about("change", named) if one.content.get("type") == "plan"), None)
        planned = {one.get("id") for one in (plan.content.get("planned_changes") or [] if plan else [])}
        if plan is None or content.get("type") != "change" or content.get("planned_change") not in planned:
            return f"{change.number} is no change within a plan of changes on record"
        if (to := content.get("to_version") or {}) and to.get("sha256") != model.sha256:
            return f"{change.number} is the change to {to.get('name')}"
        kept = content.get("conformance") or {}
        if not (kept.get("listed", True) and kept.get("by_protocol", True)) or kept.get("open_deviations"):
            return f"{change.number} says itself that it does not keep to its plan"
        return self._not_beforehand(plan)

    def _not_beforehand(self, plan: Evidence) -> str | None:
        """Return why a plan did not allow this version beforehand: it came later, or is another model's."""
        shelf, model = self._case.shelf, self._case.model
        entered = shelf.entered.get(model.sha256) if model else None
        if not plan.content.get("planned_changes"):
            return f"{plan.number} plans no change"
        if model is None or entered is None or plan.index > entered:
            return f"plan {plan.number} is not older than this version's own record"
        families = shelf.families_of(plan)
        return None if not families or model.family in families else f"plan {plan.number} is for {min(families)}"

    def _not_earlier(self, record: Mapping[str, str]) -> str | None:
        """Return why a record may not be carried over: it is off the shelf, or of no earlier version of this model."""
        shelf, model = self._case.shelf, self._case.model
        piece = shelf.records.get(record["sha256"])
        if piece is None or piece.digest in shelf.aside or model is None:
            return "it is not on record, or was put aside"
        if piece.kind == "dataset":
            ours = {dataset.family for dataset in self._case.datasets.values()}
            named = {name.partition("@")[0] for _, name in things(piece)}
            return None if named & ours else "no dataset of that name belongs to this version"
        entered = shelf.entered.get(model.sha256)
        for digest in shelf.versions_of(piece):
            since = shelf.entered.get(digest)
            earlier = since is not None and entered is not None and since < entered
            if digest == model.sha256 or model.family not in shelf.families_of(piece) or not earlier:
                return f"it is not about an earlier version of {model.family}"
        return None
