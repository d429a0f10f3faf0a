"""Assess: catalogs x evidence x system x date -> one finding per requirement. Pure.

The rules are those of docs/explanation/assessment; each finding names the one that decided it.
"""

from compliance.core.findings import Assessment, Finding, NeedResult, NeedVerdict, Note, Thing, Verdict

__all__ = ["Assessment", "Finding", "NeedResult", "NeedVerdict", "Note", "Thing", "Verdict"]
