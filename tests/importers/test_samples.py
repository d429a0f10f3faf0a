"""Every sample that a tool wrote: one importer knows it, no part of it is complete, no change of it is a crash."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.imports import SAMPLES, imported

from compliance.errors import InvalidInput
from compliance.importers import Source, importers, recognise, whose

FOLDERS = (
    "aif360", "coverage", "deepchecks", "evidently", "fairlearn", "giskard", "healthbench", "holisticai", "mlflow",
    "monai", "nannyml", "nnunet", "openai_evals", "promptfoo", "pyrit",
)  # fmt: skip
ALONE_NOTHING = {"monai/metrics.csv", "mlflow/artifacts_metadata.json", "promptfoo/promptfooconfig.yaml"}
"""Files beside a result that say nothing by themselves."""
FILES = sorted(
    name
    for folder in FOLDERS
    for path in (SAMPLES / folder).iterdir()
    if path.suffix != ".md" and (name := str(path.relative_to(SAMPLES))) not in ALONE_NOTHING
)
NO_END = ("aif360/explained.jsonl", "openai_evals/")
"""Lines without an end mark: a cut between two of them cannot be seen."""
JSON = [name for name in FILES if name.endswith(".json")]
LINES = [name for name in FILES if name.endswith(".jsonl")]


def _take(data: bytes, name: str) -> list[dict[str, Any]]:
    """Return the records of a file; none where nobody recognises it, or it asks for more, or does not hold together."""
    source = Source.of(name, data)
    if (recognise(source) or whose(source)) is None:
        return []
    try:
        return imported(data, dataset="data@1", groups=["sex"]).records
    except InvalidInput:
        return []


@pytest.mark.parametrize("name", FILES)
def test_exactly_one_importer_recognises_it(name: str) -> None:
    source = Source.of("x", (SAMPLES / name).read_bytes())
    assert len([one.tool for one in importers() if one.recognise(source)]) == 1


@pytest.mark.parametrize("name", sorted(ALONE_NOTHING))
def test_what_says_nothing_alone_is_recognised_by_nobody(name: str) -> None:
    assert recognise(Source.of("x", (SAMPLES / name).read_bytes())) is None


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted({*JSON, *LINES, "coverage/coverage.xml"})), st.floats(0, 1, exclude_max=True))
def test_what_is_left_of_a_truncated_file_is_never_complete(name: str, share: float) -> None:
    whole = (SAMPLES / name).read_bytes()
    cut = whole[: int(len(whole) * share)]
    if cut.strip() == whole.strip() or (name.startswith(NO_END) and cut.endswith((b"\n", b"}"))):
        return
    assert all(record["completeness"] != "complete" for record in _take(cut, name))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FILES), st.integers(0, 30_000), st.binary(min_size=1, max_size=8))
def test_bytes_changed_anywhere_never_crash(name: str, at: int, put: bytes) -> None:
    data = bytearray((SAMPLES / name).read_bytes())
    at %= len(data)
    data[at : at + len(put)] = put
    _take(bytes(data), name)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [path, *(leaf for key, inner in items for leaf in _leaves(inner, (*path, key)))]
    return [path]


ODD = (None, float("nan"), float("inf"), -1, 10**40, 1.5, "", "text", "NaN", True, [], {}, [None], {"a": 1})


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(JSON), st.integers(0), st.sampled_from(ODD))
def test_values_of_another_sort_anywhere_never_crash(name: str, which: int, odd: Any) -> None:
    data = json.loads((SAMPLES / name).read_text())
    paths = _leaves(data)
    *parents, last = paths[1 + which % (len(paths) - 1)]
    place = data
    for parent in parents:
        place = place[parent]
    place[last] = odd
    _take(json.dumps(data).encode(), name)
