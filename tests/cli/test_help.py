"""The help knows every command, costs next to nothing, and tells the way when a name is wrong."""

import ast
import sys
from pathlib import Path

import pytest

from compliance.cli.commands import COMMANDS, build, children

from .conftest import Compliance

LEAVES = [path for path, entry in COMMANDS.items() if entry.target]
HEAVY = {
    "mlflow",
    "great_expectations",
    "pandas",
    "numpy",
    "scipy",
    "sklearn",
    "weasyprint",
    "matplotlib",
    "sqlmodel",
    "sqlalchemy",
    "fastapi",
}


def absent_after(arguments: list[str], compliance: Compliance, tmp_path: Path, **options: object) -> set[str]:
    """Run a command in a process that prints what it imported; return the top-level names."""
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, sys\n"
        "names = lambda: ' '.join({name.partition('.')[0] for name in sys.modules})\n"
        "atexit.register(lambda: open(__file__ + '.log', 'w').write(names()))\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    ran = compliance(*arguments, PYTHONPATH=f"{tmp_path}:{root}", **options)  # type: ignore[arg-type]
    assert ran.code in (0, 1), ran.err
    return set((tmp_path / "sitecustomize.py.log").read_text().split())


def test_help_lists_every_command(compliance: Compliance) -> None:
    ran = compliance("--help")
    assert ran.code == 0
    for name, entry in children(""):
        assert f"  {name} " in ran.out
        assert entry.help.split(":")[0] in ran.out


def test_help_fits_eighty_columns(compliance: Compliance) -> None:
    assert max(map(len, compliance("--help").out.splitlines())) <= 80


def test_help_imports_nothing_heavy(compliance: Compliance, tmp_path: Path) -> None:
    imported = absent_after(["--help"], compliance, tmp_path)
    assert "typer" in imported
    assert not imported & (HEAVY | {"pydantic", "rich", "cryptography", "yaml", "click"})


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_explains_itself_and_takes_the_two_common_options(path: str) -> None:
    command = build(path)
    with command.make_context(path, [], resilient_parsing=True) as context:
        text = command.get_help(context)
    assert "--json" in text
    assert "--workspace" in text
    undocumented = [p.name for p in command.params if p.param_type_name == "option" and not p.help]
    assert not undocumented


@pytest.mark.parametrize("path", [path for path, entry in COMMANDS.items() if not entry.target])
def test_a_group_without_a_command_shows_its_help(path: str, compliance: Compliance) -> None:
    ran = compliance(path)
    assert ran.code == 2
    for name, _ in children(path):
        assert name in ran.err


def test_a_wrong_name_is_answered_with_the_nearest(compliance: Compliance) -> None:
    ran = compliance("dosier")
    assert ran.code == 2
    assert "Did you mean dossier?" in ran.err
    assert compliance("log", "modle", "--json").json["error"]["problem"].endswith("Did you mean model?")


def test_the_table_names_functions_that_exist() -> None:
    for path in LEAVES:
        module, _, function = COMMANDS[path].target.partition(":")
        source = Path(sys.modules["compliance.cli.commands"].__file__ or "").with_name(f"{module}.py").read_text()
        names = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
        assert function in names, path
