'''Results of other tools, read from their files: one small module per tool, recognised by content and never by name.

How to add a tool
-----------------
1. Write `compliance/importers/<tool>.py` with one `IMPORTER` (or several, where one family has several formats):

       """<Tool>: what its file is, what becomes of it, what is easily read wrong."""

       def _recognise(source: Source) -> bool:
           return isinstance(source.json, dict) and {"evalId", "results"} <= source.json.keys()

       def _read(source: Source, given: Given) -> Reading:
           data = mapping(source.json, "the file")
           rows = Rows()
           rows.add("accuracy", data["score"], n=count(data["n"]))
           return Reading(
               records=[{"kind": "evaluation", "title": "promptfoo: …", "benchmark": {"name": "…"},
                         "metrics": rows.rows, "gaps": rows.gaps}],
               tool_version=data.get("version"), started_at=utc(data.get("timestamp")), model=data.get("model"),
               gaps=["2 of 10 tests ended in an error"], withheld="10 prompts with answers", notes=rows.notes(),
           )

       IMPORTER = Importer("promptfoo", _recognise, _read, marks=((b'"evalId"', b'"results"'),))

2. Add one line to `_OURS` below, a genuine small sample under tests/importers/samples with the command that made it,
   a test, and a row in docs/reference/importers.md. Other packages use the entry point group `compliance.importers`
   (name = tool, value = module:IMPORTER).

What an importer gets: a `Source` (importers.source) whose views `json`, `lines` (one JSON value a line), `xml`,
`front` (YAML front matter), `yaml`, `table` (CSV), `archive` (zip, Zstandard too) and, of a folder, `files` are parsed
once, under the limits of DESIGN section 11.9, and None where the bytes have another shape. JSON fractions are Decimals
in the digits of the file; NaN and infinity are floats. And `Given`: what the user said because the file cannot.

What it returns: a `Reading` (importers.base). Its records are authored as for `services.record.log`, without model,
dataset and plan; those the service adds. What `importers.base.read` does for every tool: completeness from `gaps`;
tool, version, times and the model's name in the file; the summary, with what is not stated; the original attached,
`restricted` where rows are withheld; `unreadable` with the original kept for content of the wrong shape; `--kind`.

Rules: read the file, never import the tool, never open an address in it. Decide what is missing before any figure:
a limit, an error, a dropped case, a missing end, NaN, `invalidated` is a gap, and no gap is ever a pass. Figures in
their digits (`values.number`), times in UTC or not at all (`values.utc`), directions from the file or from
`importers.metrics`; what the file cannot say is asked for by name (`NotSaidError`), never guessed. No prompt, answer
or example row enters a record.
'''

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from compliance.errors import InvalidInput
from compliance.importers.base import (
    Given,
    Importer,
    NotSaidError,
    Reading,
    Taken,
    UnreadableError,
    damaged,
    read,
    unreadable,
)
from compliance.importers.source import Source

__all__ = [
    "Given",
    "Importer",
    "NotSaidError",
    "Reading",
    "Source",
    "Taken",
    "UnreadableError",
    "damaged",
    "importers",
    "read",
    "recognise",
    "unreadable",
]

GROUP = "compliance.importers"

_OURS = (
    "inspect_ai:IMPORTER",
    "lm_eval:IMPORTER",
    "lm_eval:SAMPLES",
    "helm:IMPORTER",
    "helm:PART",
    "every_eval_ever:IMPORTER",
    "garak:IMPORTER",
    "moonshot:IMPORTER",
    "aiverify:IMPORTER",
    "great_expectations:IMPORTER",
    "great_expectations:OTHER",
    "croissant:IMPORTER",
    "chai:IMPORTER",
    "cyclonedx:IMPORTER",
    "cyclonedx:XML",
    "spdx:IMPORTER",
    "syft:IMPORTER",
    "pip_audit:IMPORTER",
    "sarif:IMPORTER",
    "junit:IMPORTER",
    "hugging_face:IMPORTER",
    "hugging_face:RESULTS",
    "scikit_learn:IMPORTER",
    "scikit_learn:TEXT",
    "scikit_learn:FRAME",
    "scikit_learn:CURVE",
    "scikit_learn:PREDICTIONS",
    "promptfoo:IMPORTER",
    "promptfoo:PAGE",
    "pyrit:IMPORTER",
    "giskard:SCAN",
    "giskard:SUITE",
    "healthbench:IMPORTER",
    "openai_evals:IMPORTER",
    "fairlearn:IMPORTER",
    "fairlearn:DISPARITIES",
    "fairlearn:ALIKE",
    "aif360:IMPORTER",
    "holistic_ai:IMPORTER",
    "deepchecks:IMPORTER",
    "evidently:IMPORTER",
    "nannyml:IMPORTER",
    "nnunet:IMPORTER",
    "monai:IMPORTER",
    "coverage:IMPORTER",
    "oscal:IMPORTER",
    "mlflow_evaluation:IMPORTER",
)
"""`module:name`, asked in this order; the first that recognises a file reads it."""


@cache
def importers() -> tuple[Importer, ...]:
    """Return all importers, ours first. Raises InvalidInput for a package whose importer cannot be loaded."""
    found: list[Importer] = []
    for target in _OURS:
        module, _, name = target.partition(":")
        found.append(getattr(import_module(f"{__name__}.{module}"), name))
    for entry in entry_points(group=GROUP):
        try:
            found.append(entry.load())
        except (ImportError, AttributeError) as error:
            raise InvalidInput(
                f"The importer {entry.name} comes from {entry.value}, which cannot be loaded: {error}.",
                remedy="Mend or uninstall the package that brings it.",
            ) from error
    return tuple(found)


def recognise(source: Source) -> Importer | None:
    """Return the importer of the tool whose content this is, or None."""
    return next((one for one in importers() if one.recognise(source)), None)
