"""`compliance log evaluation`: figures that a file states, or figures computed from predictions, whatever the task."""

from pathlib import Path
from typing import Annotated, Any

import typer

from compliance.cli import options
from compliance.cli.edge import fail
from compliance.cli.log import Title, from_file, told


def evaluation(
    model: Annotated[str | None, typer.Option(metavar="NAME@VERSION", help="Model version that was evaluated.")] = None,
    dataset: Annotated[str | None, typer.Option(metavar="NAME@VERSION", help="Dataset it was evaluated on.")] = None,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="YAML or JSON with metrics; they are checked where it names predictions."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Predictions to compute the metrics from: CSV, Parquet, JSONL.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="binary (default), multiclass, regression, survival, segmentation, choice (answers and their key) "
            "or graded (grades of answers).",
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="COL",
            help="Column with the reference standard (default: truth): 0 or 1, class, quantity, the key's answer; of "
            "survival, 1 where the event was seen.",
        ),
    ] = None,
    score: Annotated[
        str | None,
        typer.Option(
            metavar="COL",
            help="Column with the model's output (default: score): score from 0 to 1, class, quantity, risk, answer, "
            "grade from 0 to 1.",
        ),
    ] = None,
    threshold: Annotated[
        str, typer.Option(metavar="NUMBER", help="binary: score from which a case counts as positive.")
    ] = "0.5",
    positive: Annotated[
        str | None,
        typer.Option(metavar="VALUE", help="binary, survival: what the truth column says of a case or event."),
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Column to report groups by; may be repeated.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="Column that says which cases belong together, the patient: intervals allow for it."
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COL", help="survival: column with the time to the event or to censoring.")
    ] = None,
    horizon: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="survival: the score is the risk up to this time; adds Brier, calibration."),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=COL", help="segmentation: dice, iou or hausdorff_95, one value per case; may be repeated."
        ),
    ] = None,
    question: Annotated[
        str | None, typer.Option(metavar="COL", help="choice, graded: column that says which question is answered.")
    ] = None,
    k: Annotated[
        list[int] | None, typer.Option("--k", metavar="K", min=1, help="choice, graded: pass@K; may be repeated.")
    ] = None,
    human: Annotated[
        str | None, typer.Option(metavar="COL", help="graded: column with a person's grade, to hold the judge against.")
    ] = None,
    scale: Annotated[str | None, typer.Option(metavar="UNIT", help="regression: unit of truth and prediction.")] = None,
    plan: Annotated[str | None, typer.Option(metavar="NAME@VERSION", help="Acceptance plan it is held to.")] = None,
    unit: Annotated[
        str | None, typer.Option("--unit-of-analysis", metavar="WORD", help="What a case is: person, image, question.")
    ] = None,
    title: Title = None,
    key: options.Key = None,
    workspace: options.WorkspaceDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Log an evaluation: stated in FILE, or computed from predictions with confidence intervals.

    `compliance reproduce EV` computes the figures again later, from the predictions that were attached.
    """
    from compliance.services.workspace import Workspace

    if (file is None) == (predictions is None):
        fail(
            "Give either FILE or --predictions.", "FILE holds metrics; --predictions names a CSV to compute them from."
        )
    own = {"plan": plan, "unit_of_analysis": unit}
    with Workspace.open(workspace) as ws:
        if predictions is None:
            given = {"model": model, "dataset": dataset, "title": title} | own
            told(from_file(ws, file, "evaluation", {k: v for k, v in given.items() if v is not None}, key), as_json)
            return
        if model is None or dataset is None:
            fail("--predictions needs --model and --dataset.", "Name both as NAME@VERSION.")
        columns: dict[str, Any] = {
            "positive": positive,
            "cluster": cluster,
            "time": time,
            "horizon": horizon,
            "measures": _measures(measure or []),
            "question": question,
            "k": k,
            "human": human,
            "scale": scale,
        }
        told(
            ws.log_evaluation(
                model=model,
                dataset=dataset,
                predictions=predictions,
                task=task,
                truth=truth,
                score=score,
                threshold=threshold,
                groups=group or [],
                columns=columns,
                title=title or f"{model} on {dataset}",
                **{name: value for name, value in own.items() if value},
                key=key,
            ),
            as_json,
        )


def _measures(texts: list[str]) -> dict[str, str]:
    """Read NAME=COL options. Refuses one without a sign between them."""
    measures = {}
    for text in texts:
        name, sign, column = text.partition("=")
        if not (name and sign and column):
            fail(f"--measure {text} names no column.", "Write --measure dice=COL.")
        measures[name] = column
    return measures
