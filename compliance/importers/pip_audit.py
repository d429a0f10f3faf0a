"""pip-audit's JSON: the packages of an environment become an `sbom` with their known vulnerabilities.

A dependency that was skipped was not checked: behind a mirror that can be all of them, under the words "no known
vulnerabilities found". Which advisories were asked and when is not in the file, nor how severe a vulnerability is.
"""

from collections.abc import Mapping
from typing import Any

from compliance.importers import bill
from compliance.importers.base import UNKNOWN, Given, Importer, Reading
from compliance.importers.source import Source
from compliance.importers.values import listing, mapping, word

TOOL = "pip-audit"


def _recognise(source: Source) -> bool:
    data = source.json
    if isinstance(data, dict):
        return {"dependencies", "fixes"} <= data.keys()
    if not isinstance(data, list) or not data:  # the bare list that versions before 2.2 wrote
        return False
    return isinstance(data[0], dict) and "name" in data[0] and bool({"vulns", "skip_reason"} & data[0].keys())


def _read(source: Source, given: Given) -> Reading:
    data = source.json if isinstance(source.json, list) else source.json["dependencies"]
    dependencies = [mapping(one, "a dependency") for one in listing(data, "dependencies")]
    skipped = [one for one in dependencies if "vulns" not in one or "skip_reason" in one]
    gaps = []
    if skipped:
        named = ", ".join(str(word(one.get("name"))) for one in skipped[:10]) + ("…" if len(skipped) > 10 else "")
        gaps.append(f"{len(skipped)} of {len(dependencies)} dependencies were skipped and not checked: {named}.")
    found = [_vulnerability(one, vuln) for one in dependencies for vuln in one.get("vulns") or []]
    made = bill.record(
        source,
        TOOL,
        [bill.component(one.get("name"), version=one.get("version")) for one in dependencies],
        gaps,
        title=f"{TOOL}: {len(dependencies) - len(skipped)} dependencies checked",
        format_version=UNKNOWN,
        type="build",
        tool=TOOL,
        vulnerabilities=found,
    )
    affected = len({one["component"] for one in found})
    notes = [f"{len(found)} known vulnerabilities in {affected} dependencies. Of an environment, not of a product."]
    return Reading(records=[made], gaps=[], notes=notes)


def _vulnerability(one: Mapping[str, Any], vuln: Mapping[str, Any]) -> dict[str, Any]:
    fixed = ", ".join(str(version) for version in vuln.get("fix_versions") or [])
    aliases = ", ".join(str(alias) for alias in vuln.get("aliases") or [])
    told = [f"Fixed in {fixed}." if fixed else "No fixed version is named.", f"Also {aliases}." if aliases else ""]
    return {
        "id": word(vuln["id"]) or "without id",
        "component": word(f"{one.get('name')} {one.get('version')}"),
        "severity": "unknown",
        "status": "affected",
        "justification": " ".join(filter(None, told)),
    }


IMPORTER = Importer(
    TOOL, _recognise, _read, marks=((b'"dependencies"', b'"vulns"'), (b'"dependencies"', b'"skip_reason"'))
)
