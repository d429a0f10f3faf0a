"""Golden assessments of both example systems, one line per requirement, and the reasons for which they changed.

Write them anew, from a demonstration made for it, with the reason why they differ:

    python tests/evidence/assessments.py "Art. 15(5) asks for a bill of materials that somebody assessed."
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from compliance.core.evidence import Evidence
from compliance.core.findings import Assessment, Finding, NeedVerdict, Verdict
from compliance.services.workspace import Workspace

GOLDEN = Path(__file__).resolve().parent / "golden"
CHANGES = GOLDEN / "CHANGES"
SYSTEMS = ("clinical-risk", "deepseek-r1")
SHOWN = 160
"""Characters of a reason: enough to see which rule spoke of what."""
HEAD = "# requirement | finding | rule that decided | evidence for - against | reason\n"
ELSEWHERE = {"GIT_PYTHON_GIT_EXECUTABLE": "no-git", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
"""MLflow names the commit of a script where it finds git: a copy without history is to be assessed alike.
And a demonstration writes to no MLflow but its own, whatever the shell names."""
NUMBER = re.compile(r"EV-\d{6}")


def lines(assessment: Assessment, evidence: Iterable[Evidence]) -> str:
    """Return an assessment as the golden file holds it.

    A piece is called by its kind and its place among its kind, so that one record more moves few lines.
    """
    seen: Counter[str] = Counter()
    names, titles = dict[str, str](), dict[str, str]()
    for piece in evidence:
        seen[piece.kind] += 1
        names[piece.number] = f"{piece.kind}-{seen[piece.kind]}"
        titles[piece.number] = piece.title
    counts = ", ".join(f"{count} {finding}" for finding, count in assessment.counts.items())
    findings = "".join(f"{_line(found, names)}\n" for found in assessment.findings)
    cited = set(re.findall(r"[a-z-]+-\d+", findings))
    legend = "".join(f"# {name}: {titles[number]}\n" for number, name in names.items() if name in cited)
    return f"{HEAD}# {counts}\n{legend}{findings}"


def _line(found: Finding, names: Mapping[str, str]) -> str:
    against = f" - {' '.join(found.against)}" if found.against else ""
    asked = found.finding is Verdict.UNDETERMINED and found.ask_open
    evidence = f"{' '.join(found.evidence)}{against}".strip() or "-"
    text = f"{found.requirement.id} | {found.finding.value} | {_rule(found)} | {evidence}"
    text = NUMBER.sub(lambda number: names[number[0]], text)
    return text if asked else f"{text} | {_short(NUMBER.sub(lambda number: names[number[0]], found.reason))}"


def _rule(found: Finding) -> str:
    """Name the rule that decided, and the need that it decided of."""
    open_ = (need for need in found.needs if need.verdict is not NeedVerdict.PASSED and need.reason in found.reason)
    first = next(open_, None)
    if first is None:
        return found.rule.value
    rules = dict.fromkeys((found.rule.value, first.rule.value))
    return f"{', '.join(rules)} ({first.need})"


def _short(reason: str) -> str:
    """Cut a reason at the end of a word; a new line in it would break the file's."""
    text = " ".join(reason.split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN].rsplit(' ', 1)[0]} …"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def last_change(system: str) -> tuple[str, str]:
    """Return digest and reason of the last entry about a system's golden file."""
    entries = re.findall(rf"^{system} ([0-9a-f]{{16}}) (.+)$", CHANGES.read_text(encoding="utf-8"), re.MULTILINE)
    return entries[-1] if entries else ("", "")


def demonstrate(folder: Path) -> Any:
    """Run the demonstration once for real, and return what it answered."""
    command = [sys.executable, "-m", "compliance", "demo", "--workspace", str(folder), "--json"]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env={**os.environ, **ELSEWHERE}
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def assessed(workspace: Path) -> str:
    with Workspace.open(workspace) as ws:
        return lines(ws.assess(), ws.evidence())


def main(why: str) -> None:
    with TemporaryDirectory() as folder:
        demonstrate(Path(folder))
        texts = {system: assessed(Path(folder) / system) for system in SYSTEMS}
    for system, text in texts.items():
        path = GOLDEN / f"{system}.txt"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        path.write_text(text, encoding="utf-8")
        with CHANGES.open("a", encoding="utf-8") as changes:
            changes.write(f"{system} {digest(text)} {why}\n")
        print(f"{path} is written anew; read what changed before you commit it.")


if __name__ == "__main__":
    main(sys.argv[1])
