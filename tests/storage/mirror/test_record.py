"""What a run holds is a function of the evidence, and MLflow's own validators take all of it."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.core.evidence import Evidence, predicate_type
from compliance.storage.mirror import record as mirror
from compliance.storage.mirror.record import RunRecord, mirror_record


def evidence(content: dict[str, Any], **predicate: Any) -> Evidence:
    said = {
        "title": "On people held out",
        "completeness": "complete",
        "attachments": [],
        "content": content,
        **predicate,
    }
    statement = {
        "predicateType": predicate_type("evaluation"),
        "subject": [{"name": "net@2", "digest": {"sha256": "5f" * 32}}],
        "predicate": said,
    }
    return Evidence(17, "9c" * 32, "evaluation", "2026-11-23T10:05:01Z", "key", statement)


def run(content: dict[str, Any], **predicate: Any) -> RunRecord:
    return mirror_record(
        evidence(content, **predicate),
        payload=b"{}",
        leaf=b"leaf",
        bundle=b"bundle",
        checkpoint="note\n",
        attachments=Path("/workspace/.compliance/attachments"),
    )


def test_a_run_says_which_evidence_it_mirrors() -> None:
    made = run({})
    assert made.name == "EV-000017 · evaluation · On people held out"
    assert made.at == 1795428301000  # 2026-11-23T10:05:01Z
    assert made.tags["compliance.subject"] == f"net@2 sha256:{'5f' * 32}"
    # SHA-256 of the two bytes {}
    assert made.tags["compliance.payload_sha256"].startswith("44136fa355b3678a")
    assert made.envelope_sha256 == "9c" * 32
    assert set(made.artifacts) == {"evidence.sigstore.json", "entry.json", "checkpoint"}


def test_fields_become_params_metrics_and_inputs() -> None:
    made = run(
        {
            "dataset": {"name": "held-out@1", "sha256": "c1" * 32, "role": "test"},
            "blinded": True,
            "sites": ["a", "b"],
            "empty": None,
            "metrics": [
                {"name": "sensitivity", "value": "0.791045"},
                {"name": "sensitivity", "group": {"sex": "F", "age": "<60"}, "value": "0.5"},
                {"name": "specificity", "value": None, "reason": "no negatives"},
            ],
        }
    )
    assert made.params == {
        "dataset.name": "held-out@1",
        "dataset.sha256": "c1" * 32,
        "dataset.role": "test",
        "blinded": "true",
        "sites": '["a", "b"]',
    }
    assert made.metrics == {"sensitivity": 0.791045, "sensitivity/age/_60/sex/F": 0.5}
    (data,) = made.inputs
    assert (data.name, data.context, data.digest) == ("held-out@1", "test", ("c1" * 32)[:36])
    assert "c1" * 32 in data.source


def test_what_is_too_long_is_cut_by_us_and_says_so() -> None:
    made = run({"note": "x" * 6_001, "fits": "y" * 6_000}, summary="z" * 9_000)
    assert len(made.params["note"]) == 6_000
    assert made.params["note"].endswith("[cut; whole in evidence.sigstore.json]")
    assert made.params["fits"] == "y" * 6_000
    assert len(made.tags["mlflow.note.content"]) == 8_000


def test_more_fields_than_mlflow_takes_are_counted() -> None:
    made = run({f"field{n}": "x" for n in range(150)})
    assert len(made.params) == 100
    assert made.params[mirror.LEFT_OUT] == "51 more fields stand in evidence.sigstore.json"


def test_restricted_attachments_stay_in_the_workspace() -> None:
    described = {"media_type": "text/plain", "size": "1"}
    made = run(
        {},
        attachments=[
            {"name": "predictions.csv", "sha256": "aa" * 32, "classification": "restricted", **described},
            {"name": "protocol #3.pdf", "sha256": "bb" * 32, "classification": "confidential", **described},
        ],
    )
    assert [path for path in made.artifacts if path.startswith("attachments/")] == ["attachments/protocol _3.pdf"]
    assert made.artifacts["attachments/protocol _3.pdf"].source == Path("/workspace/.compliance/attachments") / (
        "bb" * 32
    )


names = st.text(min_size=1, max_size=300)
values = st.one_of(
    st.text(max_size=50), st.booleans(), st.integers(), st.none(), st.text(min_size=5_990, max_size=6_100)
)
contents = st.dictionaries(names, st.one_of(values, st.dictionaries(names, values, max_size=3)), max_size=8)
rows = st.lists(
    st.fixed_dictionaries({"name": names, "value": st.just("0.5"), "group": st.dictionaries(names, names, max_size=2)}),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(contents, rows)
def test_mlflow_takes_every_key_and_value_as_it_is(content: dict[str, Any], metrics: list[dict[str, Any]]) -> None:
    from mlflow.utils import validation

    made = run({**content, "metrics": metrics})
    for key, value in made.params.items():
        param = validation._validate_param(key, value)
        assert (param.key, param.value) == (key, value)
    for key, number in made.metrics.items():
        validation._validate_metric(key, number, made.at, 0)
    assert len(made.metrics) == len(metrics)
    for key, value in made.tags.items():
        assert validation._validate_tag(key, value).value == value
