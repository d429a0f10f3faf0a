"""Packages that an environment file names: requirements.txt, `pip freeze`, conda.yaml, python_env.yaml. Pure.

A version is known only where exactly one is asked for (`==`); a range is a wish and names none. Names are compared as
PyPI compares them. Format of a line: PEP 508, read by `packaging`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_OPTION = re.compile(r"\s+--[a-z-]+[= ].*$")
_CONDA = re.compile(r"(?:[\w.-]+::)?([A-Za-z0-9_][\w.-]*)\s*(?:==?\s*([\w.+!]+)(?:=[\w.]+)?|[<>=!~\s].*)?")
"""Channel, name, version, build. `conda env export` writes one `=` for exactly what is installed."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package that is asked for."""

    name: str
    version: str | None = None
    """None where a range, or nothing, is asked for."""
    source: str = "pypi"
    """`pypi` or `conda`: whose name it is."""

    @property
    def key(self) -> str:
        return canonicalize_name(self.name)


@dataclass(frozen=True, slots=True)
class Environment:
    """What an environment file asks for."""

    packages: tuple[Package, ...]
    python: str | None = None
    unread: tuple[str, ...] = ()
    """Lines that name no package of an index: paths, addresses, other files."""


def requirements(text: str) -> Environment:
    """Return what a requirements file, or the output of `pip freeze`, asks for."""
    packages, unread = [], []
    for line in _lines(text):
        package = _requirement(line)
        if package is None:
            unread.append(line)
        else:
            packages.append(package)
    return Environment(tuple(packages), unread=tuple(unread))


def conda(told: Mapping[str, Any]) -> Environment:
    """Return what the content of a conda.yaml, or of MLflow's python_env.yaml, asks for."""
    packages: list[Package] = []
    unread: list[str] = []
    python = told.get("python")
    dependencies = told.get("dependencies")
    pinned = [line for line in dependencies if isinstance(line, str)] if isinstance(dependencies, list) else []
    for line in pinned:
        match = _CONDA.fullmatch(line.strip())
        if "python" in told or match is None:  # python_env.yaml names PyPI's packages, and other files
            inner = requirements(line)
            packages += inner.packages
            unread += inner.unread
        elif match[1] == "python":
            python = match[2] or python
        else:
            packages.append(Package(match[1], match[2], "conda"))
    for part in dependencies if isinstance(dependencies, list) else []:
        if isinstance(part, dict) and isinstance(part.get("pip"), list):
            inner = requirements("\n".join(str(line) for line in part["pip"]))
            packages += inner.packages
            unread += inner.unread
    return Environment(tuple(packages), python if isinstance(python, str) else None, tuple(unread))


def by_name(packages: Iterable[Package]) -> dict[str, Package]:
    """Return the packages under their plain names; of one named twice, the one with a version."""
    found: dict[str, Package] = {}
    for package in packages:
        if package.key not in found or found[package.key].version is None:
            found[package.key] = package
    return found


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        if line := _OPTION.sub("", re.sub(r"(^|\s)#.*$", "", line)).strip():
            yield line


def _requirement(line: str) -> Package | None:
    try:
        asked = Requirement(line)
    except InvalidRequirement:
        return None
    if asked.url:
        return None
    exact = [one.version for one in asked.specifier if one.operator in ("==", "===") and "*" not in one.version]
    return Package(asked.name, exact[0] if len(exact) == 1 else None)
