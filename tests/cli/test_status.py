"""Findings on the screen: a table that fits, filters, comparison, and no percentage anywhere."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.terminal import COLOUR, plain, screen

from compliance.cli.edge import run

from .conftest import Compliance

PROFILE = """[profile]
roles = ["provider", "manufacturer"]
high_risk = ["annex-i"]
markets = ["EU", "US"]
features = []
"""
INSTRUCTIONS = """\
kind: document
name: instructions@1
title: Instructions for use
document_type: instructions-for-use
status: released
model: clinical-risk@1
"""


@pytest.fixture(scope="module")
def everything(compliance: Compliance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that uses every catalog at hand, with one model version and the next."""
    root = tmp_path_factory.mktemp("everything") / "ws"
    at_hand = [found["id"] for found in compliance("catalog", "list", "--json").json]
    chosen = [word for name in at_hand for word in ("--catalog", name)]
    made = compliance("init", root, "--system", "clinical-risk", "--provider", "Demonstration", *chosen)
    assert made.code == 0, made.err
    config = root / "compliance.toml"
    config.write_text(config.read_text().replace("[profile]\n", PROFILE))
    assert compliance("log", "record", "compliance.toml", cwd=root).code == 0
    for version in "12":
        (root / "model.bin").write_text(f"weights of version {version}")
        logged = compliance("log", "model", "model.bin", "--name", "clinical-risk", "--version", version, cwd=root)
        assert logged.code == 0, logged.err
    (root / "instructions.yaml").write_text(INSTRUCTIONS)
    logged = compliance("log", "record", "instructions.yaml", cwd=root)
    assert logged.code == 0, logged.err
    return root


Says = Callable[..., str]


@pytest.fixture
def says(everything: Path, capsys: pytest.CaptureFixture[str]) -> Says:
    """Run a command that reads in that workspace, in this process, and return what it printed."""

    def printed(*arguments: str) -> str:
        assert run([*arguments, "--workspace", str(everything)]) in (0, 1)
        return capsys.readouterr().out

    return printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "--all"],
        ["status", "--compare", "clinical-risk@1", "clinical-risk@2"],
        ["gate"],
        ["catalog", "check"],
        ["catalog", "show", "eu-ai-act/art-15.1"],
    ],
)
def test_it_fits_eighty_columns_in_colour(arguments: list[str], everything: Path, environment: dict[str, str]) -> None:
    code, shown = screen(arguments, cwd=everything, env=environment)
    assert code in (0, 1), shown
    assert COLOUR.search(shown)
    long = [line for line in plain(shown).splitlines() if len(line) > 80]
    # A single word that is longer than a line is never broken: an id is there to be copied.
    assert [line for line in long if " " in line.strip()] == []


def test_without_colour_it_says_the_same(everything: Path, environment: dict[str, str]) -> None:
    _, colourful = screen(["status"], cwd=everything, env=environment)
    _, plainly = screen(["status"], cwd=everything, env=environment | {"NO_COLOR": "1"})
    assert "\x1b[3" not in plainly
    assert plain(colourful) == plain(plainly)


def test_catalogs_are_rows_and_the_last_row_is_their_sum(says: Says) -> None:
    found = json.loads(says("status", "--json"))
    shown = says("status").splitlines()
    header = next(n for n, line in enumerate(shown) if line.startswith("catalog "))
    end = shown.index("", header)
    rows = {name: list(map(int, counts)) for name, *counts in (line.split() for line in shown[header + 1 : end])}
    assert list(rows)[-1] == "all"
    total = rows.pop("all")
    assert total == [sum(column) for column in zip(*rows.values(), strict=True)]
    assert sum(total) == len(found["findings"])
    by_catalog = Counter(finding["catalog"] for finding in found["findings"])
    assert {name: sum(counts) for name, counts in rows.items()} == by_catalog


def test_no_percentage_is_shown(says: Says) -> None:
    for arguments in (["status"], ["status", "--compare", "clinical-risk@1", "clinical-risk@2"], ["gate"]):
        counts = says(*arguments).partition("Next steps")[0]
        assert not re.search(r"\d ?%|per ?cent", "\n".join(line for line in counts.splitlines() if line[:1] != " "))


def test_the_json_names_the_text_of_every_catalog(says: Says) -> None:
    found = json.loads(says("status", "--json"))
    listed = {each["id"]: each["sha256"] for each in json.loads(says("catalog", "list", "--json"))}
    assert {each["id"]: each["sha256"] for each in found["catalogs"]} == listed


def test_filters_narrow_table_steps_and_json(says: Says) -> None:
    whole = json.loads(says("status", "--json"))["findings"]
    one = json.loads(says("status", "--finding", "gap", "--requirement", "eu-ai-act/art-1", "--json"))
    expected = [f for f in whole if f["finding"] == "gap" and f["requirement"].startswith("eu-ai-act/art-1")]
    assert one["findings"] == expected != []
    assert one["counts"]["gap"] == len(expected)
    binding = json.loads(says("status", "--binding", "--json"))["findings"]
    assert binding == [f for f in whole if f["binding"]] != whole
    only = json.loads(says("status", "--catalog", "fda-aidsf", "--json"))["findings"]
    assert only == [f for f in whole if f["catalog"] == "fda-aidsf"]
    shown = says("status", "--finding", "gap", "--all")
    assert "undetermined:" not in shown
    assert says("status", "--finding", "met", "--requirement", "eu-ai-act/art-2.").endswith("No finding matches.\n")


def test_all_shows_every_finding_once_under_its_word(says: Says) -> None:
    whole = json.loads(says("status", "--json"))["findings"]
    shown = says("status", "--all").partition("Next steps")[0]
    listed = Counter(re.findall(r"(?<![\w/])(?:[a-z0-9-]+/)+[a-z0-9._-]*[a-z0-9]", shown))
    missing = [f["requirement"] for f in whole if not listed[f["requirement"]]]
    assert missing == []
    # Rows with one reason stand together, so the list is far shorter than the rows.
    assert len(shown.splitlines()) < 1.7 * len(whole)


def test_one_requirement_is_told_in_full(says: Says) -> None:
    whole = json.loads(says("status", "--json"))["findings"]
    told = next(
        f for f in whole if len(f["needs"]) > 1 and f["against"] and f["ask"] and any(n["field"] for n in f["needs"])
    )
    shown = says("status", "--requirement", told["requirement"])
    said = [told["reason"], told["rule"], told["missing"], told["ask"], *told["against"]]
    said += [part for need in told["needs"] for part in (f"need {need['need']}: {need['verdict']}", need["reason"])]
    said += [f"{need['field']} of a " for need in told["needs"] if need["field"]]
    assert [part for part in said if part not in shown] == []


def test_a_need_that_is_asked_of_each_piece_says_that_there_is_none(says: Says) -> None:
    shown = says("status", "--requirement", "eu-ai-act/art-13.3.c")
    assert re.search(r"need \S+: not asked\n +It is asked of each change of its sort, and none is on record\.", shown)


def test_a_long_title_fits_as_well(everything: Path, environment: dict[str, str]) -> None:
    _, shown = screen(["catalog", "show", "fda-pccp"], cwd=everything, env=environment)
    assert max(len(line) for line in plain(shown).splitlines()) <= 80


def test_two_versions_are_compared_by_requirement(says: Says) -> None:
    def counted(version: str) -> dict[str, str]:
        found = json.loads(says("status", "--model", version, "--json"))["findings"]
        return {f["requirement"]: f["finding"] for f in found}

    one, two = counted("clinical-risk@1"), counted("clinical-risk@2")
    told = json.loads(says("status", "--compare", "clinical-risk@1", "clinical-risk@2", "--json"))
    assert (told["before"], told["after"]) == ("clinical-risk@1", "clinical-risk@2")
    for part in ("better", "worse", "open", "scope"):
        for moved in told[part]:
            assert (one[moved["requirement"]], two[moved["requirement"]]) == (moved["before"], moved["after"])
    open_ = {name for name in one if one[name] == two[name] and one[name] not in ("met", "not-applicable")}
    assert {moved["requirement"] for moved in told["open"]} == open_
    assert told["worse"], "what is said of version 1 is stale for version 2"
    back = json.loads(says("status", "--compare", "clinical-risk@2", "clinical-risk@1", "--json"))
    assert [m["requirement"] for m in back["worse"]] == [m["requirement"] for m in told["better"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--finding", "faild"], "faild is no finding"),
        (["--requirement", "nope"], "begins with nope"),
        (["--compare", "clinical-risk@1", "clinical-risk@9"], "clinical-risk@9"),
        (["--compare", "clinical-risk@1"], "--compare"),
        (["--compare", "clinical-risk@1", "clinical-risk@1", "--model", "clinical-risk@1"], "Leave out --model"),
    ],
)
def test_a_wrong_question_is_refused(
    arguments: list[str], words: str, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "--json", *arguments]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert words in f"{error['problem']} {error['remedy']}"
