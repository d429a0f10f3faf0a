"""OSCAL from the command line, read by compliance-trestle."""

import json
from pathlib import Path

import pytest
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.catalog import Catalog
from trestle.oscal.profile import Profile

from compliance.cli.edge import run

MODELS = {"oscal-catalog": Catalog, "oscal-profile": Profile, "oscal-assessment-results": AssessmentResults}


@pytest.mark.parametrize("format_", MODELS)
def test_each_format_is_written_and_read_by_others(
    format_: str, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "--format", format_, "-o", "out.json", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"format": format_, "file": "out.json", "bytes": (inside / "out.json").stat().st_size}
    assert MODELS[format_].oscal_read(inside / "out.json") is not None
    assert run(["export", "--format", format_]) == 0
    assert capsys.readouterr().out.encode() == (inside / "out.json").read_bytes()


def test_the_findings_are_those_of_status(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert run(["export", "--format", "oscal-assessment-results"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["assessment-results"]["results"]
    told = {finding["target"]["target-id"]: finding["description"] for finding in result["findings"]}
    assert told == {
        f"{f['requirement'].replace('/', '_')}_obj": f["reason"] for f in findings if f["finding"] != "not-applicable"
    }


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--format", "oscal"], 2, "There is no format oscal"),
        (["--format", "oscal-catalog", "-o", "nowhere/out.json"], 3, "cannot be written"),
        (["--format", "oscal-catalog", "--catalog", "nope"], 2, "There is no catalog nope"),
    ],
)
def test_what_cannot_be_exported_is_said(
    arguments: list[str], code: int, words: str, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", *arguments, "--json"]) == code
    assert words in json.loads(capsys.readouterr().out)["error"]["problem"]
