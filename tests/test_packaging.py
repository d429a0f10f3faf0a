"""What a checkout and a wheel must hold: one version, locked dependencies without addresses, the data folders."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import compliance
from compliance.storage import assets

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {path.name: path.read_text() for path in sorted(ROOT.glob("requirements*.lock"))}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_there_is_one_version() -> None:
    assert PROJECT["project"]["version"] == compliance.__version__
    assert f"## {compliance.__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_hashes_and_no_address(name: str) -> None:
    assert not re.findall(r"[a-z+]+://|--(?:extra-)?index-url|--find-links|@ file", LOCKS[name])
    requirements = re.split(r"^(?=[a-z0-9])", LOCKS[name], flags=re.MULTILINE)[1:]
    for requirement in requirements:
        assert re.match(r"[a-z0-9.-]+==", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


def test_the_locks_answer_every_direct_dependency() -> None:
    locked = {canonical(name) for lock in LOCKS.values() for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    project = PROJECT["project"]
    direct = [*project["dependencies"], *PROJECT["dependency-groups"]["dev"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        direct += extra
    names = {canonical(re.match(r"[A-Za-z0-9._-]+", requirement)[0]) for requirement in direct}  # type: ignore[index]
    assert len(names) > 50
    assert names <= locked


def test_every_public_name_loads() -> None:
    for name in compliance.__all__:
        assert getattr(compliance, name) is not None
    assert set(compliance.__all__) <= set(dir(compliance))
    with pytest.raises(AttributeError, match="nothing"):
        compliance.nothing  # noqa: B018  # reading it is the test


def test_importing_the_package_costs_nothing() -> None:
    code = "import sys; import compliance; print(' '.join({m.partition('.')[0] for m in sys.modules}))"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"pydantic", "typer", "mlflow", "cryptography"} & set(imported.split())


def test_the_data_folders_are_found() -> None:
    for name in ("templates", "schemas", "evidence"):
        assert any(assets.folder(name).iterdir())  # type: ignore[arg-type]


def test_a_wheel_holds_the_package_and_its_data(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "compliance/py.typed" in names
    for path in ("templates/dossiers/annex-iv/manifest.yaml", "schemas/catalogs/eu-ai-act.yaml"):
        assert f"compliance/_assets/{path}" in names
    assert any(name.startswith("compliance/_assets/evidence/clinical-risk/") for name in names)
    assert not [name for name in names if name.endswith((".pem", ".db")) or "__pycache__" in name]
    assert any(name.endswith("licenses/LICENSE") for name in names)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = "from compliance.storage import assets; print(assets.folder('schemas'))"
    shown = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert Path(shown.strip()) == tmp_path / "installed" / "compliance" / "_assets" / "schemas"
