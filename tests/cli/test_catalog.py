"""Catalogs on the command line: any row by its id, files of one's own, and what a new text would change."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from compliance.cli.edge import run
from compliance.services import catalogs
from compliance.storage.assets import folder

from .conftest import Compliance

EXAMPLE = folder("evidence") / "company-qms" / "catalog.yaml"


def compliance_says(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


@pytest.mark.parametrize("catalog", catalogs.ids())
def test_a_row_is_shown_by_its_id_alone(catalog: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = catalogs.load(catalog).requirements[-1]
    shown = compliance_says(capsys, "catalog", "show", row.id)
    assert shown.startswith(f"{row.id}  {row.ref}\n")
    for told in (catalog, row.status, row.measurable, *(need.kind for need in row.needs)):
        assert told in shown
    assert row.ask is None or row.ask in shown
    told = json.loads(compliance_says(capsys, "catalog", "show", row.id, "--json"))
    assert (told["id"], [r["id"] for r in told["requirements"]]) == (catalog, [row.id])


@pytest.mark.parametrize(
    ("row", "word"),
    [("fda/cfr-803", "binds"), ("fda/aidsf/data.size", "speaks to"), ("fda/pccp/dom.list", "speaks to")],
)
def test_only_law_is_said_to_bind(row: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.findall(r"  (\S.*?)  +sponsor or manufacturer", compliance_says(capsys, "catalog", "show", row)) == [word]


def test_a_row_names_the_others_that_its_evidence_answers(capsys: pytest.CaptureFixture[str]) -> None:
    shown = compliance_says(capsys, "catalog", "show", "eu-ai-act/art-9.8.metrics")
    assert "The same evidence answers" in shown
    assert "fda/aidsf/validation.success-criteria" in shown
    assert "own mapping" in shown


def test_the_example_of_a_company_holds_and_can_be_signed(compliance: Compliance, tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "qms.yaml").write_bytes(EXAMPLE.read_bytes())
    assert compliance("catalog", "check", EXAMPLE).code == 0
    made = compliance(
        "init", tmp_path / "ws", "--system", "triage", "--provider", "Example", "--catalog", "fda-aidsf",
        "--catalog", "qms.yaml",
    )  # fmt: skip
    assert made.code == 0, made.err
    found = compliance("status", "--json", cwd=tmp_path / "ws").json
    assert {f["catalog"] for f in found["findings"]} == {"fda-aidsf", "qms"}
    listed = {each["id"]: each for each in compliance("catalog", "list", "--json", cwd=tmp_path / "ws").json}
    assert listed.keys() == {*catalogs.ids(), "qms"}
    assert listed["qms"]["sha256"] == sha256(EXAMPLE.read_bytes()).hexdigest()
    shown = compliance("catalog", "show", "qms/incident-clock", cwd=tmp_path / "ws")
    assert "first_reported_on is not later than became_aware_at plus 10 days" in shown.out
    assert compliance("catalog", "show", "qms", cwd=tmp_path / "ws").out.count("qms/") == 6
    assert compliance("verify", cwd=tmp_path / "ws").code == 0


def test_the_example_shows_every_way_to_answer_a_row() -> None:
    counted = catalogs.tally(catalogs.check(EXAMPLE))
    assert min(counted.needs_only, counted.ask_only, counted.both) > 0


def test_checking_all_counts_all(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(compliance_says(capsys, "catalog", "check", "--json"))
    assert [each["id"] for each in told] == catalogs.ids()
    lines = compliance_says(capsys, "catalog", "check").splitlines()
    assert lines[-1].split()[:2] == ["all", str(sum(each["requirements"] for each in told))]


def test_a_catalog_file_is_shown_before_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert "qms/clinical-owner" in compliance_says(capsys, "catalog", "show", str(EXAMPLE))


def test_a_new_text_is_compared_with_the_one_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    new = EXAMPLE.read_text().replace("max_age_days: 365", "max_age_days: 180").replace('version: "1"', 'version: "2"')
    (tmp_path / "new.yaml").write_text(new)
    told = json.loads(compliance_says(capsys, "catalog", "diff", str(EXAMPLE), "new.yaml", "--json"))
    assert [change["requirement"] for change in told["changed"]] == ["qms/annual-training"]
    assert "findings" not in told, "there is no workspace here"
    shown = compliance_says(capsys, "catalog", "diff", str(EXAMPLE), "new.yaml")
    assert "no older than 365 days" in shown
    assert "no older than 180 days" in shown
    assert "No row differs." in compliance_says(capsys, "catalog", "diff", str(EXAMPLE), str(EXAMPLE))


def test_a_new_text_under_an_old_version_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = EXAMPLE.read_text().replace("max_age_days: 365", "max_age_days: 180")
    for version, told in (("1", True), ("2", False)):
        (tmp_path / "new.yaml").write_text(text.replace('version: "1"', f'version: "{version}"'))
        assert run(["catalog", "diff", str(EXAMPLE), str(tmp_path / "new.yaml")]) == 0
        assert ("Both call themselves the same version" in capsys.readouterr().err) is told
    assert run(["catalog", "diff", str(EXAMPLE), str(EXAMPLE)]) == 0
    assert "version" not in capsys.readouterr().err


def test_the_check_tells_that_an_id_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.yaml").write_bytes(catalogs.path_of("who").read_bytes())
    assert run(["catalog", "check", str(tmp_path / "new.yaml")]) == 0
    assert "who is the id of a catalog at hand" in capsys.readouterr().err


def test_in_a_workspace_it_says_which_findings_would_change(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = catalogs.path_of("eu-ai-act").read_text()
    start = text.index("- id: eu-ai-act/art-4.1\n")
    end = text.index("\n- id:", start)
    narrowed = text[start:end].replace("applies_if: {", "applies_if: {device.law: [IVDR], ", 1)
    assert narrowed != text[start:end]
    gone = text.index("- id: eu-ai-act/art-5.screen\n")
    after_gone = text.index("\n- id:", gone) + 1
    assert end < gone
    (inside / "new.yaml").write_text(text[:start] + narrowed + text[end:gone] + text[after_gone:])
    config = inside / "compliance.toml"
    profile = '[profile]\nroles = ["provider"]\ndevice = { law = "MDR", class = "IIa", notified_body = true }\n'
    config.write_text(config.read_text().replace("[profile]\n", profile))
    compliance_says(capsys, "log", "record", "compliance.toml")
    told = json.loads(compliance_says(capsys, "catalog", "diff", "eu-ai-act", "new.yaml", "--json"))
    assert [(m["requirement"], m["after"]) for m in told["findings"]] == [
        ("eu-ai-act/art-4.1", "not-applicable"),
        ("eu-ai-act/art-5.screen", None),
    ]
    assert [row["requirement"] for row in told["removed"]] == ["eu-ai-act/art-5.screen"]
    shown = compliance_says(capsys, "catalog", "diff", "eu-ai-act", "new.yaml")
    assert "Findings that change for clinical-risk@1: 2" in shown
    assert "→ not-applicable" in shown
    assert "→ no row" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "fda/nothing"], "has the requirement fda/nothing"),
        (["show", "nowhere.yaml"], "No such file"),
        (["diff", "eu-ai-act", "nope"], "There is no catalog nope"),
        (["check", "."], "is no file"),
    ],
)
def test_what_is_not_there_is_said(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", *arguments, "--json"]) == 2
    assert words in json.loads(capsys.readouterr().out)["error"]["problem"]
