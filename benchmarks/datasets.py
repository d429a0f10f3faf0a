"""Logging a dataset of five million rows: peak memory and time, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import Options, Row

GROUP = "datasets"

LOG = """
import resource, sys, time
from pathlib import Path
from compliance import Profile, System, Workspace

root, data, suite = map(Path, sys.argv[1:4])
system = System(id="big", name="Big", provider="Nobody", model="m", catalogs=["eu-ai-act"])
ws = Workspace.create(root, system=system, profile=Profile(), origin="example.org/big")
begin = time.perf_counter()
ws.log_dataset(
    data, name="big", version="1", role="train", target="died", groups=["sex", "site"], patient="patient", time="seen",
    **({"suite": suite} if suite.name == "suite.json" else {}),
)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.perf_counter() - begin)
"""
SUITE = """{"name": "big", "expectations": [
 {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "patient"}},
 {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "min_value": 0, "max_value": 120}},
 {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "sex", "value_set": ["F", "M"]}}]}"""


def measure(options: Options) -> list[Row]:
    count = options.size(5_000_000, 100_000)
    csv, parquet = _table(options.scratch, count)
    suite = options.scratch / "suite.json"
    suite.write_text(SUITE)
    rows = []
    for what, data, asked in (("Parquet", parquet, Path("none")), ("CSV", csv, Path("none")), ("CSV, GX", csv, suite)):
        memory, seconds = _log(options.scratch / f"ws-{what}", data, asked)
        name = f"{count:,} rows of 12 columns, {what}, {seconds:.0f} s"
        rows.append(Row(GROUP, name, memory, None, "MB at its peak", "", memory, 2_000))
    return rows


def _log(root: Path, data: Path, suite: Path) -> tuple[float, float]:
    """Return peak memory in MB and seconds of logging; MLflow is out of reach, so the mirror is not measured."""
    environment = {**os.environ, "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    command = [sys.executable, "-c", LOG, str(root), str(data), str(suite)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    memory, seconds = map(float, done.stdout.split()[-2:])
    return memory, seconds


def _table(folder: Path, count: int) -> tuple[Path, Path]:
    """Write one table twice: numbers of many digits, dates, groups, a patient's number of five rows each."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    random = np.random.default_rng(0)
    day = np.datetime64("2020-01-01") + random.integers(0, 2_000, count)
    columns = {
        "patient": pa.array([f"P{n:08d}" for n in random.integers(0, count // 5, count).tolist()]),
        "age": random.integers(18, 99, count),
        "sex": np.array(["F", "M"])[random.integers(0, 2, count)],
        "site": np.array(["north", "south", "east"])[random.integers(0, 3, count)],
        "seen": pa.array(day),
        "died": random.integers(0, 2, count),
        **{f"lab_{name}": random.gamma(2, 3, count).round(4) for name in "abcd"},
        "score": random.random(count),
        "icd": np.array([f"I{n:02d}" for n in range(90)])[random.integers(0, 90, count)],
    }
    whole = pa.table({name: pa.array(values) for name, values in columns.items()})
    pa.csv.write_csv(whole, folder / "rows.csv")
    pa.parquet.write_table(whole, folder / "rows.parquet")
    return folder / "rows.csv", folder / "rows.parquet"
