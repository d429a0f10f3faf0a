"""How a field's path reads in a sentence; what its kind says of it is in `services.catalog_fields`."""

import pytest

from compliance.core import paths
from compliance.services import catalog_fields, catalogs


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("population", "population"),
        ("became_aware_at", "became aware at"),
        ("answers[]", "answers"),
        ("trace.not_verified", '"not verified" of trace'),
        ("quality[].success", '"success" of quality'),
        ("hazards[].controls[].type", '"type" of controls of hazards'),
    ],
)
def test_a_path_reads_as_words(path: str, words: str) -> None:
    assert paths.label(path) == words


def test_no_path_that_catalogs_ask_for_reads_as_code() -> None:
    asked = {p for c in catalogs.available() for r in c.requirements for n in r.needs for p in (*n.fields, *n.must)}
    assert len(asked) > 300
    assert not [path for path in asked if set("_.[]") & set(paths.label(path))]


def test_a_field_is_described_as_its_kind_describes_it() -> None:
    said = catalog_fields.described("risk-file", "trace.not_verified")
    assert said == "Controls that name no evidence of being effective."
    assert catalog_fields.described("dataset", "leakage.shared").startswith("Most people shared")
    assert catalog_fields.described("document", "answers[]")
    assert catalog_fields.described("document", "abstract") == catalog_fields.described("document", "no.such") == ""
