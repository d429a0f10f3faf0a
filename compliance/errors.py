"""Every error raised on purpose, as one tree; each says what is wrong and what to do next.

    ComplianceError
    ├── InvalidInput         the command, or a file given to it, must change
    │   ├── UnknownReference   a name that the ledger cannot resolve
    │   └── Conflict           another digest, role or record stands under this name already
    ├── VerificationFailed   we checked, and it does not hold
    │   └── BadSignature       no trusted key signed these bytes
    └── Unavailable          the work could not be done: disk, database, lock, pass phrase, server

Errors know nothing of exit codes or terminals; `compliance.cli` words them.
"""

from typing import ClassVar


class ComplianceError(Exception):
    """Base of all: `problem` in the reader's words, `remedy` to try next, `facts` for programs."""

    code: ClassVar[str] = "error"

    def __init__(self, problem: str, *, remedy: str = "", **facts: object) -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.facts = problem, remedy, facts


class InvalidInput(ComplianceError):
    """The command, or a file given to it, must change."""

    code = "invalid-input"


class UnknownReference(InvalidInput):
    """A name or number that nothing on record answers to."""

    code = "unknown-reference"


class Conflict(InvalidInput):
    """It contradicts what is on record, and the record stays."""

    code = "conflict"


class VerificationFailed(ComplianceError):
    """We checked, and it is not what it claims to be."""

    code = "verification-failed"


class BadSignature(VerificationFailed):
    """No trusted key signed exactly these bytes."""

    code = "bad-signature"


class Unavailable(ComplianceError):
    """The work could not be done: disk, database, lock, pass phrase, server."""

    code = "unavailable"
