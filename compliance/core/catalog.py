"""Catalogs: bodies of requirements as data, and what evidence would show each one.

A need is written in a closed vocabulary, without expressions. What one statement can show alone (kind,
completeness, fields, metrics, groups) compiles to a JSON Schema (2020-12); what relates records to each
other (about, criterion, approval, role, age, bytes) is decided by `compliance.core.needs`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from unicodedata import category

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from compliance.core.evidence import Completeness, IsoDate, Name, Strict, predicate_type

NEEDS = "https://w3id.org/compliance-tracker/needs/"
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
AUDIT_TRAIL = "audit-trail"
"""The one evidence word that is no kind: the ledger's own verification answers it."""
ANY_GROUP = "*"
"""In `groups`: whatever attribute the evaluation broke its results down by."""
MEASURED_KINDS = frozenset({"evaluation", "safety-result", "oversight-test"})
"""Kinds whose content holds metric rows."""
LAW = ("in force", "applies from", "removal proposed")
"""How the status of a row begins that binds."""
STATUSES = (
    *LAW,
    "guidance",
    "draft guidance",
    "voluntary standard",
    "voluntary framework",
    "reporting guideline",
    "draft",
    "withdrawn",
)
"""How a status may begin; a slip would silently make a row bind nobody."""
INTERVAL = ("ci_low", "ci_high", "ci_level", "ci_method")

RequirementId = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9._-]*)+$", max_length=200)
]
"""`catalog/row`, stable for ever: eu-ai-act/art-15.1."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Path = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\[\])?(\.[a-z][a-z0-9_]*(\[\])?)*$", max_length=120)]
"""Where a field stands, from `content`: `dataset.role`; `hazards[].controls` goes into a list."""

UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
JOINING = frozenset("\n\t\u200c\u200d")
"""Characters of those classes that text is written with: line ends, and what joins or parts letters of some scripts."""


def _seen(text: str) -> str:
    """Refuse what a reader of a row would not see: control, direction and invisible characters, or nothing at all."""
    if not text.isprintable():
        for character in text:
            if character not in JOINING and category(character) in UNSEEN:
                raise ValueError(f"holds U+{ord(character):04X}, a character that is not seen")
    if all(character.isspace() or character in JOINING for character in text):
        raise ValueError("is empty")
    return text


Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_seen)]
Scalar = bool | int | str
Role = Literal["recorder", "reviewer", "approver", "admin"]
Exposure = Literal["annex-i", "annex-iii", "gpai", "any"]
ProfileKey = Literal[
    "roles", "high_risk", "markets", "features", "device.law", "device.class", "device.notified_body",
    "gpai.systemic_risk", "gpai.open_source", "gpai.exemption_claimed", "us.pathway", "us.class", "us.pccp",
    "us.cyber_device", "us.certified_health_it",
]  # fmt: skip


class Metrics(Strict):
    """At least one metric row looks like this."""

    any_of: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")], ...] = Field(min_length=1)
    interval: bool = False
    """The row carries both bounds, their level and their method."""
    min_n: int | None = Field(default=None, ge=1)


class Approved(Strict):
    """Somebody in this role signed exactly this evidence digest with this meaning."""

    meaning: Literal["authored", "reviewed", "approved"]
    role: Role
    not_author: bool = False


class Relation(Strict):
    """Every value at `path` stands so to the value at `to`: dates to dates, identities and numbers to their like."""

    path: Path
    relation: Literal["equal", "not-later", "not-earlier", "at-least"] = Field(alias="is")
    to: Path
    kind: Slug | None = None
    """Where `to` stands: the newest live record of this kind about the same thing; left out: the same record."""
    days: int | None = Field(default=None, ge=0)
    """Calendar days added to `to`: `not-later` with 15 is at most 15 days after it, `not-earlier` at least 15."""

    model_config = Strict.model_config | {"validate_by_alias": True, "serialize_by_alias": True}

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.days is not None and self.relation not in ("not-later", "not-earlier"):
            raise ValueError("days go with not-later or not-earlier")
        return self


class Need(Strict):
    """What one piece of evidence must be, and how it must stand to others, to count.

    `where` and `metrics.any_of` select: other evidence is not about this need. Evidence that is selected and lacks
    what is required is insufficient; what says otherwise than `must`, `relations`, `unique`, `figures` or a
    criterion shows the contrary, and fails the need.
    """

    id: Slug
    kind: Slug
    about: Literal["model-version", "dataset", "system"] = "system"
    """`dataset`: one that this model version was trained, tuned or tested on. `system`: this workspace's."""
    where: Mapping[Path, tuple[Scalar, ...]] = {}
    """The field holds one of these values; in a list, some one item satisfies every condition on it."""
    fields: tuple[Path, ...] = ()
    """The field is there and not empty; in a list, in every item."""
    metrics: Metrics | None = None
    holds: Mapping[Path, tuple[Scalar, ...]] = {}
    """Each of these values is there, each in some item: all of a set, where one of it is not enough."""
    least: Mapping[Path, Annotated[int, Field(ge=1)]] = {}
    """An integer of at least this, or a list of at least so many items."""
    must: Mapping[Path, tuple[Scalar, ...]] = {}
    """The field, in a list that of every item which `where` picks, holds one of these; another shows the contrary."""
    relations: tuple[Relation, ...] = ()
    unique: tuple[Path, ...] = ()
    """No other subject of this kind on record has the same value here."""
    figures: bool = False
    """The document declares figures, and each equals what a result or dataset on record says."""
    groups: tuple[Annotated[str, StringConstraints(pattern=r"^(\*|[a-z][a-z0-9_]*)$")], ...] = ()
    """Attributes by which results are broken down, two groups of each at least; `*` is any attribute."""
    criterion: Literal["passed", "declared"] | None = None
    """`passed`: met every criterion on its metrics, declared beforehand, on the bound that the plan names.
    `declared`: was held against such criteria, whatever came of it; for rows about order and reporting."""
    approved: Approved | None = None
    signer_role: Role | None = None
    max_age_days: int | None = Field(default=None, ge=1)
    bytes: Literal["required", "not-required"] = "required"
    """`not-required` lets evidence count whose subject is known only by its published identity."""
    each: bool = False
    """Asked of every piece on record (each incident, each change); where there is none, only the row's ask is left."""

    @property
    def judged_by_machine(self) -> bool:
        """Whether more than presence is checked, so that it may stand without a question to a person."""
        measured = self.criterion or self.metrics or self.groups
        return bool(
            self.kind == AUDIT_TRAIL or measured or self.must or self.holds or self.least or self.relations
            or self.unique or self.figures
        )  # fmt: skip

    def picks(self, path: str) -> dict[str, tuple[Scalar, ...]]:
        """Return what `where` asks of the items of the list that a path goes into, by the path within an item."""
        name, many, _ = path.partition("[].")
        begins = name + many
        return {
            said[len(begins) :]: allowed for said, allowed in self.where.items() if many and said.startswith(begins)
        }

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        measured = self.kind in MEASURED_KINDS
        if (self.metrics or self.groups or self.criterion) and not measured:
            raise ValueError(f"metrics, groups and criterion go with {' or '.join(sorted(MEASURED_KINDS))}")
        if self.figures and self.kind != "document":
            raise ValueError("figures go with document")
        for word, conditions in (("where", self.where), ("must", self.must), ("holds", self.holds)):
            for path, values in conditions.items():
                if not values:
                    raise ValueError(f"{word}.{path} names no value")
        return self


class Requirement(Strict):
    """One row of a catalog."""

    id: RequirementId
    ref: Text
    """Exact citation."""
    text: Text
    """Paraphrase in our words; the authentic text is the legislator's."""
    binds: tuple[Text, ...] = Field(min_length=1)
    evidence_kinds: tuple[Slug, ...] = Field(min_length=1)
    what_shows_it: Text
    measurable: Annotated[str, StringConstraints(pattern=r"^(no|(yes|partly): .+)$")]
    tier: Literal["C", "S", "X"]
    confidence: Literal["high", "medium", "low"]
    """How sure we are that citation and paraphrase are right."""
    source: tuple[Text, ...] = Field(min_length=1)
    status: Text
    """Legal status: in force, draft guidance, applies from a date."""
    applies_from: Mapping[Exposure, IsoDate] = {}
    applies_if: Mapping[ProfileKey, tuple[bool | str, ...]] = {}
    """Keys of the profile; all must match, each by any of its values."""
    applies_unless: Mapping[ProfileKey, tuple[bool | str, ...]] = {}
    """Keys of the profile that free from the row where all match: an exemption."""
    needs: tuple[Need, ...] = ()
    unmeasured: Text | None = None
    """Why no need judges a row that could be measured in part."""
    ask: Text | None = None
    """What only a person can decide."""

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        if not self.status.startswith(STATUSES):
            raise ValueError(f"has a status that does not begin with {', '.join(STATUSES[:-1])} or {STATUSES[-1]}")
        if not self.needs and not self.ask:
            raise ValueError("has neither needs nor an ask, so nothing could ever show it")
        if self.measurable.startswith("yes") and not self.needs:
            raise ValueError("is measurable, but no need measures it: add one, or say what is left open as `partly:`")
        if self.measurable.startswith("partly") and not (self.needs or self.unmeasured):
            raise ValueError("is measurable in part: add a need, or say under `unmeasured` why none measures it")
        ids = [need.id for need in self.needs]
        if len(set(ids)) < len(ids):
            raise ValueError("two needs share an id")
        if self.unmeasured and (self.needs or not self.measurable.startswith("partly")):
            raise ValueError("unmeasured explains a row that is measurable in part and has no needs; this one is not")
        weak = [need.id for need in self.needs if not need.judged_by_machine]
        if weak and not self.ask:
            raise ValueError(f"need {weak[0]} checks presence only, which is never enough: add an ask")
        vacuous = [need.id for need in self.needs if need.each]
        if vacuous and not self.ask:
            raise ValueError(f"need {vacuous[0]} asks nothing where nothing is on record: add an ask")
        return self

    @property
    def is_law(self) -> bool:
        """Whether the row binds, now or from a later day; guidance, drafts and standards bind nobody by themselves."""
        return self.status.startswith(LAW)

    def schema_of(self, need: Need) -> dict[str, Any]:
        """Return the JSON Schema of one of its needs."""
        return compile_need(self.id, need)


class Catalog(Strict):
    """A body of requirements, versioned."""

    id: Name
    version: Text
    date: IsoDate
    title: Text
    publisher: Text
    note: Text | None = None
    requirements: tuple[Requirement, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        seen: set[str] = set()
        asks: dict[str, str] = {}
        for requirement in self.requirements:
            if requirement.id in seen:
                raise ValueError(f"{requirement.id} stands twice")
            seen.add(requirement.id)
            if requirement.ask:
                other = asks.setdefault(requirement.ask, requirement.id)
                if other != requirement.id:
                    raise ValueError(f"{requirement.id} and {other} ask the same; an ask is specific to its row")
        return self

    def schemas(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (`requirement/need`, JSON Schema) for every need that a statement can answer."""
        for requirement in self.requirements:
            for need in requirement.needs:
                if need.kind != AUDIT_TRAIL:
                    yield f"{requirement.id}/{need.id}", requirement.schema_of(need)


def compile_need(requirement: str, need: Need) -> dict[str, Any]:
    """Return the JSON Schema of what one statement can show alone; checked after the kind's own schema."""
    content: dict[str, Any] = {}
    for path, values in need.where.items():
        _put(content, path.split("."), {"enum": list(values)}, each=False)
    for path in need.fields:
        _put(content, path.split("."), {"not": {"enum": [None, "", [], {}]}}, each=True)
    if held := [_holding(path, value) for path, values in need.holds.items() for value in values]:
        content["allOf"] = held
    for path, least in need.least.items():
        _put(content, path.split("."), {"minimum": least, "minItems": least}, each=True)
    for path, values in need.must.items():
        _put_must(content, path, values, need.picks(path))
    for path in (*(relation.path for relation in need.relations), *need.unique):
        _put(content, path.split("."), {}, each=True)
    if need.figures:
        _put(content, ["figures"], {"minItems": 1}, each=False)
    if rows := _metric_rows(need):
        _put(content, ["metrics"], rows, each=False)
    predicate = {"completeness": {"const": Completeness.COMPLETE.value}, "content": content}
    return {
        "$schema": SCHEMA_DIALECT,
        "$id": f"{NEEDS}{requirement}/{need.id}",
        "properties": {
            "predicateType": {"const": predicate_type(need.kind)},
            "predicate": {"properties": predicate},
        },
    }


def _put_must(
    content: dict[str, Any], path: str, values: tuple[Scalar, ...], picks: Mapping[str, tuple[Scalar, ...]]
) -> None:
    if not picks:
        _put(content, path.split("."), {"enum": list(values)}, each=True)
        return
    name, _, rest = path.partition("[].")
    picked: dict[str, Any] = {}
    for within, allowed in picks.items():
        _put(picked, within.split("."), {"enum": list(allowed)}, each=False)
    asked: dict[str, Any] = {}
    _put(asked, rest.split("."), {"enum": list(values)}, each=True)
    _put(content, f"{name}[]".split("."), {}, each=True)
    _items(content, name).setdefault("allOf", []).append({"if": picked, "then": asked})


def _items(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the schema of the items of a list."""
    part = content
    for step in name.split("."):
        part = part["properties"][step]
    items: dict[str, Any] = part["items"]
    return items


def _metric_rows(need: Need) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    if need.metrics:
        rows["contains"] = _metric_row(need.metrics)
    if need.groups:
        rows["allOf"] = [
            {"contains": _grouped(_metric_row(need.metrics), group), "minContains": 2} for group in need.groups
        ]
    return rows


def _metric_row(metrics: Metrics | None) -> dict[str, Any]:
    if metrics is None:
        return {}
    row: dict[str, Any] = {"properties": {"name": {"enum": list(metrics.any_of)}}}
    required = (["n"] if metrics.min_n or metrics.interval else []) + (list(INTERVAL) if metrics.interval else [])
    if required:
        row["required"] = required
    if metrics.min_n:
        row["properties"]["n"] = {"minimum": metrics.min_n}
    return row


def _grouped(row: dict[str, Any], group: str) -> dict[str, Any]:
    # A small group is flagged by the assessment, not hidden, so the overall minimum does not bind it.
    properties = {name: rule for name, rule in row.get("properties", {}).items() if name != "n"}
    properties["group"] = {"minProperties": 1} if group == ANY_GROUP else {"required": [group]}
    return {"required": [*row.get("required", []), "group"], "properties": properties}


def _holding(path: str, value: Scalar) -> dict[str, Any]:
    held: dict[str, Any] = {}
    _put(held, path.split("."), {"const": value}, each=False)
    return held


def _put(schema: dict[str, Any], path: list[str], leaf: dict[str, Any], *, each: bool) -> None:
    head, rest = path[0], path[1:]
    name = re.sub(r"\[\]$", "", head)
    required = schema.setdefault("required", [])
    if name not in required:
        required.append(name)
    below = schema.setdefault("properties", {}).setdefault(name, {})
    if head.endswith("[]"):
        if each:
            below["minItems"] = 1
        below = below.setdefault("items" if each else "contains", {})
    if rest:
        _put(below, rest, leaf, each=each)
    else:
        below.update(leaf)
