"""Files of other tools taken over as `compliance import` does, without a workspace: every record must hold together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.core.evidence import Basis, Subject
from compliance.errors import UnknownReference
from compliance.importers import Given, Source, read, recognise, unreadable, whose
from compliance.kinds import content_model
from compliance.kinds.authoring import draft
from compliance.kinds.evaluation import Measured

SAMPLES = Path(__file__).resolve().parents[1] / "importers" / "samples"
THINGS = {
    "model@1": Subject.of("model@1", "5" * 64, Basis.FOLDER),
    "data@1": Subject.of("data@1", "c" * 64, Basis.FILE),
}


class OnRecord:
    """One model version and one dataset."""

    def thing(self, name_version: str) -> Subject:
        if name_version not in THINGS:
            raise UnknownReference(f"Nothing on record is called {name_version}.", remedy="Log it first.")
        return THINGS[name_version]

    def role(self, sha256: str) -> str:
        return "test"

    def record(self, number_or_digest: str) -> tuple[str, str]:
        raise UnknownReference(f"{number_or_digest} is not on record.", remedy="Log it first.")


@dataclass(frozen=True)
class Imported:
    """What became of one file: who read it, and its records as they would be signed."""

    tool: str
    version: str | None
    records: list[dict[str, Any]]

    @property
    def only(self) -> dict[str, Any]:
        (record,) = self.records
        return record

    def row(self, name: str, **group: str) -> dict[str, Any]:
        """Return the one metric row of this name and group, over all records."""
        rows = [
            row
            for record in self.records
            for row in record["content"].get("metrics") or []
            if row["name"] == name and (row.get("group") or {}) == group
        ]
        assert len(rows) == 1, f"{len(rows)} rows of {name} {group}"
        return rows[0]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for record in self.records for row in record["content"].get("metrics") or []]

    @property
    def reasons(self) -> str:
        return " ".join(record["reason"] or "" for record in self.records)

    @property
    def summaries(self) -> str:
        return " ".join(record["summary"] or "" for record in self.records)


def imported(
    what: Path | bytes | dict[str, bytes], *, model: str = "model@1", dataset: str | None = None, **given: Any
) -> Imported:
    """Take over a file, its bytes, or the files of a folder; raises NotSaidError where a user must say more."""
    if isinstance(what, Path):
        what = {f.name: f.read_bytes() for f in what.iterdir()} if what.is_dir() else what.read_bytes()
    source = Source.of("file", what) if isinstance(what, bytes) else Source("folder", what, folder=True)
    importer = recognise(source)
    if importer is None:
        importer = whose(source)
        assert importer is not None, "nobody recognises it"
        taken = unreadable(importer, source, f"It {source.problem}")
    else:
        taken = read(importer, source, Given(**given))
    return Imported(importer.tool, taken.tool_version, [_drafted(one, model, dataset) for one in taken.records])


def tool_of(data: bytes) -> str | None:
    """Return which tool a file is recognised as."""
    importer = recognise(Source.of("file", data))
    return importer.tool if importer else None


def _drafted(authored: dict[str, Any], model: str, dataset: str | None) -> dict[str, Any]:
    made, content = dict(authored), content_model(authored["kind"])
    if content.about_model != "no" and made.get("document_type") != "import-original":
        made["model"] = model
    if dataset and issubclass(content, Measured):
        made["dataset"] = dataset
    if made["kind"] == "dataset" and "identity" not in made:
        made |= {"name": "data@1", "sha256": "c" * 64, "basis": "file", "role": "test"}
    drafted = draft(made, OnRecord(), where="file")
    return {
        "kind": drafted.kind,
        "title": drafted.title,
        "summary": drafted.summary,
        "basis": drafted.basis.value,
        "completeness": drafted.completeness.value,
        "reason": drafted.completeness_reason,
        "content": drafted.content,
        "attachments": authored["attachments"],
    }
