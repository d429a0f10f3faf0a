"""The table of commands, and how one is found and imported only when it is asked for.

The table is the one place that knows every command: the help, the reference page under
docs/ and the tests read it. Typer builds each command from its function's signature.
"""

import importlib
from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from compliance.cli.plain import simplify


class Entry(NamedTuple):
    """One line of the table."""

    target: str
    """`module:function` under compliance.cli; empty for a group."""
    help: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("init:init", "Make a workspace: compliance.toml, keys, ledger."),
    "log": Entry("", "Log evidence: validate, sign, append, mirror to MLflow."),
    "log model": Entry("log:model", "Digest a model file or folder and log it."),
    "log dataset": Entry("log:dataset", "Digest and profile a dataset and log it."),
    "log evaluation": Entry("log_evaluation:evaluation", "Log an evaluation from a file or from predictions."),
    "log safety": Entry("log:safety", "Log safety results from a file."),
    "log sbom": Entry("log:sbom", "Log the bill of materials of a model's environment."),
    "log record": Entry("log:record", "Log every record of one or more files."),
    "import": Entry("import_:import_", "Recognise and log other tools' results."),
    "capture": Entry("capture:capture", "Make evidence of what MLflow holds."),
    "dataset": Entry("", "Work with datasets on record."),
    "dataset compare": Entry("dataset:compare", "Measure the overlap of two datasets by their fingerprints."),
    "dataset propose": Entry("dataset:propose", "Propose expectations from what the data show."),
    "list": Entry("browse:list_", "List the evidence on record."),
    "show": Entry("browse:show", "Show one piece of evidence."),
    "reproduce": Entry("reproduce:reproduce", "Compute the figures of evidence again from its own bytes."),
    "lineage": Entry("browse:lineage", "Show what a model came from and what was built on it."),
    "status": Entry("status:status", "Show the findings and what to do next."),
    "gate": Entry("gate:gate", "Say whether a model version may be released: exit 0 or 1."),
    "approve": Entry("acts:approve", "Sign an approval of evidence or of a dossier."),
    "determine": Entry("acts:determine", "Sign a decision about requirements."),
    "revoke": Entry("acts:revoke", "Withdraw a piece of evidence, with a reason."),
    "verify": Entry("verify:verify", "Check every signature, digest and proof; offline."),
    "dossier": Entry("", "Compile and check dossiers."),
    "dossier list": Entry("dossier:list_", "List the dossiers that can be built."),
    "dossier build": Entry("dossier:build", "Compile a dossier: PDF, HTML, JSON and bundle."),
    "dossier check": Entry("dossier:check", "Check a dossier file by the rules for its kind."),
    "portal": Entry("portal:portal", "Serve the read-only portal for auditors."),
    "grant": Entry("", "Give an auditor permission to read."),
    "grant create": Entry("grant:create", "Make a link that lets one person read, for a while."),
    "grant list": Entry("grant:list_", "List the grants."),
    "grant revoke": Entry("grant:revoke", "End a grant now."),
    "key": Entry("", "Make, register and retire signing keys."),
    "key create": Entry("key:create", "Make a key pair."),
    "key list": Entry("key:list_", "List the keys that the ledger knows."),
    "key trust": Entry("key:trust", "Register a public key: holder, roles, validity."),
    "key rotate": Entry("key:rotate", "Replace a key by a new one."),
    "key revoke": Entry("key:revoke", "Withdraw a key, with a reason."),
    "catalog": Entry("", "Read the catalogs of requirements."),
    "catalog list": Entry("catalog:list_", "List the catalogs."),
    "catalog show": Entry("catalog:show", "Show a catalog's requirements."),
    "catalog check": Entry("catalog:check", "Check a catalog file, or all at hand; count."),
    "catalog diff": Entry("catalog:diff", "Say what a new text of a catalog changes."),
    "export": Entry("export:export", "Write requirements and findings in other people's formats: OSCAL."),
    "schema": Entry("", "Read the JSON Schemas of evidence."),
    "schema list": Entry("schema:list_", "List the kinds of evidence and their schemas."),
    "schema export": Entry("schema:export", "Write the generated schemas into a folder."),
    "sync": Entry("mirror:sync", "Complete and mend the mirror in MLflow."),
    "rebuild": Entry("mirror:rebuild", "Rebuild a lost ledger from MLflow and prove it whole."),
    "doctor": Entry("doctor:doctor", "Check this machine and this workspace, with remedies."),
    "demo": Entry("demo:demo", "Run two example systems end to end."),
}


class Commands(TyperGroup):
    """A group that imports a command when it is asked for, and lists them all without importing any."""

    path = ""
    """The group's own path in the table: empty at the top, `log` for `compliance log`."""

    def list_commands(self, ctx: object) -> list[str]:
        return [name for name, _ in children(self.path)]

    def get_command(self, ctx: object, cmd_name: str) -> Any:
        path = f"{self.path} {cmd_name}".strip()
        if path not in COMMANDS or cmd_name not in self.list_commands(ctx):
            return None
        return build(path)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            nearest = get_close_matches(args[0], known, 1)
            ctx.fail(f"No such command: {args[0]}." + (f" Did you mean {nearest[0]}?" if nearest else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: object, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in children(self.path)])


def children(path: str) -> list[tuple[str, Entry]]:
    """Return the commands directly under a group, in the table's order."""
    prefix = f"{path} " if path else ""
    names = ((full.removeprefix(prefix), entry) for full, entry in COMMANDS.items() if full.startswith(prefix))
    return [(name, entry) for name, entry in names if name and " " not in name]


def build(path: str = "") -> Any:
    """Return the command, or group of commands, at a path of the table."""
    app = typer.Typer(
        name=path.rpartition(" ")[2] or "compliance",
        cls=Commands,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    entry = COMMANDS.get(path)
    if entry is None:
        app.callback()(_top)
    elif not entry.target:
        app.callback(help=entry.help)(_group)
    else:
        app.command(path.rpartition(" ")[2])(function(entry))
    command = typer.main.get_command(app)
    simplify(command)
    if isinstance(command, Commands):
        command.path = path
    return command


def function(entry: Entry) -> Callable[..., None]:
    """Import and return the function behind a command."""
    module, _, name = entry.target.partition(":")
    found: Callable[..., None] = getattr(importlib.import_module(f"compliance.cli.{module}"), name)
    return found


def _version(wanted: bool) -> None:
    if wanted:
        from compliance import __version__

        typer.echo(f"compliance {__version__}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Signed evidence about AI systems: log it, verify it, assess it, compile it into dossiers.

    Exit codes: 0 done, 1 checked and it does not hold, 2 the command or a file given to it must change,
    3 the work could not be done.
    """


def _group() -> None:
    """A group has no options of its own."""
