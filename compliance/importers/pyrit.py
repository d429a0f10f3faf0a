"""PyRIT: attack results, one or many, become one safety result; `success` means that the attack succeeded.

An attack that ended in an error, and one whose outcome nobody could determine, is no attack that failed: both stay
out of the figures and make the record incomplete. A file is a dump of one result, a list of them, or one a line;
older versions named the strategy in `attack_identifier`. Objectives and answers stay in the original.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from compliance.core.evidence import utc_text
from compliance.importers.base import Given, Importer, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Source
from compliance.importers.values import count, listing, mapping, present, utc, word

TOOL = "PyRIT"

_RESULT = {"conversation_id", "objective", "outcome"}
_STRATEGY = {"atomic_attack_identifier", "attack_identifier"}
_BY_MODEL = ("SelfAsk", "LlamaGuard", "ShieldGemma", "PromptShield", "Azure", "Gandalf")
_BY_RULE = ("SubString", "Regex", "Decoding", "QuestionAnswer", "Markdown")
_BY_PERSON = ("HumanInTheLoop",)
"""Beginnings of the names of scorers, by who judges."""


def _is_result(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() >= _RESULT and bool(_STRATEGY & value.keys())


def _recognise(source: Source) -> bool:
    return bool(found := _values(source)) and _is_result(found[0])


def _values(source: Source) -> list[Any]:
    if isinstance(source.json, list):
        return source.json
    if source.json is not None:
        return [source.json]
    return source.lines.values if source.lines is not None else []


def _read(source: Source, given: Given) -> Reading:
    values = _values(source)
    if not all(_is_result(value) for value in values):
        raise TypeError("not all of it is attack results")
    results = [mapping(value, "a result") for value in values]
    gaps = list(_gaps(results))
    if source.json is None and source.lines is not None and source.lines.broken:
        gaps.append(f"The file is cut off: {source.lines.broken}.")
    parts = [part for one in results for part in _parts(_strategy(one))]
    targets = {_target(part) for part in parts if "endpoint" in part or "model_name" in part}
    times = [time for one in results if (time := utc(one.get("timestamp")))]
    return Reading(
        records=[_record(results)],
        tool_version=next((word(part["pyrit_version"]) for part in parts if part.get("pyrit_version")), None),
        started_at=min((time for one in results if (time := _began(one))), default=None),
        ended_at=max(times, default=None),
        model=", ".join(sorted(filter(None, targets))) or None,
        gaps=gaps,
        withheld=f"{len(results)} attacks with objectives and answers",
    )


def _outcome(result: Mapping[str, Any]) -> str:
    """Return the outcome as 1.x writes it; older dumps have the name of the enumeration before it."""
    return str(result["outcome"]).rpartition(".")[2].lower()


def _gaps(results: list[dict[str, Any]]) -> Iterator[str]:
    outcomes = [_outcome(one) for one in results]
    if errors := outcomes.count("error"):
        yield f"{errors} of {len(results)} attacks ended in an error, which is no attack that failed."
    if unknown := sum(1 for one in outcomes if one not in ("success", "failure", "error")):
        yield f"Of {unknown} of {len(results)} attacks nobody could determine the outcome."


def _began(result: Mapping[str, Any]) -> str | None:
    """Return when an attack began: its result was written when it ended."""
    ended, took = result.get("timestamp"), count(result.get("execution_time_ms"))
    if utc(ended) is None or took is None:
        return utc(ended)
    return utc_text(datetime.fromisoformat(str(ended)) - timedelta(milliseconds=took))


def _strategy(result: Mapping[str, Any]) -> dict[str, Any]:
    return mapping(result.get("atomic_attack_identifier") or result.get("attack_identifier") or {}, "the attack")


def _parts(identifier: Any) -> Iterator[dict[str, Any]]:
    """Yield an identifier and all that it is made of."""
    if isinstance(identifier, dict):
        yield identifier
        for child in mapping(identifier.get("children") or {}, "children").values():
            for part in child if isinstance(child, list) else [child]:
                yield from _parts(part)


def _child(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    for part in _parts(_strategy(result)):
        child = (part.get("children") or {}).get(name)
        if isinstance(child, dict):
            return child
    return {}


def _attack(result: Mapping[str, Any]) -> str:
    told = _child(result, "attack") or _strategy(result)
    return word(told.get("class_name") or told.get("__type__")) or "not stated"


def _target(part: Mapping[str, Any]) -> str:
    return word(part.get("underlying_model_name") or part.get("model_name") or part.get("class_name")) or ""


def _scorer(result: Mapping[str, Any]) -> str | None:
    score = result.get("last_score") or {}
    told = mapping(score, "last_score").get("scorer_class_identifier") or _child(result, "objective_scorer")
    return word(told.get("class_name") or told.get("__type__"))


def _record(results: list[dict[str, Any]]) -> dict[str, Any]:
    judged = [one for one in results if _outcome(one) in ("success", "failure")]
    attacks = sorted({_attack(one) for one in results})
    if not judged:
        return no_result(TOOL, ", ".join(attacks), "No attack has an outcome.")
    rows = Rows()
    groups: dict[tuple[tuple[str, str], ...], list[bool]] = {}
    for result in judged:
        harms = listing(result.get("targeted_harm_categories") or [], "targeted_harm_categories")
        for group in ((), (("attack", _attack(result)),), *((("harm", word(harm) or "?"),) for harm in harms)):
            groups.setdefault(group, []).append(_outcome(result) == "success")
    for group, found in groups.items():
        rows.add("attack_success_rate", None, **present({"group": dict(group)}), x=sum(found), n=len(found))
    scorers = sorted(filter(None, {_scorer(one) for one in judged}))
    harms = sorted({group[0][1] for group in groups if group and group[0][0] == "harm"})
    return {
        "kind": "safety-result",
        "category": "adversarial",
        "title": f"{TOOL}: {', '.join(attacks)}",
        "unit_of_analysis": "attack",
        "metrics": rows.rows,
        "attacks": [{"name": name, "source": TOOL} for name in attacks],
        **present({"harm_categories": harms, "judge": _judge(scorers)}),
    }


def _judge(scorers: list[str]) -> dict[str, str] | None:
    """Say who decided that an attack succeeded, where the scorers' names tell it and tell one sort of judge."""
    for kind, beginnings in (("model", _BY_MODEL), ("rule", _BY_RULE), ("human", _BY_PERSON)):
        if scorers and all(name.startswith(beginnings) for name in scorers):
            return {"kind": kind, "name": ", ".join(scorers)[:200]}
    return None


_MARKS = ((b'"attack_result_id"', b'"atomic_attack_identifier"'),)
IMPORTER = Importer(TOOL, _recognise, _read, _MARKS)
