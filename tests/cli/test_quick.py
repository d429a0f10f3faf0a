"""Commands that must be quick import nothing that they do not need."""

import shutil
from pathlib import Path

import pytest

from .conftest import Compliance
from .test_help import HEAVY, absent_after


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["verify"], HEAVY | {"pydantic", "rich", "yaml", "jinja2"}),
        (["verify", "EV-000002"], HEAVY | {"pydantic", "rich", "yaml", "jinja2"}),
        (["list"], HEAVY | {"rich", "jinja2"}),
        (["show", "EV-000002"], HEAVY | {"rich", "jinja2"}),
        (["status"], HEAVY | {"rich", "jinja2"}),
        (["key", "list"], HEAVY | {"rich", "jinja2"}),
    ],
)
def test_quick_commands_stay_light(
    arguments: list[str], absent: set[str], filled: Path, compliance: Compliance, tmp_path: Path
) -> None:
    imported = absent_after(arguments, compliance, tmp_path, cwd=filled)
    assert "compliance" in imported
    assert not imported & absent


def test_logging_through_a_server_needs_no_mlflow(filled: Path, compliance: Compliance, tmp_path: Path) -> None:
    root = shutil.copytree(filled, tmp_path / "ws")
    (root / "note.yaml").write_text("kind: document\nname: note@1\ntitle: Note\ndocument_type: other\n")
    imported = absent_after(["log", "record", "note.yaml"], compliance, tmp_path, cwd=root)
    assert not imported & (HEAVY | {"rich", "jinja2"})
