"""A workspace made by flags or by answers: the same profile, strictly checked, and what follows with the rows."""

import json
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from support.terminal import plain, screen

from compliance.cli import ask
from compliance.cli.edge import run
from compliance.core.system import Profile

FLAGS = [
    "--role", "provider", "--role", "manufacturer", "--high-risk", "annex-i", "--market", "EU", "--market", "US",
    "--feature", "none", "--device-class", "MDR:IIb", "--notified-body", "--profile", "device.rule=11",
    "--profile", "us.pathway=De Novo", "--profile", "us.class=II", "--profile", "us.pccp=no",
    "--purpose", "Helps to sort chest images.",
]  # fmt: skip
NAMES = ["--system", "Chest triage", "--provider", "Example"]
PROFILE = {
    "intended_purpose": "Helps to sort chest images.",
    "roles": ["provider", "manufacturer"],
    "high_risk": ["annex-i"],
    "device": {"law": "MDR", "class": "IIb", "rule": "11", "notified_body": True},
    "us": {"pathway": "De Novo", "class": "II", "pccp": False},
    "markets": ["EU", "US"],
    "features": [],
}
ANSWERS = """\
Chest triage
Example
Helps to sort chest images.
provider, manufacturr
provider, manufacturer
EU,US
annex-i
MDR
IIb
11
yes
De Novo
II
no


none
eu-ai-act,iso-14971
"""


@pytest.fixture
def here(tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("COMPLIANCE_PASSPHRASE", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, environment[name])
    return tmp_path


def configured(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "compliance.toml").read_text())


def test_flags_say_the_profile_and_the_rows_say_what_follows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "ws", *NAMES, *FLAGS, "--catalog", "eu-ai-act"]) == 0
    out, err = capsys.readouterr()
    assert configured(here / "ws")["profile"] == PROFILE
    assert (
        "no: registration in the EU database: high-risk by annex-i, not annex-iii (eu-ai-act/art-49.1 and 2 more)"
        in out
    )
    assert "yes: reporting of serious incidents, from 2028-08-02 (eu-ai-act/art-73.1" in out
    assert "are not in use: fda-aidsf (123 rows), " in err
    assert "fda-cybersecurity (15 rows, 6 more by answers not given)" in err


def test_on_a_terminal_it_asks_and_proposes(here: Path, environment: dict[str, str]) -> None:
    code, shown = screen(["init", "ws"], cwd=here, env=environment, keys=ANSWERS)
    shown = plain(shown)
    assert code == 0, shown
    made = configured(here / "ws")
    assert made["profile"] == PROFILE
    assert made["system"]["catalogs"] == ["eu-ai-act", "iso-14971"]
    assert "manufacturr: not among provider" in shown
    assert "[eu-ai-act,fda-aidsf,fda-cybersecurity" in shown
    assert "May reach it, by answers that the profile does not give: hti-1." in shown
    assert "no: registration in the EU database" in shown


AMERICAN = "Chest triage\nExample\nSorts chest images.\nmanufacturer\nUS\n{}none\n\n"


@pytest.mark.parametrize(
    ("pathway", "us"),
    [
        ("510(k)\nII\nno\nyes\nno\n",
         {"pathway": "510(k)", "class": "II", "pccp": False, "cyber_device": True, "certified_health_it": False}),
        ("exempt\nI\nno\nno\n",
         {"pathway": "exempt", "class": "I", "cyber_device": False, "certified_health_it": False}),
        ("none\nyes\n", {"pathway": "none", "certified_health_it": True}),
    ],
    ids=["510(k)", "exempt", "none"],
)  # fmt: skip
def test_who_sells_in_the_united_states_alone_is_asked_nothing_of_the_union(
    here: Path, environment: dict[str, str], pathway: str, us: dict[str, Any]
) -> None:
    code, shown = screen(["init", "ws"], cwd=here, env=environment, keys=AMERICAN.format(pathway))
    assert code == 0, shown
    assert not [word for word in ("AI Act", "Union?", "eu-ai-act") if word in plain(shown)]
    profile = configured(here / "ws")["profile"]
    assert profile["us"] == us
    assert "high_risk" not in profile


def test_an_answer_left_out_is_not_said(here: Path, environment: dict[str, str]) -> None:
    code, shown = screen(["init", "ws"], cwd=here, env=environment, keys="Triage\nExample\n\n\n\n\n\n\n\n")
    assert code == 0, shown
    assert configured(here / "ws")["profile"] == {}


def test_flags_are_not_asked_again(here: Path, environment: dict[str, str]) -> None:
    arguments = ["init", "ws", "--system", "Triage", *FLAGS, "--catalog", "fda-pccp"]
    code, shown = screen(arguments, cwd=here, env=environment, keys="Example\n\n\n")
    assert code == 0, shown
    assert "Which roles" not in shown
    assert configured(here / "ws")["profile"] == PROFILE


def test_leaving_at_a_question_makes_nothing(here: Path, environment: dict[str, str]) -> None:
    code, shown = screen(["init", "ws"], cwd=here, env=environment, keys="Triage\n\x04")
    assert code == 130
    assert "Traceback" not in shown
    assert not (here / "ws").exists()


def test_without_a_terminal_nothing_is_asked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for names in ([], ["--system", "Triage"], ["--provider", "Example"]):
        assert run(["init", "ws", *names, "--json"]) == 2
        assert "--system NAME" in json.loads(capsys.readouterr().out)["error"]["remedy"]
    assert not (here / "ws").exists()


def test_the_json_says_what_follows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "ws", *NAMES, *FLAGS, "--catalog", "eu-ai-act", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"workspace", "system", "log_key", "genesis"} <= told.keys()
    assert "fda-aidsf" in told["proposed"]
    by_duty = {each["duty"]: each for each in told["consequences"]}
    assert by_duty["registration in the EU database"]["requirements"][0] == "eu-ai-act/art-49.1"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--role", "provder"], "did you mean provider?"),
        (["--market", "Mars"], "markets.0 must be"),
        (["--device-class", "MDR:IIa"], "device.notified_body is missing"),
        (["--device-class", "MDR:V", "--notified-body"], "device.class"),
        (["--profile", "us.pathway"], "is no answer"),
        (["--profile", "colour=red"], "colour is no field here"),
        (["--profile", "roles=provider", "--role", "provider"], "answered twice"),
        (["--high-risk", "none", "--high-risk", "annex-i"], "high_risk.0"),
        (["--catalog", "eu-ai-atc"], "There is no catalog eu-ai-atc"),
        (["--catalog", "nowhere.yaml"], "No such file"),
    ],
)
def test_a_wrong_answer_makes_nothing(
    flags: list[str], words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "ws", *NAMES, *flags, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert words in f"{error['problem']} {error['remedy']}"
    assert not (here / "ws" / "compliance.toml").exists()


@pytest.mark.parametrize("key", ask.LITERALS)
def test_the_questions_offer_what_the_profile_takes(key: str) -> None:
    assert set(ask.CHOICES[key]) - {"none"} == set(get_args(ask.LITERALS[key]))


def test_the_questions_offer_every_market() -> None:
    (markets,) = (a for a in get_args(Profile.model_fields["markets"].annotation) if a is not type(None))
    assert set(ask.MARKETS) == set(get_args(get_args(markets)[0]))
