"""A story on record, written as its authors would, and what takes one thing in it away or changes it."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from compliance.core.evidence import Evidence, Source, SourceBasis, Subject
from compliance.core.findings import Finding, NeedVerdict
from compliance.core.reading import read_records
from compliance.kinds.authoring import draft
from support.cases import SYSTEM, Json, Record, key_event, ledger, public_key, sha

Change = Callable[[dict[str, Json]], None]
SOURCE = Source(basis=SourceBasis.MEASURED, how="record", tool="compliance", tool_version="0.1.0")


def authored(path: Path) -> dict[str, Json]:
    """Return every record of a story by its title; `SHA(x)` in it is the digest of x."""
    text = re.sub(r"SHA\((.+?)\)", lambda found: sha(found[1]), path.read_text(encoding="utf-8"))
    return {str(one.value["title"]): dict(one.value) for one in read_records(text.encode(), path.name)}


class OnRecord:
    """What the story has on record so far, for later records to refer to."""

    def __init__(self) -> None:
        self.things: dict[str, Subject] = {}
        self.roles: dict[str, str] = {}

    def thing(self, name_version: str) -> Subject:
        return self.things[name_version]

    def role(self, sha256: str) -> str:
        return self.roles[sha256]

    def record(self, number_or_digest: str) -> tuple[str, str]:
        return number_or_digest, sha(number_or_digest)


def held(records: dict[str, Json], signed: Iterable[tuple[str, Json]], signers: dict[str, str]) -> list[Evidence]:
    """Give every record its place in the ledger, and sign approvals: (title, content), signed by its meaning's key."""
    keys = ledger({"genesis": key_event("pipeline", ["admin", "recorder"], "pipeline"),
                   **{name: key_event(name, [name]) for name in signers.values()}})  # fmt: skip
    pieces, on_record = list(keys.values()), OnRecord()
    hint = public_key("pipeline")[1]
    for title, record in records.items():
        statement = draft(record, on_record, where=title).statement(
            system=SYSTEM, recorded_at="2026-11-20T00:00:00Z", recorded_by="pipeline", source=SOURCE, attachments=[]
        )
        for one in statement["subject"]:
            on_record.things.setdefault(one["name"], Subject.model_validate(one))
            if record["kind"] == "dataset":
                on_record.roles[one["digest"]["sha256"]] = record["role"]
        logged = f"2026-11-20T{10 if title.startswith('criteria') else 20:02d}:00:00Z"
        pieces.append(Evidence(len(pieces), sha(title), record["kind"], logged, hint, statement))
    for title, content in signed:
        about = {"name": "EV-000009", "digest": {"sha256": sha(title)}, "annotations": {"basis": "content"}}
        named = content | {"evidence": [{"name": "EV-000009", "sha256": sha(title)}]}
        made = ledger({"a": Record("approval", about, named, signers[content["meaning"]])})["a"]
        digest = sha(f"{content['meaning']} {title}")
        pieces.append(Evidence(len(pieces), digest, "approval", "2026-11-20T22:00:00Z", made.signer, made.statement))
    return pieces


def open_needs(found: Mapping[str, Finding]) -> dict[str, str]:
    """Return every need that is not shown, as row/need, with its verdict and reason."""
    return {
        f"{row}/{need.need}": f"{need.verdict.value}: {need.reason}"
        for row, one in found.items()
        for need in one.needs
        if need.verdict is not NeedVerdict.PASSED
    }


def put(title: str, path: str, value: Any) -> Change:
    """Return what sets one field of one record, such as `files.0.pages`; None takes it out."""

    def change(records: dict[str, Json]) -> None:
        *parts, last = path.split(".")
        at: Any = records[title]
        for part in parts:
            at = at[int(part)] if part.isdigit() else at[part]
        if value is None:
            del at[last]
        else:
            at[int(last) if last.isdigit() else last] = value

    return change


def without(title: str) -> Change:
    """Return what takes one record out of the story."""

    def change(records: dict[str, Json]) -> None:
        del records[title]

    return change
