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
   (name = tool, value = module:IMPORTER); they are asked, and loaded, only about what none of ours recognises.

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

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from compliance.importers.base import (
    BrokenImporterError,
    Given,
    Importer,
    NotSaidError,
    Reading,
    Taken,
    UnreadableError,
    read,
    unreadable,
)
from compliance.importers.source import Source

__all__ = [
    "BrokenImporterError",
    "Given",
    "Importer",
    "NotSaidError",
    "Reading",
    "Source",
    "Taken",
    "UnreadableError",
    "importers",
    "read",
    "recognise",
    "unreadable",
    "whose",
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
    "spdx:OTHER",
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
def _ours() -> tuple[Importer, ...]:
    targets = (target.partition(":") for target in _OURS)
    return tuple(getattr(import_module(f"{__name__}.{module}"), name) for module, _, name in targets)


@cache
def _others() -> tuple[Importer, ...]:
    """Return the importers of other packages. Raises BrokenImporterError for one that cannot be loaded."""
    found = []
    for entry in entry_points(group=GROUP):
        try:
            one = entry.load()
        except Exception as error:
            raise BrokenImporterError(entry.name, f"{entry.value} cannot be loaded", error) from error
        if not isinstance(one, Importer):
            raise BrokenImporterError(entry.name, f"{entry.value} is no Importer")
        found.append(one)
    return tuple(found)


def importers() -> tuple[Importer, ...]:
    """Return all importers, ours first. Raises BrokenImporterError for a package's that cannot be loaded."""
    return (*_ours(), *_others())


def recognise(source: Source) -> Importer | None:
    """Return the importer of the tool whose content this is, or None. Raises BrokenImporterError."""
    return _first(source, Importer.recognises)


def whose(source: Source) -> Importer | None:
    """Return the importer whose marks stand in a file that no recogniser can parse, or None."""
    return _first(source, Importer.betrayed_by) if source.problem is not None else None


def _first(source: Source, asked: Callable[[Importer, Source], bool]) -> Importer | None:
    for some in (_ours, _others):
        if found := next((one for one in some() if asked(one, source)), None):
            return found
    return None
