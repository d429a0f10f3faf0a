"""The outermost edge: runs one command and words whatever went wrong, in one place.

Exit codes: 0 done · 1 checked, and it does not hold · 2 the command, or a file given to it, must
change · 3 the work could not be done; 130 after Ctrl-C and 141 for a reader who left, as shells have
it. A user's mistake never shows a traceback; a fault of ours shows one only with COMPLIANCE_DEBUG set.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer._click.exceptions import ClickException, NoArgsIsHelpError, UsageError  # typer exports only BadParameter

from compliance.cli import output
from compliance.errors import ComplianceError, InvalidInput, VerificationFailed

HELD, DOES_NOT_HOLD, MUST_CHANGE, COULD_NOT = 0, 1, 2, 3
INTERRUPTED, READER_LEFT = 130, 141


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    os.environ.setdefault("DO_NOT_TRACK", "true")  # heeded by MLflow and others, read when they are imported
    if not os.environ.get("COMPLIANCE_DEBUG"):
        warnings.simplefilter("ignore")  # a library's deprecations are no news to the user
    output.prepare()
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    from compliance.cli.commands import build

    as_json = "--json" in arguments
    try:
        try:
            with build().make_context("compliance", arguments) as context:
                context.command.invoke(context)
            sys.stdout.flush()
        except typer.Exit as stop:
            sys.stdout.flush()
            return stop.exit_code
        return HELD
    except NoArgsIsHelpError as error:
        output.say(error.format_message())
        return MUST_CHANGE
    except UsageError as error:
        return _usage(error, as_json)
    except ClickException as error:
        return _report("usage", error.format_message(), "", MUST_CHANGE, as_json)
    except ComplianceError as error:
        return _report(error.code, error.problem, error.remedy, _code(error), as_json)
    except KeyboardInterrupt:
        output.say("Interrupted. What was acknowledged is on record; nothing else was written.")
        return INTERRUPTED
    except BrokenPipeError:
        output.silence()
        return READER_LEFT
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _report("unavailable", f"{where}{error.strerror or error}.", _disk_remedy(error), COULD_NOT, as_json)
    except Exception as error:  # the one place for faults of our own: say so, and how to report it
        return _fault(error, as_json)


def _code(error: ComplianceError) -> int:
    if isinstance(error, InvalidInput):
        return MUST_CHANGE
    return DOES_NOT_HOLD if isinstance(error, VerificationFailed) else COULD_NOT


def _usage(error: UsageError, as_json: bool) -> int:
    path = error.ctx.command_path if error.ctx else "compliance"
    return _report("usage", error.format_message(), f"See `{path} --help`.", MUST_CHANGE, as_json)


def _report(code: str, problem: str, remedy: str, exit_code: int, as_json: bool) -> int:
    """Say what is wrong and what to do next; with --json also as the result."""
    try:
        if as_json:
            output.result({"error": {"code": code, "problem": problem, "remedy": remedy}})
        sys.stdout.flush()
    except OSError:  # stdout is what failed; stderr still says so
        output.silence()
    output.error(problem, remedy)
    return exit_code


def _disk_remedy(error: OSError) -> str:
    import errno

    remedies: dict[int | None, str] = {
        errno.ENOSPC: "The disk is full: make room, then run the command again.",
        errno.EROFS: "The disk is read-only: mount it writable, or use a workspace elsewhere.",
        errno.EACCES: "Check the permissions of the file and of its folder.",
    }
    return remedies.get(error.errno, "Check the path, its permissions and the disk.")


def _fault(error: Exception, as_json: bool) -> int:
    if os.environ.get("COMPLIANCE_DEBUG"):
        import traceback

        traceback.print_exception(error)
    return _report(
        "fault",
        f"A fault in Compliance Tracker, not in what you did: {type(error).__name__}: {error}",
        "Run the command again with COMPLIANCE_DEBUG=1 and report what it prints, without confidential content.",
        COULD_NOT,
        as_json,
    )


def fail(problem: str, remedy: str = "", **facts: Any) -> NoReturn:
    """Refuse the combination of options that a command was given."""
    raise InvalidInput(problem, remedy=remedy, **facts)
