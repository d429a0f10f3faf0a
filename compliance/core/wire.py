"""The fixed words of the wire format: type URIs, media type, evidence numbers.

Kept apart from `evidence`, which needs pydantic, so that verification stays quick to start.
"""

import re

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATES = "https://w3id.org/compliance-tracker/evidence/"

EVIDENCE_NUMBER = re.compile(r"EV-([0-9]{6,15})")
_MEANT = re.compile(r"EV-([0-9]{1,15})")


def predicate_type(kind: str) -> str:
    """Return the predicate type URI of a kind."""
    return f"{PREDICATES}{kind}/v1"


def kind_of(predicate_type: str) -> str | None:
    """Return our kind behind a predicate type URI, or None where the type is somebody else's."""
    if predicate_type.startswith(PREDICATES) and predicate_type.endswith("/v1"):
        return predicate_type.removeprefix(PREDICATES).removesuffix("/v1")
    return None


def evidence_number(index: int) -> str:
    """Return the printed number of the ledger's leaf `index`: 17 -> EV-000017."""
    return f"EV-{index:06d}"


def evidence_index(number: str) -> int | None:
    """Return the index behind a printed number, or None where the text is none."""
    match = EVIDENCE_NUMBER.fullmatch(number)
    return int(match[1]) if match else None


def meant_index(number: str) -> int | None:
    """Return the index that a person means: EV-000017 and EV-17 are 17; None for what is no number."""
    match = _MEANT.fullmatch(number)
    return int(match[1]) if match else None
