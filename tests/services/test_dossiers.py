"""Dossiers built from a real workspace: determinism, approval, hostile evidence, links, signature, bundle."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from compliance import InvalidInput, Profile, System, UnknownReference, Workspace
from compliance.core.envelope import load_public_key
from compliance.errors import VerificationFailed
from compliance.services import acts, dossiers, keys, record, verify_bundle
from compliance.services.dossiers import Built

HOSTILE = (
    "<script>alert(1)</script>{{7*7}}\u202etxt.exe\u0007=HYPERLINK(1) 漢字 </style><style>*{display:none}</style>"
    "<svg onload=x><img src=file:///etc/passwd> url(http://127.0.0.1:9) \" onclick=x ' style='position:fixed"
    " \x1b[2J a\u200bb العربية 🚑"
)
LONG = "x" * 10_000
PLAN = {
    "kind": "acceptance-plan", "name": "plan@1", "title": "Criteria fixed before testing", "model": "m",
    "data_role": "test",
    "criteria": [
        {"id": "women", "metric": "sensitivity", "group": {"sex": "F"}, "comparator": ">=", "threshold": "0.70",
         "bound": "ci_low", "ci_level": "0.95", "min_n": 100},
        {"id": "men", "metric": "sensitivity", "group": {"sex": "M"}, "comparator": ">=", "threshold": "0.75",
         "bound": "ci_low", "ci_level": "0.95", "min_n": 100},
    ],
}  # fmt: skip
EVALUATION: dict[str, Any] = {
    "kind": "evaluation", "title": HOSTILE, "summary": LONG, "model": "m@1", "dataset": "people@1", "plan": "plan@1",
    "started_at": "2099-01-01T00:00:00Z", "unit_of_analysis": "person", "method": f"{HOSTILE} {LONG}",
    "metrics": [
        {"name": "sensitivity", "x": 318, "n": 402},
        {"name": "specificity", "x": 1200, "n": 1568},
        {"name": "sensitivity", "group": {"sex": "F"}, "x": 171, "n": 214},
        {"name": "sensitivity", "group": {"sex": "M"}, "x": 147, "n": 188},
        {"name": "roc_auc", "n": 1970, "positives": 402, "value": "0.871", "ci_low": "0.851", "ci_high": "0.890",
         "ci_level": "0.95", "ci_method": "delong"},
        {"name": "brier", "n": 1970, "value": None, "reason": "not computed"},
    ],
    "curves": [{"name": "roc", "n": 1970, "points": [{"x": x, "y": y} for x, y in ("00", ("0.2", "0.7"), "11")]}],
    "calibration": [{"n": 1970, "bins": [
        {"low": "0", "high": "0.2", "n": 1500, "mean_predicted": "0.1", "events": 150, "observed": "0.1",
         "ci_low": "0.08", "ci_high": "0.12"},
        {"low": "0.2", "high": "1", "n": 470, "mean_predicted": "0.5", "events": 252, "observed": "0.536170"},
    ]}],
    "contradicts": ["Another source says 0.92."],
    "attachments": [
        {"path": "secret.csv", "classification": "restricted"}, {"path": "report.txt", "classification": "internal"},
    ],
}  # fmt: skip
SPREAD = {"n": 20, "mean": "61.5", "p50": "60"}
COLUMNS = [
    {"name": "age", "type": "number", "missing": 0, "distribution": SPREAD | {"n": 40, "mean": "58.25"}, "by_group": [
        {"group": {"sex": "F"}, "n": 20, "missing": 0, "distribution": SPREAD},
        {"group": {"sex": HOSTILE[:200]}, "n": 20, "missing": 7, "distribution": SPREAD | {"mean": "55.125"}},
    ]},
    {"name": LONG[:200], "type": "text", "missing": 0},
]  # fmt: skip
QUALITY = {
    "suite": "intake", "tool": "great_expectations", "tool_version": "1.9", "success": True, "evaluated": 1,
    "successful": 1, "expectations": [
        {"expectation": "expect_column_values_to_not_be_null", "column": "age", "success": True, "elements": 40,
         "unexpected": 0, "requirements": ["eu-ai-act/art-10.3.quality", "fda/aidsf/data.quality"]},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPLIANCE_PASSPHRASE", "correct horse battery")
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens: evidence stays pending
        root = tmp_path_factory.mktemp("dossier") / "ws"
        system = System(id="demo", name="Demo <b>system</b>", provider="Nobody", model="m", demonstration=True)
        profile = Profile(intended_purpose="A test.", roles=["provider"], high_risk=["annex-i"])
        with Workspace.create(root, system=system, profile=profile, origin="example.org/demo") as workspace:
            for name in ("reviewer", "approver"):
                keys.trust(workspace, keys.create(workspace, name), holder=f"Test {name}", roles=[name], name=name)
            (root / "weights.bin").write_bytes(bytes(100))
            (root / "people.csv").write_text("a,b\n1,2\n")
            (root / "secret.csv").write_text("patient,score\n1,0.5\n")
            (root / "report.txt").write_text("a report\n")
            workspace.log_model(root / "weights.bin", name="m", version="1")
            digest = sha256((root / "people.csv").read_bytes()).hexdigest()
            dataset = {
                "kind": "dataset",
                "name": "people@1",
                "title": "People",
                "sha256": digest,
                "basis": "file",
                "role": "test",
                "rows": 40,
                "rows_sha256": "ab" * 32,
                "columns": COLUMNS,
                "quality": [QUALITY],
            }
            workspace.log_records([PLAN], base=root)
            record.log(workspace, [dataset], how="log")  # as `log dataset` does: no record that is written says so much
            workspace.log_records([EVALUATION], base=root)
            yield workspace


@pytest.fixture(scope="module")
def built(ws: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return dossiers.build(ws, "annex-iv", out=tmp_path_factory.mktemp("out"))


def file(built: Built, suffix: str) -> Path:
    return next(path for path in built.paths if path.name == f"annex-iv{suffix}")


@pytest.fixture(scope="module")
def text(built: Built) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", file(built, ".pdf"), "-"], check=True, capture_output=True, text=True
    ).stdout


def test_the_five_files_stand_and_the_digest_is_that_of_the_content(built: Built) -> None:
    assert [path.name for path in built.paths] == [
        "annex-iv.pdf", "annex-iv-archive.pdf", "annex-iv.html", "annex-iv.json", "annex-iv.zip",
    ]  # fmt: skip
    assert sha256(file(built, ".json").read_bytes()).hexdigest() == built.digest


def test_the_same_evidence_gives_the_same_bytes_and_approval_changes_only_status(ws: Workspace, tmp_path: Path) -> None:
    first = dossiers.build(ws, "annex-xi", out=tmp_path / "first")
    content = tmp_path / "first" / "annex-xi.json"
    acts.approve(ws, [str(content)], "reviewed", "reviewer")
    again = dossiers.build(ws, "annex-xi", out=tmp_path / "again", at=first.cutoff)
    assert not again.approved
    assert (tmp_path / "again" / "annex-xi.json").read_bytes() == content.read_bytes()
    acts.approve(ws, [str(content)], "approved", "approver")
    for name in ("approved", "twice"):
        assert dossiers.build(ws, "annex-xi", out=tmp_path / name, at=first.cutoff).approved
    for suffix in (".pdf", ".html", ".json", ".zip"):
        one, two = (tmp_path / name / f"annex-xi{suffix}" for name in ("approved", "twice"))
        assert one.read_bytes() == two.read_bytes(), suffix
    page = (tmp_path / "approved" / "annex-xi.html").read_text()
    assert "Draft, not approved" in (tmp_path / "again" / "annex-xi.html").read_text()
    assert "Draft, not approved" not in page
    assert "Test approver" in page
    with zipfile.ZipFile(tmp_path / "approved" / "annex-xi.zip") as bundle:
        assert sum(name.startswith("approvals/EV-") for name in bundle.namelist()) == 6
    report = verify_bundle.check(tmp_path / "approved" / "annex-xi.zip")
    assert report.ok
    (note,) = [note for note in report.notes if note.startswith("dossier/annex-xi.json is the content that EV-")]
    assert "(reviewed)" in note
    assert "(approved)" in note
    draft = verify_bundle.check(tmp_path / "first" / "annex-xi.zip")
    assert any("No signature covers dossier/annex-xi.json" in note for note in draft.notes)


def test_hostile_evidence_stays_text(built: Built, text: str) -> None:
    page = file(built, ".html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{7*7}}" in page
    assert "\u202e" not in page
    assert "U+202E" in page
    assert "Demo &lt;b&gt;system" in page
    assert "more characters in the evidence" in page
    assert "U+6F22" in text


def test_no_word_of_evidence_becomes_an_element_an_attribute_or_an_address(built: Built) -> None:
    elements, attributes = set[str](), set[str]()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            elements.add(tag)
            attributes.update(name for name, _ in attrs)
            for name, value in attrs:
                assert name not in ("src", "srcset", "data", "action"), (tag, attrs)
                assert not name.startswith("on"), (tag, attrs)
                assert name != "href" or str(value).startswith("#"), (tag, attrs)
                assert name != "style" or "position" not in str(value), (tag, attrs)

    Reader().feed(file(built, ".html").read_text())
    assert not elements & {"script", "img", "iframe", "object", "embed", "link", "base", "form"}
    assert {"a", "table", "svg"} <= elements
    assert "href" in attributes


def test_nothing_runs_off_the_paper(built: Built) -> None:
    boxes = subprocess.run(["pdftotext", "-bbox", file(built, ".pdf"), "-"], check=True, capture_output=True, text=True)
    widths = {float(width) for width in re.findall(r'<page width="([\d.]+)"', boxes.stdout)}
    rightmost = max(float(right) for right in re.findall(r'xMax="([\d.]+)"', boxes.stdout))
    assert rightmost <= max(widths)


def test_a_dataset_shows_its_groups_its_rows_digest_and_what_each_expectation_answers(text: str) -> None:
    for words in ("Columns by group", "55.12", "Digest of all rows", "abababab", "answers eu-ai-act/art-10.3.quality"):
        assert words in text, words


def test_every_figure_links_to_its_evidence_and_equals_it(ws: Workspace, built: Built) -> None:
    content = json.loads(file(built, ".json").read_bytes())
    statements = {e.number: e.statement for e in ws.evidence()}
    assert {"0.799", "0.871"} <= {figure["printed"] for figure in content["figures"]}
    for figure in content["figures"]:
        value: Any = statements[figure["evidence"]]
        for key in figure["at"].replace("[", ".").replace("]", "").split("."):
            value = value[int(key)] if key.isdigit() else value[key]
        said = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
        assert said == figure["value"]


def test_figures_criteria_gaps_and_notices_are_in_the_text(text: str) -> None:
    for words in ("0.799", "171 / 214", "Criteria of EV-", "missed", "passed", "Gap list", "Traceability matrix",
                  "organises evidence and decides nothing", "Demonstration", "Draft, not approved", "Sources disagree",
                  "not computed", "Page 1 of"):  # fmt: skip
        assert words in text, words
    pages = text.split("\f")[:-1]
    assert all("Demonstration" in page for page in pages)
    assert all(page.strip() for page in pages)


def test_every_bookmark_and_link_leads_somewhere_and_the_file_is_sound(built: Built) -> None:
    assert subprocess.run(["qpdf", "--check", file(built, ".pdf")], check=False, capture_output=True).returncode == 0
    with pikepdf.open(file(built, ".pdf")) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        assert pdf.Root.PageMode == "/UseOutlines"
        assert "/AcroForm" not in pdf.Root
        assert not pdf.attachments
        assert b'pdfaid:conformance="A"' in pdf.Root.Metadata.read_bytes()
        names = {str(name) for name in pdf.Root.Names.Dests.Names[::2]}
        links = 0
        for page in pdf.pages:
            for annotation in page.get("/Annots", []):
                assert annotation.Subtype == "/Link"
                destination = annotation.get("/Dest") or annotation.A.D
                assert str(destination) in names
                links += 1
        assert links > 100
        with pdf.open_outline() as outline:
            titles = [item.title for item in outline.root]
        assert "Summary" in titles
        assert any(title.endswith("Gap list") for title in titles)


def test_the_archive_is_pades_signed_by_the_signers_key_and_carries_the_evidence(ws: Workspace, built: Built) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    data = file(built, "-archive.pdf").read_bytes()
    signature = PdfFileReader(BytesIO(data)).embedded_signatures[0]
    certificate = signature.signer_cert
    assert certificate is not None
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=[certificate], allow_fetching=False))
    assert status.intact
    assert status.valid
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    pem = (ws.root / ".compliance/keys/training-pipeline.pub").read_bytes()
    assert certificate.public_key.dump() == _spki(pem)
    with pikepdf.open(BytesIO(data)) as pdf:
        assert "/Version" not in pdf.Root  # PDF/A-3 rests on PDF 1.7
        assert pdf.pdf_version == "1.7"
        with zipfile.ZipFile(file(built, ".zip")) as bundle:
            assert {n: f.get_file().read_bytes() for n, f in pdf.attachments.items()} == {
                n: bundle.read(n) for n in bundle.namelist()
            }
    changed = data.replace(b"/Title", b"/Titel", 1)
    broken = PdfFileReader(BytesIO(changed)).embedded_signatures[0]
    assert not validate_pdf_signature(broken, ValidationContext(trust_roots=[certificate], allow_fetching=False)).intact


def _spki(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    assert load_public_key(pem)
    return load_pem_public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_the_bundle_verifies_and_holds_nothing_restricted(built: Built) -> None:
    report = verify_bundle.check(file(built, ".zip"))
    assert report.ok, report.problems
    assert verify_bundle.check(file(built, "-archive.pdf")).ok
    with zipfile.ZipFile(file(built, ".zip")) as bundle:
        names = bundle.namelist()
        assert names == sorted(names)
        manifest = json.loads(bundle.read("manifest.json"))
        included = {attachment["name"]: attachment["included"] for attachment in manifest["attachments"]}
        assert (included["secret.csv"], included["report.txt"]) == (False, True)
        everything = b"".join(bundle.read(name) for name in names)
        assert b"patient,score" not in everything
        assert manifest["content"]["sha256"] == built.digest


def test_the_bundle_checks_with_sha256sum(built: Built, tmp_path: Path) -> None:
    with zipfile.ZipFile(file(built, ".zip")) as bundle:
        bundle.extractall(tmp_path)
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "VERIFY.html").write_text("changed")
    check = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=False, capture_output=True)
    assert check.returncode == 1


def test_the_page_that_says_how_to_verify_works_as_printed(built: Built, tmp_path: Path) -> None:
    with zipfile.ZipFile(file(built, ".zip")) as bundle:
        bundle.extractall(tmp_path)
    blocks = re.findall(r"<pre>(.*?)</pre>", (tmp_path / "VERIFY.html").read_text(), re.DOTALL)
    ours = ("unzip", "cosign", "compliance verify")
    steps = "\n".join(unescape(block) for block in blocks if not any(word in block for word in ours))

    def run() -> subprocess.CompletedProcess[str]:
        script = f"set -e\nPATH={Path(sys.executable).parent}:$PATH\n{steps.replace('N=EV-000000', 'N=EV-000005')}"
        return subprocess.run(["bash", "-c", script], cwd=tmp_path, check=False, capture_output=True, text=True)

    said = run().stdout
    for line in ("Verified OK", "envelope True", "position index 5 True", "Signature Verified Successfully"):
        assert line in said
    entry = tmp_path / "evidence" / "EV-000005.entry.json"
    entry.write_bytes(entry.read_bytes().replace(b"Z", b"z"))
    assert "position index 5 False" in run().stdout
    sealed = tmp_path / "evidence" / "EV-000005.sigstore.json"
    sealed.write_bytes(sealed.read_bytes().replace(b'"payload":"ey', b'"payload":"fy'))
    assert "Verified OK" not in run().stdout


def test_nothing_is_compiled_from_a_ledger_that_does_not_verify(ws: Workspace, tmp_path: Path) -> None:
    kept = ws.root / ".compliance/checkpoint"
    whole = kept.read_text()
    kept.write_text(whole[:-6] + ("B" if whole[-6] != "B" else "C") + whole[-5:])
    try:
        with pytest.raises(VerificationFailed, match=r"\.compliance/checkpoint"):
            dossiers.build(ws, "annex-iv", model="m@1", out=tmp_path / "out")
    finally:
        kept.write_text(whole)
    assert not (tmp_path / "out").exists()


def test_a_cut_off_knows_nothing_later(ws: Workspace, tmp_path: Path) -> None:
    early = dossiers.build(ws, "annex-xi", out=tmp_path, at="EV-000003")
    content = json.loads((tmp_path / "annex-xi.json").read_bytes())
    assert [row["evidence"] for row in content["evidence"]] == [f"EV-{i:06d}" for i in range(4)]
    assert early.cutoff == "EV-000003"


def test_an_unknown_dossier_or_model_is_named(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UnknownReference, match="annex-iv"):
        dossiers.build(ws, "annex-4", out=tmp_path)
    with pytest.raises(UnknownReference):
        dossiers.build(ws, "annex-xi", out=tmp_path, model="other@1")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ section.titel }}", "titel"),
        ("{{ 1 + 1 }}", "calculates"),
        ("{% set n = 41 %}{{ n }}", "bare number"),
        ("{{ section.kinds | length }}", "length"),
        ("{{ evaluations.metric('sensitivity').value | int }}", "int"),
        ("{{ evaluations.metric('sensitivity').value ~ '' }}", "turn into text"),
        ("{{ evaluations.metric('dice').value }}", "holds no dice"),
        ("{{ evaluations.newest.content.nothing }}", "nothing"),
        ("{{ ''.__class__ }}", "__class__"),
        ("{{ evaluations.metric('sensitivity').value | upper }}", "turn into text"),
    ],
)
def test_a_template_that_calculates_prints_numbers_or_misses_a_value_is_refused(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str, fault: str
) -> None:
    folder = tmp_path / "mine"
    (folder / "sections").mkdir(parents=True)
    (folder / "sections" / "1.html").write_text(template)
    (folder / "manifest.yaml").write_text(
        'id: mine\nversion: "1"\ntitle: T\nsubtitle: S\nbasis: B\ncatalogs: [eu-ai-act]\nnumber: TD\n'
        "classification: internal\nretention: R\napprovals: [{meaning: approved, role: approver}]\n"
        'parts: [{id: "1", title: P}]\n'
        'sections: [{id: "1", title: S, draws: {evaluations: {kind: evaluation}}}]\n'
    )
    monkeypatch.setattr(dossiers, "_folders", lambda: {"mine": folder})
    with pytest.raises(InvalidInput, match=fault):
        dossiers.build(ws, "mine", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_check_names_what_holds_and_what_does_not(built: Built, tmp_path: Path) -> None:
    for path in (file(built, ".pdf"), file(built, "-archive.pdf"), file(built, ".zip")):
        report = dossiers.check(path)
        assert report.ok, [r for r in report.results if not r.ok]
    assert "signature" in {r.rule for r in dossiers.check(file(built, "-archive.pdf")).results}
    with pikepdf.open(file(built, ".pdf")) as pdf:
        del pdf.Root.MarkInfo
        del pdf.Root.Names.Dests
        pdf.Root.OpenAction = pdf.make_indirect(pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("1")))
        pdf.save(tmp_path / "annex-iv.pdf")
    spoilt = dossiers.check(tmp_path / "annex-iv.pdf")
    assert {"tagged", "links", "active content"} <= {r.rule for r in spoilt.results if not r.ok}
    archive = file(built, "-archive.pdf").read_bytes()
    (tmp_path / "a-archive.pdf").write_bytes(archive.replace(b"/Title", b"/Titel", 1))
    assert "signature" in {r.rule for r in dossiers.check(tmp_path / "a-archive.pdf").results if not r.ok}


def test_a_file_that_is_no_dossier_is_refused(tmp_path: Path) -> None:
    for name in ("absent.pdf", "notes.txt", "broken.pdf"):
        if name != "absent.pdf":
            (tmp_path / name).write_text("no")
        with pytest.raises(InvalidInput):
            dossiers.check(tmp_path / name)


def test_the_shipped_manifests_are_sound() -> None:
    found = {manifest.id: manifest for manifest in dossiers.available()}
    assert {"annex-iv", "annex-xi"} <= set(found)
    for manifest in found.values():
        ids = [section.id for section in manifest.sections]
        assert len(set(ids)) == len(ids)
        assert {section.part for section in manifest.sections} == {part.id for part in manifest.parts}
