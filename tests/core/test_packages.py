"""Environment files: what is pinned, what is only wished for, and what names no package."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.core import packages


@pytest.mark.parametrize(
    ("line", "name", "version"),
    [
        ("numpy==2.1.0", "numpy", "2.1.0"),
        ("numpy == 2.1.0 ; python_version < '4'", "numpy", "2.1.0"),
        ("uvicorn[standard]===0.30", "uvicorn", "0.30"),
        ("numpy==2.1.0 --hash=sha256:abc", "numpy", "2.1.0"),
        ("numpy==2.1.0 \\\n    --hash=sha256:abc", "numpy", "2.1.0"),
        ("numpy==2.1.0  # pinned", "numpy", "2.1.0"),
        ("numpy>=2", "numpy", None),
        ("numpy==2.*", "numpy", None),
        ("numpy==2.1,==2.2", "numpy", None),
        ("numpy", "numpy", None),
    ],
)
def test_a_version_is_known_where_exactly_one_is_asked_for(line: str, name: str, version: str | None) -> None:
    assert packages.requirements(line) == packages.Environment((packages.Package(name, version),))


@pytest.mark.parametrize("line", ["-e .", "-r other.txt", "own @ file:///tmp/own", "git+https://x.org/y", "./a.whl"])
def test_what_names_no_package_is_told(line: str) -> None:
    assert packages.requirements(line) == packages.Environment((), unread=(line,))


def test_comments_and_blank_lines_are_nothing() -> None:
    assert packages.requirements("# a\n\n   \n#b==1\n") == packages.Environment(())


def test_conda_and_mlflow_files() -> None:
    found = packages.conda(
        {"dependencies": ["python=3.11.9", "conda-forge::numpy=2.1.0=py311_0", "pip<=24", {"pip": ["mlflow==3.17.2"]}]}
    )
    assert found.python == "3.11.9"
    assert [(one.name, one.version, one.source) for one in found.packages] == [
        ("numpy", "2.1.0", "conda"),
        ("pip", None, "conda"),
        ("mlflow", "3.17.2", "pypi"),
    ]
    found = packages.conda({"python": "3.11.9", "dependencies": ["-r requirements.txt", "scipy==1.15"]})
    assert (found.python, found.unread) == ("3.11.9", ("-r requirements.txt",))
    assert packages.conda({"dependencies": 5, "python": 3}) == packages.Environment(())


def test_a_package_named_twice_counts_once_with_its_version() -> None:
    listed = [packages.Package("Scikit_Learn"), packages.Package("scikit-learn", "1.6"), packages.Package("a", "1")]
    assert {key: one.version for key, one in packages.by_name(listed).items()} == {"scikit-learn": "1.6", "a": "1"}


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    found = packages.requirements(text)
    assert all(one.name for one in found.packages)
