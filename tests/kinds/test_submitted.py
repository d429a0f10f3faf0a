"""Files of a submission: what follows from name and size is worked out, and a claim that differs is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compliance.kinds.base import recorded
from compliance.kinds.incident import Complaint
from compliance.kinds.submission import Statement, Submission
from compliance.kinds.submitted import PdfFile, Sized

SHA = "0" * 64


@pytest.mark.parametrize(
    ("count", "size"),
    [
        ("0", "up-to-50-mb"),
        ("50000000", "up-to-50-mb"),
        ("50000001", "up-to-400-mb"),
        ("400000001", "up-to-1-gb"),
        ("1000000000", "up-to-1-gb"),
        ("1000000001", "under-4-gb"),
        ("3999999999", "under-4-gb"),
        ("4000000000", "larger"),
    ],
)
def test_a_size_keeps_the_limits_that_the_guidance_names(count: str, size: str) -> None:
    assert Sized(bytes=count).size == size


@given(st.integers(0, 10**10), st.integers(0, 10**10))
def test_a_larger_file_never_keeps_a_tighter_limit(one: int, two: int) -> None:
    order = ["up-to-50-mb", "up-to-400-mb", "up-to-1-gb", "under-4-gb", "larger"]
    small, large = sorted((one, two))
    assert order.index(str(Sized(bytes=str(small)).size)) <= order.index(str(Sized(bytes=str(large)).size))


@pytest.mark.parametrize(
    ("name", "ecopy", "specified", "ectd"),
    [
        ("001_device-description.pdf", True, True, False),
        ("002_Software Description.pdf", True, False, False),
        ("device-description.pdf", False, True, True),
        ("1_description.pdf", False, True, False),
        ("003_risks & benefits.pdf", False, False, False),
        ("004_Prüfbericht.pdf", False, False, False),
        ("001_" + "a" * 125 + ".pdf", True, True, False),
        ("001_" + "a" * 126 + ".pdf", False, True, False),
        ("a" * 60 + ".pdf", False, True, True),
        ("a" * 61 + ".pdf", False, True, False),
    ],
)
def test_names_are_held_to_each_pattern(name: str, ecopy: bool, specified: bool, ectd: bool) -> None:
    file = PdfFile(name=name, sha256=SHA, bytes="1")
    assert (file.ecopy_name, file.specified_name, file.ectd_name) == (ecopy, specified, ectd)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ({"bytes": "60000000", "size": "up-to-50-mb"}, "size is given as up-to-50-mb, but it is up-to-400-mb"),
        ({"name": "A B.pdf", "ecopy_name": True}, "ecopy_name is given as True, but it is False"),
        ({"name": "data.zip"}, "goes under other_files"),
    ],
)
def test_a_claim_that_the_file_contradicts_is_refused(claim: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        PdfFile.model_validate({"name": "001_a.pdf", "sha256": SHA, "bytes": "1"} | claim)


def test_what_was_worked_out_is_recorded_and_read_again() -> None:
    content = {"type": "510(k)", "authority": "FDA", "status": "planned", "package": {"bytes": "12"}}
    files = [{"name": "001_a.pdf", "sha256": SHA, "bytes": "12", "pdf_version": "1.7"}]
    said = recorded(Submission.model_validate(content | {"files": files}))
    assert said["package"] == {"bytes": "12", "size": "up-to-50-mb"}
    assert said["files"][0]["ecopy_name"] is True
    assert recorded(Submission.model_validate(said)) == said


def test_a_signed_statement_says_when() -> None:
    assert Statement(text="All data are truthful.", signed=False).signed_on is None
    with pytest.raises(ValidationError, match="signed_on is missing"):
        Statement(text="All data are truthful.", signed=True)


def test_a_complaint_says_when_it_came() -> None:
    with pytest.raises(ValidationError, match="received_on"):
        Complaint.model_validate({"device_name": "clinical-risk"})
