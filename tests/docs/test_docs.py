"""The documentation says what the code does: generated pages, links, commands, and whole sessions that are run."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.cli.commands import COMMANDS, build, children

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def page(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> Iterator[str]:
    """Yield the fenced blocks of a page in one language."""
    for found, text in FENCE.findall(path.read_text(encoding="utf-8")):
        if found == language:
            yield text


def commands(path: Path) -> Iterator[list[str]]:
    """Yield every `compliance …` line of a page's shell blocks as words."""
    for block in blocks(path, "sh"):
        for text in block.replace("\\\n", " ").splitlines():
            if text.startswith("compliance "):
                yield shlex.split(text, comments=True)[1:]


def test_generated_pages_are_up_to_date(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--to", tmp_path], check=True, cwd=ROOT)
    fresh = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "docs" / "reference" / "generated").iterdir()}
    assert fresh == kept, "run `make docs`"


def test_every_command_is_documented() -> None:
    reference = (ROOT / "docs" / "reference" / "generated" / "cli.md").read_text()
    for path in COMMANDS:
        assert f"compliance {path}\n" in reference


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if target.startswith(("https://", "#")):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve()
        assert there.exists(), f"{page(path)} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{page(path)} links to {target}"


def test_pages_that_the_code_names_exist() -> None:
    named = re.compile(r"\bdocs/[a-z0-9/_.-]+[a-z0-9]")
    for source in (ROOT / "compliance").rglob("*.py"):
        for name in named.findall(source.read_text(encoding="utf-8")):
            there = ROOT / name
            assert there.exists() or there.with_suffix(".md").exists(), f"{source.name} names {name}"


def test_every_page_is_reachable_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "docs" / "README.md"]
    while waiting:
        here = waiting.pop()
        if here in seen or here.suffix != ".md":
            continue
        seen.add(here)
        targets = LINK.findall(here.read_text(encoding="utf-8"))
        waiting += [
            (here.parent / t.partition("#")[0]).resolve() for t in targets if not t.startswith(("https://", "#"))
        ]
    assert set((ROOT / "docs").rglob("*.md")) <= seen


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_commands_in_the_text_exist_with_their_options(path: Path) -> None:
    for words in commands(path):
        name = words[0] if not children(words[0]) else " ".join(words[:2])
        assert name in COMMANDS, f"{page(path)}: compliance {' '.join(words)}"
        known = {option for parameter in build(name).params for option in (*parameter.opts, *parameter.secondary_opts)}
        used = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert used <= known | {"--help"}, f"{page(path)}: compliance {' '.join(words)}"


def run(script: str, cwd: Path) -> str:
    """Run a shell script as a reader would, in an empty folder; return what it printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("COMPLIANCE_")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    path = ROOT / "docs" / "tutorial" / "first-evidence.md"
    shown = run("\n".join(blocks(path, "sh")), tmp_path)
    assert "chest-triage@1, as of" in shown
    assert "It holds." in shown
    profile = next(blocks(path, "toml"))
    config = tmp_path / "triage" / "compliance.toml"
    config.write_text(config.read_text().replace("[profile]\n", profile, 1))
    shown = run(
        "export COMPLIANCE_PASSPHRASE='a pass phrase of your own'\n"
        "compliance log record compliance.toml && compliance status --json",
        tmp_path / "triage",
    )
    assert '"gap"' in shown


def test_evidence_can_be_checked_with_openssl_alone(tmp_path: Path) -> None:
    """The page's own script, on a bundle as it stands in MLflow; and it refuses a changed byte."""
    from compliance.core.system import System
    from compliance.exporters.sigstore import to_bundle
    from compliance.services.workspace import Workspace

    os.environ.setdefault("COMPLIANCE_PASSPHRASE", "for this test")
    with Workspace.create(tmp_path / "ws", system=System(id="x", name="x", provider="y"), origin="y/x") as ws:
        envelope = ws.ledger.envelope(ws.ledger.entry(1).envelope)
        assert envelope is not None
        (tmp_path / "evidence.sigstore.json").write_bytes(to_bundle(envelope))
        (tmp_path / "signer.pub").write_bytes((ws.root / ".compliance" / "keys" / "training-pipeline.pub").read_bytes())
    script = next(blocks(ROOT / "docs" / "how-to" / "verify-with-openssl.md", "sh"))
    assert "Verified OK" in run(script, tmp_path)
    text = (tmp_path / "evidence.sigstore.json").read_text()
    start = text.index('"payload":"') + 40
    (tmp_path / "evidence.sigstore.json").write_text(
        text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :]
    )
    with pytest.raises(AssertionError):
        run(script, tmp_path)
