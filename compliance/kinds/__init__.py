"""The kinds of evidence, one file each, loaded when they are asked for.

Packages add theirs through the entry point group `compliance.kinds` (name = kind, value = module:Content class).
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from compliance.errors import InvalidInput

if TYPE_CHECKING:
    from compliance.kinds.base import Content

GROUP = "compliance.kinds"

_OURS = {
    "acceptance-plan": "acceptance_plan:AcceptancePlan",
    "approval": "approval:Approval",
    "capa": "capa:Capa",
    "certificate": "certificate:Certificate",
    "change": "change:Change",
    "dataset": "dataset:Dataset",
    "determination": "determination:Determination",
    "document": "document:Document",
    "evaluation": "evaluation:Evaluation",
    "incident": "incident:Incident",
    "key-event": "key_event:KeyEvent",
    "log": "log:Log",
    "model-version": "model_version:ModelVersion",
    "monitoring": "monitoring:Monitoring",
    "oversight-test": "oversight_test:OversightTest",
    "procedure": "procedure:Procedure",
    "revocation": "revocation:Revocation",
    "risk-file": "risk_file:RiskFile",
    "safety-result": "safety_result:SafetyResult",
    "sbom": "sbom:Sbom",
    "standard": "standard:Standard",
    "submission": "submission:Submission",
    "supplier": "supplier:Supplier",
    "system-description": "system_description:SystemDescription",
    "training-record": "training_record:TrainingRecord",
    "training-run": "training_run:TrainingRun",
}


def kinds(*, plugins: bool = True) -> list[str]:
    """Return the names of all kinds, ours and those that other packages bring."""
    return sorted({*_OURS, *(_plugins() if plugins else ())})


@cache
def content_model(kind: str) -> "type[Content]":
    """Return the model of a kind's content. Raises InvalidInput, with the nearest right name, for an unknown kind."""
    if kind in _OURS:
        module, name = _OURS[kind].split(":")
        model: type[Content] = getattr(import_module(f"{__name__}.{module}"), name)
        return model
    if (entry := _plugins().get(kind)) is not None:
        try:
            loaded: type[Content] = entry.load()
        except (ImportError, AttributeError) as error:
            raise InvalidInput(
                f"The kind {kind} comes from {entry.value}, which cannot be loaded: {error}.",
                remedy="Mend or uninstall the package that brings it.",
            ) from error
        return loaded
    near = get_close_matches(kind, kinds(), 1)
    raise InvalidInput(
        f"{kind!r} is no kind of evidence" + (f"; did you mean {near[0]!r}?" if near else "."),
        remedy=f"The kinds are: {', '.join(kinds())}.",
    )


def in_order(kind: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return content with the fields at every depth as the kind's model declares them, for people to read.

    Canonical JSON sorts them by name. Content that no model here reads comes back as it is.
    """
    from pydantic import ValidationError

    from compliance.kinds.base import recorded

    try:
        return recorded(content_model(kind).model_validate(content))
    except (InvalidInput, ValidationError):
        return content


@cache
def _plugins() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
