"""Importing on a real workspace: what is logged, what is asked for, what is left alone."""

import hashlib
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance import InvalidInput, Profile, System, UnknownReference, Workspace
from compliance import importers as importers_module
from compliance.core.evidence import Evidence
from compliance.importers import Given
from compliance.services import import_places, importing
from compliance.services.importing import Named, Outcome
from compliance.services.verify import verify_workspace

SAMPLES = Path(__file__).resolve().parents[1] / "importers" / "samples"
WHOLE = SAMPLES / "inspect_ai" / "whole.eval"
AUDIT = SAMPLES / "pip_audit" / "all_skipped.json"
REPORT = SAMPLES / "scikit_learn" / "classification_report.json"
VALIDATION = SAMPLES / "great_expectations" / "validation.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with a model version and a dataset; copy it, do not write to it."""
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
        system = System(id="demo", name="Demo", provider="Nobody", model="m", catalogs=["eu-ai-act"])
        with Workspace.create(root / "ws", system=system, profile=Profile(), origin="example.org/demo") as ws:
            (root / "m.bin").write_text("weights")
            (root / "d.csv").write_text("a,b\n1,2\n")
            ws.log_model(root / "m.bin", name="m", version="1")
            ws.log_dataset(root / "d.csv", name="d", version="1", role="test")
        yield root / "ws"


@pytest.fixture
def ws(made: Path, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(shutil.copytree(made, tmp_path / "ws")) as opened:
        yield opened


def pieces(ws: Workspace, outcomes: list[Outcome]) -> list[Evidence]:
    found = {piece.number: piece for piece in ws.evidence()}
    return [found[str(one.evidence)] for one in outcomes]


def test_originals_are_attached_and_the_source_is_told(ws: Workspace) -> None:
    outcomes = importing.run(ws, [WHOLE, AUDIT])
    assert [(one.tool, one.kind, one.completeness) for one in outcomes] == [
        ("inspect-ai", "evaluation", "complete"),
        ("inspect-ai", "evaluation", "complete"),
        ("pip-audit", "sbom", "incomplete"),
    ]
    first, _, bill = pieces(ws, outcomes)
    sha256 = hashlib.sha256(WHOLE.read_bytes()).hexdigest()
    assert (ws.attachments / sha256).read_bytes() == WHOLE.read_bytes()
    assert first.predicate["source"] == {
        "basis": "measured",
        "how": "import",
        "tool": "inspect-ai",
        "tool_version": "0.3.285",
        "file_sha256": sha256,
    }
    assert first.predicate["attachments"][0]["sha256"] == sha256
    assert first.predicate["attachments"][0]["classification"] == "restricted"
    assert sha256 in first.predicate["summary"], "what is withheld is told with its digest"
    assert bill.predicate["source"]["tool_version"] == "unknown"
    assert bill.content["attachment"] == bill.predicate["attachments"][0]["name"]
    assert [subject["name"] for subject in bill.subjects][-1] == "m@1"
    assert verify_workspace(ws.root).ok


def test_the_same_bytes_again_add_nothing_whatever_they_are_called(ws: Workspace, tmp_path: Path) -> None:
    first = importing.run(ws, [WHOLE, AUDIT])
    size = ws.ledger.size
    copy = Path(shutil.copy(WHOLE, tmp_path / "another name.bin"))
    again = importing.run(ws, [copy, AUDIT])
    assert ws.ledger.size == size
    assert [one.evidence for one in again] == [one.evidence for one in first]
    assert all(not one.new and f"on record as {one.evidence}" in str(one.reason) for one in again)


def test_the_same_bytes_about_something_else_are_another_result(ws: Workspace, tmp_path: Path) -> None:
    importing.run(ws, [WHOLE])
    assert all(one.new for one in importing.run(ws, [WHOLE], named=Named(dataset="d@1")))
    (tmp_path / "m2.bin").write_text("other weights")
    ws.log_model(tmp_path / "m2.bin", name="m", version="2")
    outcomes = importing.run(ws, [WHOLE])
    assert all(one.new for one in outcomes), "the newest version is meant where none is named"
    assert {piece.subjects[0]["name"] for piece in pieces(ws, outcomes)} == {"m@2"}


def test_a_dry_run_meets_a_file_twice_and_writes_nothing(ws: Workspace) -> None:
    size, kept = ws.ledger.size, sorted(ws.attachments.iterdir())
    outcomes = importing.run(ws, [WHOLE, WHOLE], dry_run=True)
    assert [one.new for one in outcomes] == [True, True, False, False]
    assert all(one.evidence is None for one in outcomes)
    assert (ws.ledger.size, sorted(ws.attachments.iterdir())) == (size, kept)


FILES = sorted(
    path for folder in ("inspect_ai", "junit", "sarif", "pip_audit", "cyclonedx", "hugging_face", "scikit_learn")
    for path in (SAMPLES / folder).iterdir() if path.suffix != ".py"
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(FILES))
def test_the_order_of_files_changes_nothing(ws: Workspace, order: list[Path]) -> None:
    def told(paths: list[Path]) -> set[tuple[object, ...]]:
        outcomes = importing.run(ws, paths, named=Named(dataset="d@1"), dry_run=True)
        return {(one.file, one.tool, one.title, one.completeness, one.reason, one.new) for one in outcomes}

    assert told(order) == told(FILES)


def test_a_folder_is_gone_through_and_what_nobody_knows_is_listed(ws: Workspace, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(SAMPLES / "inspect_ai", results / ".hidden" / "inspect")
    (results / ".git").mkdir()
    (results / ".git" / "whole.eval").write_bytes(WHOLE.read_bytes())
    by_name = {Path(one.file).name: one for one in importing.run(ws, [results])}
    assert set(by_name) == {"limited.json", "make.py", "reduced.eval", "whole.eval"}
    assert (by_name["make.py"].tool, by_name["make.py"].refused) == (None, False)
    assert by_name["limited.json"].completeness == "incomplete"
    (named,) = importing.run(ws, [results / ".hidden" / "inspect" / "make.py"])
    assert named.refused, "a file that was named and is nobody's must change"


def test_a_folder_that_a_tool_writes_is_one_result(ws: Workspace, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "task:model=a,b"
    run.mkdir(parents=True)
    (run / "run_spec.json").write_text('{"name": "t:m", "adapter_spec": {"model": "a"}, "metric_specs": []}')
    (run / "stats.json").write_text('[{"name": {"name": "exact_match", "split": "test"}, "count": 1, "mean": 0.5}]')
    (run / "notes.txt").write_text("not the run's")
    (outcome,) = importing.run(ws, [tmp_path / "runs"])
    assert (outcome.tool, outcome.file, outcome.completeness) == ("crfm-helm", str(run), "incomplete")
    (piece,) = pieces(ws, [outcome])
    assert [one["name"] for one in piece.predicate["attachments"]] == ["run_spec.json", "stats.json"]
    (run / "notes.txt").write_text("changed")
    (again,) = importing.run(ws, [tmp_path / "runs"])
    assert again.evidence == outcome.evidence, "only the files that were read count"


def test_pipes_and_links_to_nowhere_are_passed_by(ws: Workspace, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    os.mkfifo(results / "pipe.json")
    (results / "link.json").symlink_to("nowhere")
    (results / "audit.json").symlink_to(AUDIT)
    assert [one.tool for one in importing.run(ws, [results], dry_run=True)] == ["pip-audit"]
    with pytest.raises(InvalidInput, match="neither a file nor a folder"):
        importing.run(ws, [results / "pipe.json"])


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc: a file that nobody can read")
def test_a_file_that_the_disk_does_not_give_stops_no_other(ws: Workspace, tmp_path: Path) -> None:
    (results := tmp_path / "results").mkdir()
    (results / "a.json").symlink_to("/proc/self/mem")
    (results / "b.json").symlink_to(AUDIT)
    lost, found = importing.run(ws, [results])
    assert (lost.tool, lost.refused, found.new) == (None, True, True)
    assert f"{results / 'a.json'} cannot be read" in str(lost.reason)


def test_a_name_in_another_encoding_is_taken_over(ws: Workspace, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.json"))
    shutil.copy(AUDIT, path)
    (outcome,) = importing.run(ws, [path])
    (piece,) = pieces(ws, [outcome])
    assert piece.predicate["attachments"][0]["name"] == "caf?.json"


BROKEN = {
    "raises when it is loaded": "raise RuntimeError('boom')",
    "is no importer": "IMPORTER = print",
    "raises when it looks": "IMPORTER = Importer('Strange', lambda source: 1 / 0, print)",
    "raises when it reads": "def fail(source, given): raise RuntimeError('boom')\n"
    "IMPORTER = Importer('Strange', lambda source: source.holds(b'strange'), fail)",
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_importer_of_another_package_stops_no_other(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    _install(tmp_path / "site", "from compliance.importers import Importer\n" + code, monkeypatch)
    strange = tmp_path / "strange.txt"
    strange.write_text("strange")
    first, second = importing.run(ws, [strange, AUDIT])
    assert (first.kind, first.refused, second.new) == (None, True, True)
    assert str(first.reason).startswith("The importer Strange is broken: ")
    assert "Mend or uninstall what brings it." in str(first.reason)


def test_an_importer_of_another_package_reads_what_none_of_ours_recognises(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
    from compliance.importers import Importer, Reading
    def read(source, given):
        return Reading([{"kind": "document", "document_type": "test-report", "title": "Strange: all of it"}])
    IMPORTER = Importer("Strange", lambda source: not source.is_folder, read)
    """
    _install(tmp_path / "site", textwrap.dedent(code), monkeypatch)
    strange = tmp_path / "strange.txt"
    strange.write_text("strange")
    assert [one.tool for one in importing.run(ws, [strange, AUDIT])] == ["Strange", "pip-audit"]


def _install(site: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a package with an importer where Python finds it."""
    (info := site / "strange-1.dist-info").mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[compliance.importers]\nStrange = strange_importer:IMPORTER\n")
    (site / "strange_importer.py").write_text(code)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "strange_importer", raising=False)
    monkeypatch.setattr(importers_module, "_others", cache(importers_module._others.__wrapped__))


def test_a_name_that_means_something_else_already_stops_no_other(ws: Workspace, tmp_path: Path) -> None:
    croissant = (
        '{"@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0", "name": "d", "version": "1",'
        ' "url": "https://example.org/d", "distribution": []}'
    )
    (tmp_path / "croissant.json").write_text(croissant)
    refused, *others = importing.run(ws, [tmp_path / "croissant.json", AUDIT])
    assert refused.refused
    assert "d@1 stands for" in str(refused.reason)
    assert all(one.evidence for one in others)


def test_what_a_file_cannot_say_is_asked_for_and_stops_no_other(ws: Workspace) -> None:
    report, *others = importing.run(ws, [REPORT, WHOLE])
    assert report.refused
    assert "--dataset NAME@VERSION" in str(report.reason)
    assert report.evidence is None
    assert all(one.evidence for one in others)
    (told,) = importing.run(ws, [REPORT], named=Named(dataset="d@1"))
    (piece,) = pieces(ws, [told])
    assert piece.content["dataset"]["role"] == "test"


def test_names_that_nothing_answers_to_are_refused_before_anything_is_logged(ws: Workspace) -> None:
    size = ws.ledger.size
    for named in (Named(model="x@1"), Named(dataset="x@1"), Named(plan="x@1")):
        with pytest.raises(UnknownReference):
            importing.run(ws, [WHOLE], named=named)
    with pytest.raises(InvalidInput, match="not there"):
        importing.run(ws, [WHOLE, Path("nowhere.json")])
    assert ws.ledger.size == size


def test_without_a_model_on_record_one_is_asked_for(tmp_path: Path) -> None:
    system = System(id="demo", name="Demo", provider="Nobody", catalogs=["eu-ai-act"])
    with Workspace.create(tmp_path / "new", system=system, profile=Profile(), origin="example.org/demo") as fresh:
        outcomes = importing.run(fresh, [WHOLE, AUDIT])
    assert "--model NAME@VERSION" in str(outcomes[0].reason)
    assert outcomes[1].evidence, "a bill of materials needs no model"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")


def test_raw_predictions_are_computed_from(ws: Workspace) -> None:
    outcomes = importing.run(
        ws, [SAMPLES / "scikit_learn" / "scores.csv"], given=Given(groups=("site",)), named=Named(dataset="d@1")
    )
    (piece,) = pieces(ws, outcomes)
    names = {(row["name"], *(row.get("group") or {}).values()) for row in piece.content["metrics"]}
    assert names >= {("roc_auc",), ("sensitivity", "A"), ("brier",)}
    told = {"attachment": "scores.csv", "truth": "y_true", "score": "y_score", "groups": ["site"]}
    assert piece.content["predictions"] == told
    assert "score of 0.5" in piece.predicate["summary"]


def test_predictions_with_other_columns_are_recognised_where_the_columns_are_named(
    ws: Workspace, tmp_path: Path
) -> None:
    text = (SAMPLES / "scikit_learn" / "scores.csv").read_text().replace("y_true", "died").replace("y_score", "risk")
    (tmp_path / "p.csv").write_text(text)
    named = Named(dataset="d@1")
    (unknown,) = importing.run(ws, [tmp_path / "p.csv"], named=named)
    (slip,) = importing.run(ws, [tmp_path / "p.csv"], given=Given(truth="died", score="rsik"), named=named)
    assert unknown.tool is slip.tool is None
    (piece,) = pieces(ws, importing.run(ws, [tmp_path / "p.csv"], given=Given(truth="died", score="risk"), named=named))
    assert "roc_auc" in {row["name"] for row in piece.content["metrics"]}


def test_predictions_that_cannot_be_computed_from_are_refused_and_no_cell_is_kept(
    ws: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text("y_true,y_score\n0,0.1\nSmith,0.9\n")
    size = ws.ledger.size
    (outcome,) = importing.run(ws, [tmp_path / "p.csv"], named=Named(dataset="d@1"))
    assert (outcome.kind, outcome.refused, ws.ledger.size) == (None, True, size)
    assert "the truth in column y_true is not 0 or 1" in str(outcome.reason)
    assert "Smith" not in str(outcome.reason)
    assert "compliance log evaluation --predictions" in str(outcome.reason)


def test_what_is_said_of_the_same_bytes_makes_another_result(ws: Workspace) -> None:
    def taken(**said: object) -> Outcome:
        (outcome,) = importing.run(
            ws, [SAMPLES / "scikit_learn" / "scores.csv"], given=Given(**said), named=Named(dataset="d@1")
        )
        return outcome

    first = taken()
    for said in ({"groups": ("site",)}, {"cases": 99}):
        assert taken(**said).new, said
        assert not taken(**said).new, said
    assert taken().evidence == first.evidence


def test_predictions_are_held_against_how_many_there_should_be(ws: Workspace) -> None:
    scores = SAMPLES / "scikit_learn" / "scores.csv"
    outcomes = importing.run(ws, [scores], given=Given(cases=99), named=Named(dataset="d@1"))
    (piece,) = pieces(ws, outcomes)
    held = len(scores.read_text().splitlines()) - 1
    told = {"enrolled": 99, "analysed": held, "missing_score": 99 - held, "missing_truth": 0, "excluded": 0}
    assert told.items() >= piece.content["accountability"].items()
    assert (outcomes[0].completeness, outcomes[0].reason) == ("incomplete", f"{99 - held} of 99 cases are missing.")


def test_a_validation_is_a_further_record_of_the_dataset(ws: Workspace) -> None:
    (outcome,) = importing.run(ws, [VALIDATION], named=Named(dataset="d@1"))
    (piece,) = pieces(ws, [outcome])
    assert [subject["name"] for subject in piece.subjects] == ["d@1"]
    assert (outcome.kind, outcome.completeness) == ("dataset", "incomplete")


def test_a_damaged_file_is_kept_and_nothing_made_of_it(ws: Workspace, tmp_path: Path) -> None:
    cut = tmp_path / "cut.eval"
    cut.write_bytes(WHOLE.read_bytes()[:-100])
    (outcome,) = importing.run(ws, [cut])
    assert (outcome.tool, outcome.kind, outcome.completeness) == ("inspect-ai", "document", "unreadable")
    assert outcome.refused
    (piece,) = pieces(ws, [outcome])
    assert piece.content["document_type"] == "import-original"
    assert (ws.attachments / str(outcome.sha256)).read_bytes() == cut.read_bytes()
    assert importing.run(ws, [cut])[0].evidence == outcome.evidence


def test_a_record_that_does_not_hold_together_becomes_its_original(ws: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text('{"0": {"precision": 1.5, "recall": 1, "f1-score": 1, "support": 2}, '
                    '"macro avg": {"precision": 1, "recall": 1, "f1-score": 1}, '
                    '"weighted avg": {"precision": 1, "recall": 1, "f1-score": 1, "support": 2}}')  # fmt: skip
    (outcome,) = importing.run(ws, [file], named=Named(dataset="d@1"))
    assert outcome.completeness == "unreadable"
    assert "outside 0 to 1" in str(outcome.reason)
    assert str(outcome.reason).startswith("r.json: "), "the folders of this machine are nobody's business"


@pytest.mark.parametrize("said", [{"category": "nonsense"}, {"role": "nonsense"}])
def test_words_that_no_record_knows_are_refused_before_anything_is_logged(ws: Workspace, said: dict[str, str]) -> None:
    size = ws.ledger.size
    with pytest.raises(InvalidInput, match="nonsense") as refused:
        importing.run(ws, [AUDIT], given=Given(**said))
    assert "Say one of " in refused.value.remedy
    assert ws.ledger.size == size


def test_a_file_beyond_the_limit_is_told(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_places, "MAX_BYTES", 1000)
    big = tmp_path / "big.json"
    big.write_bytes(b"{" + b" " * 2000)
    (outcome,) = importing.run(ws, [big])
    assert outcome.refused
    assert "larger than" in str(outcome.reason)


@pytest.mark.parametrize("erase", [None, "Art. 17 GDPR"])
def test_a_result_that_was_taken_back_can_be_imported_again(ws: Workspace, erase: str | None) -> None:
    from compliance.services import acts

    (outcome,) = importing.run(ws, [AUDIT])
    acts.revoke(ws, str(outcome.evidence), "Wrong system", erase=erase)
    (again,) = importing.run(ws, [AUDIT])
    assert again.new
    assert importing.run(ws, [AUDIT])[0].evidence == again.evidence


def test_the_same_bytes_under_two_names_are_one_result(ws: Workspace, tmp_path: Path) -> None:
    (cut := tmp_path / "cut.eval").write_bytes(WHOLE.read_bytes()[:-100])
    for file in (AUDIT, SAMPLES / "scikit_learn" / "scores.csv", cut):
        copy = Path(shutil.copy(file, tmp_path / f"copy of {file.name}"))
        for again in (False, True):
            first, second = importing.run(ws, [file, copy], named=Named(dataset="d@1"))
            assert (first.new, second.new, second.evidence) == (not again, False, first.evidence), file
