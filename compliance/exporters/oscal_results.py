"""An assessment as OSCAL assessment-results: findings on controls, the evidence they rest on, and what is at risk.

One observation per piece of evidence, with the digest of its envelope: by it, and by nothing else, a reader knows the
signed record again. A finding that is not met and waits for more than a person's answer is also a risk, with the next
command as the recommended response. What does not apply is reviewed and left out, with its reason in the remarks.
"""

from collections.abc import Mapping
from typing import Any

from compliance.core.evidence import Evidence
from compliance.core.findings import Assessment, Finding, Verdict
from compliance.exporters.oscal import control_id, metadata, objective_id, props, uuid, written

TESTED = frozenset({"evaluation", "safety-result", "oversight-test"})
"""Kinds that were measured; the rest is examined."""
NO_RISK = (Verdict.MET, Verdict.NOT_APPLICABLE, Verdict.UNDETERMINED)

Json = dict[str, Any]


def to_results(assessment: Assessment, evidence: Mapping[str, Evidence], *, provider: str, tool_version: str) -> bytes:
    """Return one assessment; `evidence` holds what its findings name, by number."""
    return _Results(assessment, evidence, provider, tool_version).written()


class _Results:
    def __init__(
        self, assessment: Assessment, evidence: Mapping[str, Evidence], provider: str, tool_version: str
    ) -> None:
        self.assessment, self.evidence = assessment, evidence
        self.provider, self.tool_version = provider, tool_version
        self.model = assessment.model
        about = self.model.sha256 if self.model else "no model version"
        self.scope = (assessment.system, about, assessment.as_of)
        self.applicable = [f for f in assessment.findings if f.finding is not Verdict.NOT_APPLICABLE]

    def written(self) -> bytes:
        name = self.model.name if self.model else "no model version"
        title = f"{self.assessment.system}: {name}, as of {self.assessment.as_of}"
        plan = uuid("plan", *self.scope)
        head = metadata(
            title,
            self.assessment.as_of,
            self.assessment.as_of,
            "Organises evidence and decides nothing about conformity. Counts are of rows, which do not weigh the same.",
        )
        provider = uuid("party", self.provider)
        head |= {
            "roles": [{"id": "provider", "title": "Provider of the system"}],
            "parties": [{"uuid": provider, "type": "organization", "name": " ".join(self.provider.split())}],
            "responsible-parties": [{"role-id": "provider", "party-uuids": [provider]}],
        }
        return written(
            "assessment-results",
            {
                "uuid": uuid("assessment-results", *self.scope),
                "metadata": head,
                "import-ap": {"href": f"#{plan}"},
                "results": [self._result(title)],
                "back-matter": {"resources": [self._plan(plan), *self._resources()]},
            },
        )

    def _result(self, title: str) -> Json:
        found = self.assessment
        risks = [self._risk(f) for f in self.applicable if f.finding not in NO_RISK]
        observations = [self._observation(self.evidence[number]) for number in self._numbers()]
        notes = [f"{note.topic} ({', '.join(note.evidence)}): {note.text}" for note in found.notes]
        return {
            "uuid": uuid("result", *self.scope),
            "title": title,
            "description": "Each requirement held against the evidence on record at the end of that day.",
            "start": f"{found.as_of}T00:00:00Z",
            "end": f"{found.as_of}T23:59:59Z",
            "props": props(
                [(f"count-{word}", count) for word, count in found.counts.items()]
                + [(f"catalog-{each.id}", f"{each.version} sha256:{each.sha256}") for each in found.catalogs]
            ),
            "local-definitions": {"components": [self._model()], "assessment-assets": self._assets()},
            "reviewed-controls": {"control-selections": [self._selection()]},
            "observations": observations,
            "risks": risks,
            "findings": [self._finding(f) for f in self.applicable],
            **({"remarks": "\n\n".join(notes)} if notes else {}),
        }

    def _selection(self) -> Json:
        out = [f for f in self.assessment.findings if f.finding is Verdict.NOT_APPLICABLE]
        chosen: Json = {"description": "What the signed profile leaves in scope."}
        if self.applicable:
            chosen["include-controls"] = [{"control-id": control_id(f.requirement.id)} for f in self.applicable]
        else:
            chosen["include-all"] = {}
        if out:
            chosen["exclude-controls"] = [{"control-id": control_id(f.requirement.id)} for f in out]
            reasons = {f.reason: None for f in out}
            chosen["remarks"] = "Not applicable: " + " ".join(reasons)
        return chosen

    def _finding(self, finding: Finding) -> Json:
        row = finding.requirement
        met = finding.finding is Verdict.MET
        failed = finding.finding is Verdict.FAILED
        told: Json = {
            "uuid": uuid("finding", *self.scope, row.id),
            "title": " ".join(f"{row.id}: {finding.finding}".split()),
            "description": finding.reason,
            "props": props(
                [
                    ("finding", finding.finding.value),
                    ("rule", finding.rule.value),
                    ("evidence-for", ", ".join(finding.evidence)),
                    ("evidence-against", ", ".join(finding.against)),
                    ("carried-over", ", ".join(finding.carried)),
                    ("next", finding.next),
                    ("binding", "yes" if finding.binding else "no"),
                    ("applies-from", finding.applies_from),
                    ("catalog", finding.catalog),
                ]
            ),
            "origins": [self._origin()],
            "target": {
                "type": "objective-id",
                "target-id": objective_id(row.id),
                "status": {
                    "state": "satisfied" if met else "not-satisfied",
                    "reason": "pass" if met else "fail" if failed else "other",
                },
            },
        }
        asked = [f"A person decides: {row.ask}"] if finding.ask_open and row.ask else []
        if beside := [*asked, *finding.flags]:
            told["remarks"] = "\n\n".join(beside)
        if numbers := self._of(finding):
            told["related-observations"] = [{"observation-uuid": self._uuid_of(number)} for number in numbers]
        if finding.finding not in NO_RISK:
            told["related-risks"] = [{"risk-uuid": uuid("risk", *self.scope, row.id)}]
        return told

    def _risk(self, finding: Finding) -> Json:
        row = finding.requirement
        risk: Json = {
            "uuid": uuid("risk", *self.scope, row.id),
            "title": f"{row.id} is not shown",
            "description": finding.reason,
            "statement": f"{' '.join(row.ref.split())} asks: {row.text}",
            "props": props([("finding", finding.finding.value)]),
            "status": "open",
        }
        if finding.applies_from and not finding.binding:
            risk["deadline"] = f"{finding.applies_from}T00:00:00Z"
        if finding.next:
            response = {
                "uuid": uuid("response", *self.scope, row.id),
                "lifecycle": "recommendation",
                "title": "Next command",
                "description": finding.next,
            }
            risk["remediations"] = [response]
        if numbers := self._of(finding):
            risk["related-observations"] = [{"observation-uuid": self._uuid_of(number)} for number in numbers]
        return risk

    def _observation(self, piece: Evidence) -> Json:
        return {
            "uuid": self._uuid_of(piece.number),
            "title": " ".join(f"{piece.number} · {piece.kind} · {piece.title}".split()),
            "description": str(piece.predicate.get("summary") or piece.title),
            "props": props([("kind", piece.kind), ("completeness", piece.completeness)]),
            "methods": ["TEST" if piece.kind in TESTED else "EXAMINE"],
            "origins": [self._origin()],
            "subjects": [{"subject-uuid": self._model()["uuid"], "type": "component"}],
            "relevant-evidence": [
                {
                    "href": f"#{uuid('evidence', piece.digest)}",
                    "description": f"Signed evidence {piece.number}, known by the SHA-256 of its envelope.",
                    "props": props([("sha256", piece.digest)]),
                }
            ],
            "collected": piece.logged_at,
        }

    def _resources(self) -> list[Json]:
        return [
            {
                "uuid": uuid("evidence", piece.digest),
                "title": piece.number,
                "props": props([("sha256", piece.digest)]),
                "rlinks": [
                    {
                        "href": f"urn:compliance-tracker:evidence:{piece.digest}",
                        "media-type": "application/vnd.dsse.envelope.v1+json",
                        "hashes": [{"algorithm": "SHA-256", "value": piece.digest}],
                    }
                ],
            }
            for piece in map(self.evidence.__getitem__, self._numbers())
        ]

    def _plan(self, own: str) -> Json:
        return {
            "uuid": own,
            "title": "How it was assessed",
            "description": "There is no separate assessment plan: each requirement's needs in its catalog say what is "
            "looked for, and acceptance plans on record, older than the results, what must be reached.",
        }

    def _model(self) -> Json:
        model = self.model
        return {
            "uuid": uuid("component", *self.scope[:2]),
            "type": "software",
            "title": model.name if model else "No model version on record",
            "description": "The model version that was assessed.",
            "props": props([("sha256", model.sha256 if model else ""), ("basis", model.basis if model else "")]),
            "status": {"state": "other", "remarks": "Whether it is in use is not recorded here."},
        }

    def _assets(self) -> Json:
        tool = uuid("tool", self.tool_version)
        component = {
            "uuid": tool,
            "type": "software",
            "title": "Compliance Tracker",
            "description": "Assesses evidence against catalogs; a pure function of both, the profile and the day.",
            "props": props([("version", self.tool_version)]),
            "status": {"state": "operational"},
        }
        platform = {"uuid": uuid("platform", self.tool_version), "uses-components": [{"component-uuid": tool}]}
        return {"components": [component], "assessment-platforms": [platform]}

    def _origin(self) -> Json:
        return {"actors": [{"type": "tool", "actor-uuid": uuid("tool", self.tool_version)}]}

    def _numbers(self) -> list[str]:
        return sorted({number for finding in self.applicable for number in self._of(finding)})

    def _of(self, finding: Finding) -> list[str]:
        """Return the evidence that a finding names, for and against, as far as it is here."""
        return [n for n in dict.fromkeys((*finding.evidence, *finding.against)) if n in self.evidence]

    def _uuid_of(self, number: str) -> str:
        return uuid("observation", *self.scope, self.evidence[number].digest)
