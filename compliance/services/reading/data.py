"""What a reader hands over: a table where there is one, what else the source tells, and what could not be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compliance.services.reading.table import Table


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset as read."""

    table: Table | None = None
    """Rows of a table, or one row a file of an image or DICOM folder. None: nothing to count by."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the dataset record that the source itself tells."""
    gaps: Sequence[str] = ()
    """What could not be read: the record is incomplete."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Options (`groups`, `patient`, `time`, `site`) that hold unless others are given."""
    record: Sequence[str] | None = None
    """The columns by which two records are the same. None: all but the patient's."""
    attachments: Sequence[Mapping[str, Any]] = ()

    @property
    def is_rows(self) -> bool:
        """Whether the table's rows are the data themselves, and not one line about each file."""
        return self.table is not None and self.record is None
