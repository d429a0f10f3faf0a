"""What the pages offer to copy: CI jobs that their hosts take, a policy that is one, a catalog row that is one."""

import json
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from compliance.cli.commands import COMMANDS, build
from compliance.core.policy import Policy
from compliance.services import catalogs

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
VENDORED = files("check_jsonschema") / "builtin_schemas" / "vendor"
"""The hosts' own schemas, as check-jsonschema carries them."""


def blocks(page: str, language: str) -> list[str]:
    parts = (HOW_TO / page).read_text(encoding="utf-8").split(f"```{language}\n")[1:]
    return [part.split("```")[0] for part in parts]


def jobs() -> dict[str, Any]:
    github, gitlab = (yaml.safe_load(block) for block in blocks("run-in-ci.md", "yaml"))
    # YAML 1.1 reads the key `on` as true.
    github = {"on" if key is True else key: value for key, value in github.items()}
    return {"github-workflows": github, "gitlab-ci": gitlab}


@pytest.mark.parametrize("host", ["github-workflows", "gitlab-ci"])
def test_a_job_is_one_by_its_hosts_schema(host: str) -> None:
    schema = json.loads((VENDORED / f"{host}.json").read_text())
    valid = jsonschema_rs.validator_for(schema, pattern_options=jsonschema_rs.FancyRegexOptions())
    valid.validate(jobs()[host])
    assert not valid.is_valid({"jobs": {"gate": {"steps": "compliance gate"}}, "on": 3})


def commands(value: Any) -> Iterator[list[str]]:
    if isinstance(value, str):
        yield from (line.split() for line in value.splitlines() if line.startswith("compliance "))
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from commands(inner)


@pytest.mark.parametrize("host", ["github-workflows", "gitlab-ci"])
def test_the_commands_of_a_job_exist_with_their_options(host: str) -> None:
    found = list(commands(jobs()[host]))
    assert {words[1] for words in found} >= {"verify", "gate"}
    for _, name, *words in found:
        known = {option for parameter in build(name).params for option in parameter.opts}
        assert name in COMMANDS
        assert {word for word in words if word.startswith("-")} <= known


def test_the_policy_of_the_page_is_one() -> None:
    (text,) = blocks("gate-a-release.md", "toml")
    policy = Policy.model_validate(tomllib.loads(text))
    assert policy.binding_only
    assert policy.exceptions[0].expires == "2027-03-31"
    known = {row.id for catalog in catalogs.available() for row in catalog.requirements} | set(catalogs.ids())
    assert {*policy.catalogs, *(each.subject for each in policy.exceptions)} <= known


def test_the_row_of_the_page_is_one(tmp_path: Path) -> None:
    (text,) = blocks("write-a-catalog.md", "yaml")
    (tmp_path / "qms.yaml").write_text(text)
    assert catalogs.check(tmp_path / "qms.yaml").id == "qms"


def test_the_page_names_every_word_of_a_need_and_every_cell_of_a_row() -> None:
    from compliance.core.catalog import Need, Requirement

    page = (HOW_TO / "write-a-catalog.md").read_text(encoding="utf-8")
    words = {*Need.model_fields, *Requirement.model_fields}
    assert [word for word in words if f"`{word}`" not in page] == []
