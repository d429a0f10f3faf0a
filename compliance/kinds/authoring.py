"""From a record as people write it to a draft ready to be signed: names resolved, figures computed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from compliance.core.canonical import content_digest
from compliance.core.evidence import (
    NAME,
    VERSION,
    Attachment,
    Basis,
    Citation,
    Classification,
    Completeness,
    Sha256,
    Source,
    SourceBasis,
    Strict,
    Subject,
)
from compliance.core.reading import Located
from compliance.errors import InvalidInput
from compliance.kinds import content_model
from compliance.kinds.base import SCHEMA_VERSION, Content, Supersedes, Title, recorded, statement
from compliance.kinds.fields import Record, Resolver, Text, Word
from compliance.kinds.problems import Problem, problems_in, refuse, unknown_fields

_NAME_VERSION = re.compile(f"{NAME}@{VERSION}")
_BYTES = {Basis.FILE, Basis.FOLDER, Basis.TABLE}
_MEDIA_TYPES = {
    ".csv": "text/csv", ".html": "text/html", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".json": "application/json",
    ".jsonl": "application/jsonl", ".md": "text/markdown", ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf", ".png": "image/png", ".svg": "image/svg+xml", ".toml": "application/toml",
    ".tsv": "text/tab-separated-values", ".txt": "text/plain", ".xml": "application/xml", ".yaml": "application/yaml",
    ".yml": "application/yaml", ".zip": "application/zip",
}  # fmt: skip


class AuthoredAttachment(Strict):
    """A file to keep beside the record, or bytes made by a command."""

    path: Path | None = None
    data: bytes | None = None
    name: Word | None = None
    media_type: Word | None = None
    classification: Classification = Classification.INTERNAL


class AuthoredSupersedes(Strict):
    """The record that this one replaces, and why."""

    evidence: Record
    reason: Text


class Common(Strict):
    """What any record may say beside its kind's own fields."""

    kind: Word
    name: Word | None = None
    version: Word | None = None
    model: Word | None = None
    sha256: Sha256 | None = None
    basis: Basis | SourceBasis | None = None
    """How the facts came to be (measured, published, estimated); from a digesting command, what was digested."""
    title: Title | None = None
    summary: str = Field(default="", max_length=20_000)
    attachments: list[AuthoredAttachment] = Field(default=[])
    supersedes: AuthoredSupersedes | None = None
    data_classification: Classification = Classification.INTERNAL
    citation: Citation | None = None
    completeness: Completeness = Completeness.COMPLETE
    completeness_reason: Text | None = None


@dataclass(frozen=True, slots=True)
class AttachmentSpec:
    """An attachment before it is digested: a path as authored, or bytes."""

    source: Path | bytes
    name: str
    media_type: str
    classification: Classification


@dataclass(frozen=True, slots=True)
class Draft:
    """A validated record: everything that its statement says, except who records it, when and how."""

    kind: str
    title: str
    summary: str
    subjects: list[Subject]
    content: dict[str, Any]
    completeness: Completeness
    completeness_reason: str | None
    data_classification: Classification
    basis: SourceBasis
    citation: Citation | None
    supersedes: dict[str, Any] | None = None
    attachments: list[AttachmentSpec] = field(default_factory=list)

    def statement(
        self,
        *,
        system: str,
        recorded_at: str,
        recorded_by: str,
        source: Source,
        attachments: list[dict[str, Any]] | list[Attachment],
    ) -> dict[str, Any]:
        """Return the whole in-toto Statement, checked once more as a reader will see it. Raises InvalidInput."""
        from compliance.kinds.schema import validate_statement

        predicate: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "system": system,
            "recorded_at": recorded_at,
            "recorded_by": recorded_by,
            "title": self.title,
            "summary": self.summary,
            "source": source.model_dump(mode="json", exclude_none=True),
            "completeness": self.completeness.value,
            "attachments": [a.model_dump(mode="json") if isinstance(a, Attachment) else dict(a) for a in attachments],
            "data_classification": self.data_classification.value,
            "content": self.content,
        }
        if self.completeness_reason:
            predicate["completeness_reason"] = self.completeness_reason
        if self.supersedes:
            predicate["supersedes"] = self.supersedes
        whole = statement(self.subjects, self.kind, predicate)
        validate_statement(whole)
        return whole


def draft(authored: Mapping[str, Any], resolver: Resolver, *, where: str | Located) -> Draft:
    """Validate one record as authored and resolve what it names.

    Raises InvalidInput with every problem found, the first one first; UnknownReference where that first problem
    is a name that nothing on record answers to.
    """
    place = where if isinstance(where, Located) else Located(dict(authored), where, 0)
    kind = authored.get("kind")
    if not isinstance(kind, str):
        refuse(place, [Problem(("kind",), "is missing" if kind is None else "must be text")])
    try:
        model = content_model(kind)
    except InvalidInput as error:
        refuse(place, [Problem(("kind",), error.problem.rstrip("."), error.remedy)])
    own = {name for name, info in model.model_fields.items()} | {
        i.alias for i in model.model_fields.values() if i.alias
    }
    shared = set(Common.model_fields) - own | {"kind"}
    problems = unknown_fields(authored, own | shared, kind)
    context = {"resolver": resolver}
    common: Common | None = None
    content: Content | None = None
    try:
        common = Common.model_validate({k: v for k, v in authored.items() if k in shared}, context=context)
    except ValidationError as error:
        problems += problems_in(error, Common)
    try:
        content = model.model_validate({k: v for k, v in authored.items() if k in own}, context=context)
    except ValidationError as error:
        problems += problems_in(error, model)
    if problems or common is None or content is None:
        refuse(place, sorted(problems, key=lambda p: _order(p, authored)))
    return _drafted(common, content, resolver, place)


def _order(problem: Problem, authored: Mapping[str, Any]) -> tuple[bool, int]:
    """Missing fields after wrong ones, wrong ones in the order they were written."""
    names = list(authored)
    first = problem.path[0] if problem.path else None
    return (first not in names, names.index(first) if first in names else 0)


def _drafted(common: Common, content: Content, resolver: Resolver, place: Located) -> Draft:
    values = recorded(content)
    problems: list[Problem] = []
    subjects = _subjects(common, content, values, resolver, problems)
    title = common.title or content.default_title()
    if title is None:
        problems.append(Problem(("title",), "is missing"))
    if (common.completeness is Completeness.COMPLETE) == (common.completeness_reason is not None):
        problems.append(
            Problem(("completeness_reason",), "goes with incomplete or unreadable records, and only with them")
        )
    attachments = [_attachment(a, index, problems) for index, a in enumerate(common.attachments)]
    names = [spec.name for spec in attachments if spec]
    problems += [Problem(("attachments",), f"names {name} twice") for name in {n for n in names if names.count(n) > 1}]
    basis = common.basis if isinstance(common.basis, SourceBasis) else SourceBasis.MEASURED
    if basis is SourceBasis.PUBLISHED and common.citation is None:
        problems.append(Problem(("citation",), "is missing; a published fact says where it was read"))
    if problems or title is None:
        refuse(place, problems)
    superseded = common.supersedes
    return Draft(
        kind=content.kind,
        title=title,
        summary=common.summary,
        subjects=subjects,
        content=values,
        completeness=common.completeness,
        completeness_reason=common.completeness_reason,
        data_classification=common.data_classification,
        basis=basis,
        citation=common.citation,
        supersedes=Supersedes(
            name=superseded.evidence.name, sha256=superseded.evidence.sha256, reason=superseded.reason
        ).model_dump()
        if superseded
        else None,
        attachments=[spec for spec in attachments if spec],
    )


def _subjects(
    common: Common, content: Content, values: dict[str, Any], resolver: Resolver, problems: list[Problem]
) -> list[Subject]:
    subjects: list[Subject] = []
    if content.own != "none":
        digest, basis = _own_digest(common, content, values, problems)
        name = _own_name(common, content, digest, problems)
        if digest and name:
            subjects.append(Subject.of(name, digest, basis))
    elif common.name or common.version or common.sha256:
        problems.append(Problem(("name",), f"does not belong to {content.kind}, which is about other things on record"))
    if "model" not in type(content).model_fields:
        subjects += _model(common, content, resolver, problems)
    subjects += content.also_about()
    return subjects


def _own_digest(common: Common, content: Content, values: dict[str, Any], problems: list[Problem]) -> tuple[str, Basis]:
    identity = getattr(content, "identity", None)
    if identity is not None:
        if common.sha256 is not None:
            problems.append(Problem(("identity",), "goes with things whose bytes are not here; leave out sha256"))
        return content_digest(recorded(identity)), Basis.IDENTITY
    if common.sha256 is not None and (content.own == "bytes" or content.kind == "document"):
        basis = common.basis if isinstance(common.basis, Basis) else Basis.FILE
        if basis not in _BYTES:
            problems.append(
                Problem(
                    ("basis",), f"cannot be {basis.value} beside sha256; give `identity:` for a thing that is not here"
                )
            )
        return common.sha256, basis
    if common.sha256 is not None:
        problems.append(
            Problem(("sha256",), f"does not belong to {content.kind}: its digest is taken of its own content")
        )
    if content.own == "bytes":
        problems.append(
            Problem(
                ("sha256",),
                "is missing",
                "`compliance log model` and `compliance log dataset` take it; or give `identity:`.",
            )
        )
        return "", Basis.FILE
    return content_digest(values), Basis.CONTENT


def _own_name(common: Common, content: Content, digest: str, problems: list[Problem]) -> str:
    if common.name is None:
        if content.named:
            problems.append(Problem(("name",), "is missing: other records refer to it as NAME@VERSION"))
        return content.default_name(digest) if digest else ""
    name, at, version = common.name.partition("@")
    if at and common.version and common.version != version:
        problems.append(Problem(("version",), f"is {common.version}, but the name ends in @{version}"))
    version = version or common.version or ""
    if not _NAME_VERSION.fullmatch(f"{name}@{version}"):
        told = (
            "needs a version: NAME@VERSION"
            if not version
            else f"{name}@{version} has other characters than letters, digits and . _ - (+ in the version)"
        )
        problems.append(Problem(("name",), told))
    return f"{name}@{version}"


def _model(common: Common, content: Content, resolver: Resolver, problems: list[Problem]) -> list[Subject]:
    if common.model is None:
        if content.about_model == "required":
            problems.append(Problem(("model",), "is missing: which model version, as NAME@VERSION"))
        return []
    if content.about_model == "no":
        problems.append(Problem(("model",), f"does not belong to {content.kind}"))
        return []
    try:
        return [resolver.thing(common.model)]
    except InvalidInput as error:
        problems.append(Problem(("model",), error.problem.rstrip("."), error.remedy, unknown=True))
        return []


def _attachment(authored: AuthoredAttachment, index: int, problems: list[Problem]) -> AttachmentSpec | None:
    where = ("attachments", index)
    if (authored.path is None) == (authored.data is None):
        problems.append(Problem(where, "needs a path"))
        return None
    name = authored.name or (authored.path.name if authored.path else "")
    if not name or "/" in name or "\\" in name:
        problems.append(Problem((*where, "name"), "must be a plain file name"))
        return None
    media_type = authored.media_type or _MEDIA_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
    source = authored.path if authored.path is not None else authored.data or b""
    return AttachmentSpec(source, name, media_type, authored.classification)
