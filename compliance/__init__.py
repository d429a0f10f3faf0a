"""Compliance Tracker: signed evidence about AI systems, assessed and compiled into dossiers.

The names in `__all__` are the public API and the only import path we promise; each is loaded
when it is first used, so that `import compliance` costs nothing.

    from compliance import Workspace

    with Workspace.open() as ws:
        ws.log_model("model/", name="clinical-risk", version="2")
        ws.log_evaluation(model="clinical-risk@2", dataset="flchain-test@1", title="…", metrics=[…])
        print(ws.assess(model="clinical-risk@2").counts)
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Assessment": "core.assessment",
    "Basis": "core.evidence",
    "Catalog": "core.catalog",
    "Checkpoint": "core.checkpoint",
    "ComplianceError": "errors",
    "Conflict": "errors",
    "Description": "core.system",
    "Evidence": "core.evidence",
    "Finding": "core.assessment",
    "InvalidInput": "errors",
    "Logged": "services.record",
    "Profile": "core.system",
    "Requirement": "core.catalog",
    "Subject": "core.evidence",
    "System": "core.system",
    "Unavailable": "errors",
    "UnknownReference": "errors",
    "VerificationFailed": "errors",
    "Workspace": "services.workspace",
    "autolog": "services.autolog",
}

__all__ = [
    "Assessment",
    "Basis",
    "Catalog",
    "Checkpoint",
    "ComplianceError",
    "Conflict",
    "Description",
    "Evidence",
    "Finding",
    "InvalidInput",
    "Logged",
    "Profile",
    "Requirement",
    "Subject",
    "System",
    "Unavailable",
    "UnknownReference",
    "VerificationFailed",
    "Workspace",
    "__version__",
    "autolog",
]

if TYPE_CHECKING:
    from compliance.core.assessment import Assessment as Assessment
    from compliance.core.assessment import Finding as Finding
    from compliance.core.catalog import Catalog as Catalog
    from compliance.core.catalog import Requirement as Requirement
    from compliance.core.checkpoint import Checkpoint as Checkpoint
    from compliance.core.evidence import Basis as Basis
    from compliance.core.evidence import Evidence as Evidence
    from compliance.core.evidence import Subject as Subject
    from compliance.core.system import Description as Description
    from compliance.core.system import Profile as Profile
    from compliance.core.system import System as System
    from compliance.errors import ComplianceError as ComplianceError
    from compliance.errors import Conflict as Conflict
    from compliance.errors import InvalidInput as InvalidInput
    from compliance.errors import Unavailable as Unavailable
    from compliance.errors import UnknownReference as UnknownReference
    from compliance.errors import VerificationFailed as VerificationFailed
    from compliance.services.autolog import autolog as autolog
    from compliance.services.record import Logged as Logged
    from compliance.services.workspace import Workspace as Workspace


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'compliance' has no attribute {name!r}")
    return getattr(importlib.import_module(f"compliance.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
