"""The page on evaluations: it names every task, and its record is one."""

import re
from pathlib import Path
from typing import get_args

import yaml

from compliance.cli.commands import build
from compliance.kinds.evaluation import Predictions, Task
from compliance.kinds.metrics import MetricRow

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "log-an-evaluation.md").read_text(encoding="utf-8")


def test_it_names_every_task_and_only_options_that_exist() -> None:
    named = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert named == ["--task", *get_args(Task)]
    known = {option for path in ("log evaluation", "reproduce") for p in build(path).params for option in p.opts}
    assert set(re.findall(r"--[a-z][a-z-]*", PAGE)) <= known


def test_its_record_is_one() -> None:
    record = yaml.safe_load(PAGE.split("```yaml\n")[1].split("```")[0])
    Predictions.model_validate(record["predictions"])
    for row in record["metrics"]:
        MetricRow.model_validate(row)
