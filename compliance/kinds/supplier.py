"""A supplier of data, models, tools or services: what it gives, on which terms, how it was judged."""

from typing import ClassVar, Literal

from compliance.core.evidence import IsoDate
from compliance.kinds.base import Content
from compliance.kinds.fields import Record, Text, Thing, Word


class Supplier(Content):
    """One supplier's qualification."""

    kind: ClassVar[str] = "supplier"

    supplier: Word
    supplies: Text
    things: list[Thing] | None = None
    """Models, datasets or documents on record that come from it."""
    role: Literal["data", "pre-trained-model", "software", "cloud", "annotation", "testing", "distribution", "other"]
    criticality: Literal["critical", "major", "minor"]
    agreement: Text | None = None
    agreement_date: IsoDate | None = None
    cooperation: Text | None = None
    """Information and technical access owed to us (Art. 25(4))."""
    evaluation: Text
    status: Literal["approved", "conditional", "rejected", "under-evaluation"]
    signature_checked: bool | None = None
    provenance: Text | None = None
    monitoring: Text | None = None
    continuity: Text | None = None
    """What happens if it stops."""
    re_evaluation_on: IsoDate | None = None
    evidence: list[Record] | None = None
