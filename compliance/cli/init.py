"""`compliance init`: a workspace, with the profile that decides which requirements apply."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compliance.cli import options, output
from compliance.cli.edge import fail
from compliance.cli.findings import block

if TYPE_CHECKING:
    from compliance.core.consequences import Consequence, Fit
    from compliance.core.system import Profile

Words = list[str] | None


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make the workspace in.")] = Path(),
    system: Annotated[
        str | None, typer.Option(metavar="NAME", help="The AI system's name; its id is made from it.")
    ] = None,
    provider: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who is responsible for it: the manufacturer or provider.")
    ] = None,
    catalog: Annotated[
        Words, typer.Option(metavar="ID|FILE", help="Catalog that applies, or your own file in DIR; may be repeated.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the system's model (default: the system's id).")
    ] = None,
    purpose: Annotated[str | None, typer.Option(metavar="TEXT", help="Intended purpose, in a sentence.")] = None,
    role: Annotated[Words, typer.Option(metavar="ROLE", help="provider, manufacturer, deployer…; repeat.")] = None,
    market: Annotated[Words, typer.Option(metavar="MARKET", help="EU, US, UK, CH, other; may be repeated.")] = None,
    high_risk: Annotated[
        Words, typer.Option("--high-risk", metavar="ROUTE", help="annex-i, annex-iii, annex-iii-exempt, none; repeat.")
    ] = None,
    feature: Annotated[
        Words, typer.Option(metavar="FEATURE", help="talks-to-people, generates-content… or none; repeat.")
    ] = None,
    device_class: Annotated[
        str | None, typer.Option("--device-class", metavar="LAW:CLASS", help="MDR:IIa, IVDR:C; with the next option.")
    ] = None,
    notified_body: Annotated[
        bool | None,
        typer.Option("--notified-body/--no-notified-body", help="Whether that class needs a notified body."),
    ] = None,
    profile: Annotated[
        Words, typer.Option(metavar="KEY=VALUE", help="Any other key of [profile]: us.pathway=510(k), us.pccp=yes.")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the log, yours alone: a domain and path (default: PROVIDER/ID)."),
    ] = None,
    ledger: Annotated[
        str, typer.Option(metavar="URL", help="sqlite:/// or postgresql:// address of the ledger.")
    ] = "sqlite:///.compliance/ledger.db",
    mlflow: Annotated[
        str, typer.Option(metavar="URI", help="MLflow tracking URI of the mirror.")
    ] = "sqlite:///mlflow.db",
    passphrase_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with the pass phrase, inside DIR. For demonstrations only."),
    ] = None,
    demonstration: Annotated[bool, typer.Option("--demonstration", help="Mark every page as a demonstration.")] = False,
    workspace: Annotated[Path | None, typer.Option("--workspace", metavar="DIR", help="The same as DIR.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a workspace: compliance.toml, two key pairs, and a ledger that begins with its own keys.

    Without --system or --provider it asks, on a terminal, for these and for the profile, and proposes catalogs. What
    the profile means is printed row by row. A key of it that nobody answers is "not said": what hangs on it stays
    undetermined.
    """
    from compliance.core.system import System
    from compliance.services import answering, catalogs, own_catalogs
    from compliance.services.config import MLflowConfig
    from compliance.services.workspace import Workspace

    root = workspace or directory
    answers = _answers(purpose, role, market, high_risk, feature, device_class, notified_body, profile)
    asked = system is None or provider is None
    if asked:
        _must_be_a_terminal(as_json)
        from compliance.cli import ask

        system = system or ask.text("Name of the AI system")
        provider = provider or ask.text("Who is responsible for it: manufacturer or provider")
        answers = ask.profile(answers)
    said = answering.profile(answers)
    wanted = _asked_catalogs(said) if asked and not catalog else catalog or []
    for name in wanted:
        if not own_catalogs.is_file(name):
            catalogs.path_of(name)  # refuses an id that nobody knows, before anything is made
    identity = slug(str(system))
    with Workspace.create(
        root,
        system=System(
            id=identity,
            name=str(system),
            provider=str(provider),
            model=model or identity,
            catalogs=wanted,
            demonstration=demonstration,
        ),
        profile=said,
        origin=origin or f"{slug(str(provider)).lower()}/{identity.lower()}",
        ledger_url=ledger,
        mlflow=MLflowConfig(tracking_uri=mlflow),
        passphrase_file=str(passphrase_file) if passphrase_file else None,
    ) as ws:
        made: dict[str, Any] = {
            "workspace": str(ws.root),
            "system": identity,
            "log_key": ws.config.ledger.log_key,
            "genesis": ws.config.ledger.genesis,
        }
    follows = answering.follows(said, wanted) if answers else []
    if as_json:
        proposed = [fit.catalog for fit in answering.fitting(said) if fit.proposed] if answers else []
        output.result(made | {"consequences": [each.to_dict() for each in follows], "proposed": proposed})
        return
    output.put(f"Made a workspace for {system} in {made['workspace']}")
    output.put(f"  log key  {made['log_key']}")  # never wrapped: it is there to be copied
    output.put(f"  genesis  {made['genesis']}")
    if follows:
        _consequences(follows)
    output.say("Keep the log key somewhere else as well: it tells a rewritten ledger from this one.")
    if answers:
        _propose(said, wanted)
    else:
        output.say("Next: fill in [profile] of compliance.toml, then `compliance log record compliance.toml`.")


def _answers(
    purpose: str | None,
    role: Words,
    market: Words,
    high_risk: Words,
    feature: Words,
    device_class: str | None,
    notified_body: bool | None,
    more: Words,
) -> dict[str, Any]:
    """Return what the flags say of the profile, by dotted key."""
    from compliance.services import answering

    lists = {"roles": role, "markets": market, "high_risk": high_risk, "features": feature}
    answers: dict[str, Any] = {key: answering.listed(words) for key, words in lists.items() if words}
    if purpose:
        answers["intended_purpose"] = purpose
    if device_class:
        law, _, class_ = device_class.partition(":")
        answers |= {"device.law": law, "device.class": class_}
    if notified_body is not None:
        answers["device.notified_body"] = notified_body
    for text in more or ():
        key, value = answering.answer(text)
        if key in answers:
            fail(f"{key} is answered twice.", "Leave one of them out.")
        answers[key] = value
    return answers


def _must_be_a_terminal(as_json: bool) -> None:
    if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        fail(
            "A workspace needs the names of its system and of its provider.",
            "Give --system NAME and --provider NAME; on a terminal, `compliance init` asks for them and the profile.",
        )


def _asked_catalogs(said: "Profile") -> list[str]:
    """Show which catalogs fit and ask which to use."""
    from compliance.cli import ask
    from compliance.services import answering

    found = answering.fitting(said)
    output.say("\nCatalogs that reach such a system, and with how many rows:")
    for fit in found:
        if fit.proposed:
            output.say(f"  {fit.catalog}: {_rows(fit)}; {fit.title}")
    _hanging(found)
    output.say(f"Standards and frameworks to choose: {', '.join(fit.catalog for fit in found if fit.voluntary)}.")
    proposed = [fit.catalog for fit in found if fit.proposed]
    known = [fit.catalog for fit in found]
    while True:
        answer = ask.text("\nWhich ones, with commas", ",".join(proposed) or "none")
        chosen = [word.strip() for word in answer.split(",") if word.strip() and word.strip() != "none"]
        wrong = [name for name in chosen if name not in known]
        if not wrong:
            return chosen
        output.say(f"  There is no catalog {', '.join(wrong)}.")


def _consequences(follows: "list[Consequence]") -> None:
    """Print what the profile means, one duty a line, with the rows that say so."""
    output.heading("What the profile means, as the catalogs' rows say; check it before you sign anything by it")
    words = {True: "yes", False: "no", None: "open"}
    for each in follows:
        first, *others = each.requirements
        more = f" and {len(others)} more" if others else ""
        begins = f", from {each.binds_from}" if each.binds_from else ""
        why = f": {each.why}" if each.why else ""
        block(f"{words[each.reaches]}: {each.duty}{begins}{why} ({first}{more})", 2, 6)


def _propose(said: "Profile", wanted: list[str]) -> None:
    """Say which catalogs reach such a system and are not in use."""
    from compliance.services import answering

    found = [fit for fit in answering.fitting(said) if fit.catalog not in wanted]
    _hanging(found)
    fitting = [fit for fit in found if fit.proposed]
    if fitting:
        named = ", ".join(f"{fit.catalog} ({_rows(fit)})" for fit in fitting)
        output.say(f"Catalogs that reach such a system and are not in use: {named}.")
        output.say("Name those you want under [system] of compliance.toml; `compliance log record compliance.toml`.")


def _rows(fit: "Fit") -> str:
    reached = f"{fit.reaches} row{'s' if fit.reaches != 1 else ''}"
    return f"{reached}, {fit.open} more by answers not given" if fit.open else reached


def _hanging(found: "list[Fit]") -> None:
    if hanging := [fit.catalog for fit in found if fit.hangs]:
        output.say(f"May reach it, by answers that the profile does not give: {', '.join(hanging)}.")


def slug(text: str) -> str:
    """Return `text` as a name the product accepts: letters, digits, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._") or "system"
