"""Findings on the screen: the table by catalog, and long lists grouped so that one can read them."""

import shutil
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from compliance.cli import output
from compliance.cli.edge import fail

if TYPE_CHECKING:
    from compliance.core.findings import Assessment, Finding

SHORT = {
    "met": "met",
    "partial": "partial",
    "insufficient": "insuff.",
    "stale": "stale",
    "undetermined": "undet.",
    "gap": "gap",
    "failed": "failed",
    "not-applicable": "n/a",
}
"""Every finding, in the table's order, with a heading that lets eight of them stand beside a catalog's id."""
URGENT_FIRST = ("failed", "stale", "insufficient", "partial", "gap", "undetermined", "met", "not-applicable")
WIDTH = 80
"""Where no terminal says otherwise."""


def check_words(words: Iterable[str]) -> None:
    """Refuse a word that is no finding."""
    for word in words:
        if word not in SHORT:
            fail(f"{word} is no finding.", f"Choose among {', '.join(SHORT)}.")


def title(assessment: "Assessment") -> str:
    about = assessment.model.name if assessment.model else "no model version on record"
    return f"{assessment.system}: {about}, as of {assessment.as_of}"


def notes(assessment: "Assessment", *, but: str = "") -> None:
    """Print what on record does not agree: no finding, and nothing that a policy could excuse."""
    for note in assessment.notes:
        if note.topic != but:
            block(f"Note: {note.text}", 0)


def uncovered(things: "Sequence[Mapping[str, str]]") -> None:
    """Print what of MLflow's has no evidence, each with what to do about it."""
    from compliance.core.completeness import remedy, state

    for thing in things:
        block(f"{thing['what']} {thing['name']}: {state(thing)}", 2)
        command(remedy(thing), 6)


def table(assessment: "Assessment") -> None:
    """Print how many requirements of each catalog have each finding; catalogs are rows, so that many fit."""
    tally = Counter((finding.catalog, finding.finding.value) for finding in assessment.findings)
    catalogs = dict.fromkeys(finding.catalog for finding in assessment.findings)
    rows = [(catalog, *(tally[catalog, word] for word in SHORT)) for catalog in catalogs]
    if len(rows) > 1:
        rows.append(("all", *(assessment.counts[word] for word in SHORT)))
    output.table(("catalog", *SHORT.values()), rows, colours=("", *SHORT))


def said(counts: "Counter[str] | dict[str, int]") -> str:
    """Return counts in full words, most urgent first, zeros left out."""
    return ", ".join(f"{counts[word]} {word}" for word in URGENT_FIRST if counts.get(word))


def grouped(findings: "Sequence[Finding]", *, questions: bool = True) -> None:
    """Print findings by word and catalog, rows that have the same reason together.

    Without `questions`, rows that only wait for a person's answer are counted, not listed.
    """
    parts: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        parts[finding.finding.value, finding.catalog].append(finding)
    for word in URGENT_FIRST:
        for (of, catalog), rows in parts.items():
            if of == word:
                output.heading(f"{word}: {catalog}, {len(rows)}", colour=word)
                _rows(rows, questions)


def _rows(findings: "Sequence[Finding]", questions: bool) -> None:
    waiting = [f for f in findings if f.ask_open and f.finding.value == "undetermined"]
    listed = findings if questions else [f for f in findings if f not in waiting]
    alike: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for finding in listed:
        alike[finding.reason, _drawn(finding), _when(finding)].append(finding.requirement.id)
    for (reason, drawn, when), requirements in alike.items():
        block(f"{', '.join(requirements)}{when}", 2)
        block(reason, 6)
        if drawn:
            block(drawn, 6)
    if not questions and waiting:
        questions_of = f"compliance status --finding undetermined --catalog {waiting[0].catalog} --all"
        block(f"{len(waiting)} questions that a person answers; `{questions_of}`.", 2)


def one(finding: "Finding") -> None:
    """Print one finding in full: the rule that decided, each need, the evidence on both sides, what is missing."""
    from compliance.services import catalog_fields

    row = finding.requirement
    output.heading(f"{row.id}: {finding.finding}", colour=finding.finding.value)
    block(row.text, 2)
    output.put()
    pairs = [
        ("why", finding.reason),
        ("by the rule", finding.rule.value),
        ("missing", "" if finding.missing == finding.reason else finding.missing),
        ("note", "\n".join(finding.flags)),
        ("status", row.status),
        ("binds", "on this day" if finding.binding else _later(finding)),
        ("evidence", " ".join(finding.evidence)),
        (_other_side(finding).rstrip(":"), " ".join(finding.against)),
        ("carried over", " ".join(finding.carried)),
        ("to decide", row.ask or "" if finding.ask_open else ""),
    ]
    output.fields([(name, value) for name, value in pairs if value], indent=2)
    kinds = {need.id: need.kind for need in row.needs}
    for need in finding.needs:
        output.put()
        output.put(f"  need {need.need}: {need.verdict}")
        block(need.reason, 6)
        if need.field:
            told = catalog_fields.described(kinds[need.need], need.field)
            block(f"{need.field} of a {kinds[need.need]} record{': ' if told else ''}{told}", 6)
        for flag in need.flags:
            block(f"Note: {flag}", 6)
        if need.next:
            command(need.next, 6)
    weighed = {need.need for need in finding.needs}
    applies = finding.finding.value != "not-applicable"
    for unasked in (need for need in row.needs if applies and need.each and need.id not in weighed):
        output.put()
        output.put(f"  need {unasked.id}: not asked")
        block(f"It is asked of each {unasked.kind} of its sort, and none is on record.", 6)


def _other_side(finding: "Finding") -> str:
    """Name what does not speak for the row: it shows the contrary, or it cannot carry the claim."""
    return "against" if finding.finding.value == "failed" else "cannot carry it:"


def _later(finding: "Finding") -> str:
    return f"from {finding.applies_from}" if finding.applies_from else "nobody, by itself"


def _drawn(finding: "Finding") -> str:
    """Say on what a finding rests, on both sides, and what a reviewer should see beside it."""
    sides = (("for", finding.evidence), (_other_side(finding), finding.against), ("carried over", finding.carried))
    told = [f"{word} {' '.join(numbers)}" for word, numbers in sides if numbers]
    return "; ".join([*told, *finding.flags])


def _when(finding: "Finding") -> str:
    """Say from when a row binds that does not yet."""
    return f" (from {finding.applies_from})" if finding.applies_from and not finding.binding else ""


def block(text: str, indent: int, rest: int | None = None) -> None:
    """Print a paragraph, wrapped to the terminal; whole in a pipe, where programs look for it."""
    for part in _wrapped(text, indent, indent if rest is None else rest, _width()):
        output.put(part)


def command(text: str, indent: int) -> None:
    """Print a command, wrapped so that a shell still takes it as one."""
    *parts, last = _wrapped(text, indent, indent + 4, _width() - 2)
    for part in parts:
        output.put(f"{part} \\")
    output.put(last)


def _width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else 10**6


def _wrapped(text: str, first: int, rest: int, width: int) -> list[str]:
    return textwrap.wrap(
        output.line(text),
        width,
        initial_indent=" " * first,
        subsequent_indent=" " * rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
