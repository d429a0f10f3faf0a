"""Whatever is wrong with a file or a flag: one clear message, the right exit code, no traceback, nothing written."""

import json
from pathlib import Path

import pytest

from compliance.cli.edge import run

from .conftest import EVALUATION, on_record

DOCUMENT = "kind: document\nname: manual@1\ntitle: Manual\ndocument_type: instructions-for-use\n"

FILES: dict[str, tuple[bytes, str]] = {
    # what is wrong: the file, and what the message must say
    "not YAML": (b"kind: document\ntitle: [unclosed\n", "record.yaml:"),
    "not JSON": (b'{"kind": "document",', "record.json:1"),
    "a list of words": (b"- one\n- two\n", "record.yaml:1"),
    "unknown kind": (b"kind: evalution\n", "evaluation"),
    "no kind": (b"title: x\n", "kind"),
    "unknown field": (EVALUATION.replace("metrics:", "metrcs:").encode(), "metrics"),
    "missing field": (EVALUATION.replace("dataset: flchain-test@1\n", "").encode(), "dataset"),
    "NaN": (EVALUATION.replace("x: 318", "value: .nan").encode(), "value"),
    "infinity": (EVALUATION.replace("x: 318", "value: .inf").encode(), "value"),
    "NaN in JSON": (b'{"kind": "evaluation", "metrics": [{"value": NaN}]}', "NaN"),
    "infinity in JSON": (b'{"kind": "evaluation", "metrics": [{"value": -Infinity}]}', "Infinity"),
    "1e999": (EVALUATION.replace("x: 318", "value: 1e999").encode(), "metrics[0].value"),
    "1e999 in JSON": (b'{"kind": "evaluation", "metrics": [{"value": 1e999}]}', "1e999"),
    "counts that do not fit": (EVALUATION.replace("x: 318", "x: 418").encode(), "418"),
    "no cases": (EVALUATION.replace("x: 318, n: 402", "x: 0, n: 0").encode(), "n"),
    "duplicate key": (b"kind: document\ntitle: a\ntitle: b\n", "record.yaml:3"),
    "duplicate key in JSON": (b'{"kind": "document", "title": "a", "title": "b"}', "title"),
    "anchor": (b"kind: document\ntitle: &a x\nsummary: *a\n", "record.yaml:2"),
    "bomb": (
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 106)),
        "record.yaml:1",
    ),
    "tag": (b"kind: !!python/object/apply:os.system [id]\n", "record.yaml:1"),
    "nesting": (b"kind: document\ncontent: " + b"[" * 100_000 + b"]" * 100_000, "64"),
    "nesting in JSON": (b"[" * 100_000 + b"]" * 100_000, "64"),
    "nesting of blocks": (b"".join(b" " * i + b"a:\n" for i in range(200)), "64"),
    "UTF-16": ("kind: document\n".encode("utf-16"), "UTF-8"),
    "Latin-1": ("kind: document\ntitle: für\n".encode("latin-1"), "UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
    "empty": (b"", "record"),
    "only comments": (b"# nothing yet\n", "record"),
    "a path outside": (f"{DOCUMENT}attachments: [{{path: ../../../../etc/passwd}}]\n".encode(), "outside"),
    "an absolute path": (f"{DOCUMENT}attachments: [{{path: /etc/passwd}}]\n".encode(), "outside"),
    "a path with a NUL": (f'{DOCUMENT}attachments: [{{path: "a\\0b"}}]\n'.encode(), "is no path"),
    "an attachment that is not there": (f"{DOCUMENT}attachments: [{{path: nowhere.pdf}}]\n".encode(), "nowhere.pdf"),
    "a model nobody logged": (
        EVALUATION.replace("clinical-risk@1\nd", "clinical-risk@9\nd").encode(),
        "clinical-risk@9",
    ),
    "a record nobody logged": (f"{DOCUMENT}supersedes: {{evidence: EV-000999, reason: x}}\n".encode(), "EV-000999"),
    "a date that is none": (EVALUATION.replace("2099-01-01T00:00:00Z", "2099-02-31T00:00:00Z").encode(), "started_at"),
    "one bad record among good ones": (EVALUATION.encode() + b"---\nkind: evaluation\n", "metrics is missing"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_refused_whole(case: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, expected = FILES[case]
    file = inside / ("record.json" if "JSON" in case else "record.yaml")
    file.write_bytes(content)
    before = on_record(inside)
    assert run(["log", "record", str(file), "--json"]) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert expected in f"{error['problem']} {error['remedy']}"
    assert error["problem"] in err
    assert error["remedy"], "every error says what to do"
    assert "Traceback" not in err
    assert len(err) < 2000
    assert on_record(inside) == before


def test_a_file_of_a_gigabyte_is_refused_unread(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (inside / "huge.yaml").open("wb") as file:
        file.truncate(1 << 30)
    assert run(["log", "record", "huge.yaml"]) == 2
    assert "64 MB" in capsys.readouterr().err


def test_a_version_keeps_its_zero(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "record.yaml").write_text(
        "kind: model-version\ntitle: x\nname: clinical-risk\nversion: 1.10\n"
        "identity: {name: clinical-risk, version: 1.10}\n"
    )
    assert run(["log", "record", "record.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["subject"][0]["version"] == "1.10"


def test_another_digest_under_a_known_name_is_refused(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "model.bin").write_text("other weights")
    before = on_record(inside)
    assert run(["log", "model", "model.bin", "--name", "clinical-risk", "--version", "1", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "conflict"
    assert on_record(inside) == before


def test_a_link_out_of_the_workspace_is_refused(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "innocent.txt").symlink_to("/etc/passwd")
    (inside / "record.yaml").write_text(f"{DOCUMENT}attachments: [{{path: innocent.txt}}]\n")
    assert run(["log", "record", "record.yaml"]) == 2
    assert "outside" in capsys.readouterr().err


ENDLESS = f"EV-{'1' * 5000}"
COMMANDS: dict[str, tuple[list[str], int, str]] = {
    "no such command": (["frobnicate"], 2, "frobnicate"),
    "no such option": (["list", "--frob"], 2, "--frob"),
    "no such file": (["log", "record", "nowhere.yaml"], 2, "nowhere.yaml"),
    "a record not written yet": (["log", "record", "risk-file.yaml"], 2, "`kind: risk-file`"),
    "the workspace as a model": (["log", "model", ".", "--name", "m", "--version", "1"], 2, "the workspace itself"),
    "the workspace as data": (
        ["log", "dataset", ".", "--name", "d", "--version", "1", "--role", "test"],
        2,
        "the workspace itself",
    ),
    "a role that is nearly one": (
        ["log", "dataset", "test.csv", "--name", "d", "--version", "1", "--role", "training"],
        2,
        "did you mean train? ",
    ),
    "a thing not on record": (
        ["log", "model", "model.bin", "--name", "m", "--version", "1", "--base-model", "n@1"],
        2,
        "base_model: Nothing on record is called n@1.",
    ),
    "a folder for a file": (["log", "record", "."], 2, "."),
    "no argument": (["show"], 2, "EV"),
    "no such number": (["show", "EV-000999"], 2, "EV-000999"),
    "not a number": (["show", "seventeen"], 2, "seventeen"),
    "a number without end": (["show", ENDLESS], 2, "is not on record"),
    "a number without end to verify": (["verify", ENDLESS], 2, "is no evidence number"),
    "a number without end to reproduce": (["reproduce", ENDLESS], 2, "is not on record"),
    "a number in other digits": (["show", "EV-٠٠٠٠٠٢"], 2, "is not on record"),
    "no such catalog": (["catalog", "show", "eu-ai-art"], 2, "eu-ai-a"),
    "no such dossier": (["dossier", "build", "anex-iv"], 2, "anex"),
    "no such model": (["gate", "--model", "nobody@1"], 2, "nobody@1"),
    "no such key": (["log", "record", "plan.yaml", "--key", "nobody"], 3, "nobody"),
    "no such day": (["status", "--as-of", "2026-02-31"], 2, "2026-02-31"),
    "no such decision": (
        ["determine", "eu-ai-act/art-15.1", "--model", "clinical-risk@1", "--decision", "perhaps", "--reason", "x"],
        2,
        "'not-met'",
    ),
    "no such meaning": (["approve", "EV-000002", "--meaning", "liked"], 2, "'reviewed'"),
    "approval by a pipeline": (["approve", "EV-000002", "--meaning", "approved"], 2, "approve"),
    "no workspace": (["list", "--workspace", "/"], 2, "compliance init"),
    "both sources": (["log", "evaluation", "plan.yaml", "--predictions", "test.csv"], 2, "--predictions"),
    "neither source": (["capture"], 2, "--run"),
    "a bundle that is none": (["verify", "plan.yaml"], 2, "plan.yaml"),
    "a bundle that is not there": (["verify", "nowhere.zip"], 2, "nowhere.zip"),
    "a workspace made twice": (["init", ".", "--system", "x", "--provider", "y"], 2, "already"),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_bad_command_is_answered(case: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, code, expected = COMMANDS[case]
    before = on_record(inside)
    assert run([*arguments, "--json"]) == code
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert expected in f"{error['problem']} {error['remedy']}"
    assert error["code"] != "fault"
    assert err.startswith("Error: ")
    assert on_record(inside) == before


CONFIGS = {
    "not TOML": ("schema = ", "TOML"),
    "TOML without end": (f"schema = {'[' * 20_000}", "nested too deeply"),
    "a number without end": (f"schema = {'1' * 5_000}", "TOML"),
    "another schema": ("schema = 9\n", "schema"),
    "unknown field": ("keyz = 1\n", "keyz"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_bad_configuration_is_named(case: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = CONFIGS[case]
    config = inside / "compliance.toml"
    config.write_text(text + config.read_text() if case == "unknown field" else text)
    assert run(["list"]) == 2
    err = capsys.readouterr().err
    assert "compliance.toml" in err
    assert expected in err


def test_a_record_cannot_address_the_terminal(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "record.json").write_text(json.dumps({"kind": "x\x1b[2J\u202e", "title": "y"}))
    assert run(["log", "record", "record.json"]) == 2
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "\u202e" not in err
