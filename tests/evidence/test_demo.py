"""The demonstration, run once for real, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from compliance.errors import InvalidInput
from compliance.services import demo


def silent(text: str, done: int | None = None, total: int | None = None) -> None:
    """Take progress and show nothing."""


def test_what_no_demonstration_made_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "clinical-risk" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    with pytest.raises(InvalidInput, match="left alone"):
        demo.run(tmp_path, silent)
    assert precious.read_text() == "years of work"


@pytest.mark.demo
def test_both_systems_from_nothing_to_verified_dossiers(made: tuple[Path, Any]) -> None:
    folder, (clinical, deepseek) = made
    assert Path(clinical["workspace"]).resolve() == folder / "clinical-risk"
    assert clinical["counts"]["eu-ai-act"]["met"] > 0
    assert clinical["counts"]["fda-aidsf"]["stale"] > 0
    for example, names in ((clinical, {"annex-iv"}), (deepseek, {"annex-iv", "annex-xi"})):
        built = {Path(path).stem for path in example["dossiers"] if path.endswith(".json")}
        assert built == names
        for path in example["dossiers"]:
            assert Path(path).stat().st_size > 0
    passphrase = folder / "clinical-risk" / ".compliance" / "keys" / "passphrase"
    assert passphrase.stat().st_mode & 0o077 == 0
