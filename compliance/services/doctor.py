"""Look at the machine and the workspace before they disappoint: one check, one state, one remedy.

Changes nothing and needs no workspace: without one it checks the machine alone.
"""

import ctypes.util
import importlib.metadata
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from compliance.errors import ComplianceError
from compliance.storage import assets

if TYPE_CHECKING:
    from compliance.services.workspace import Workspace

State = Literal["ok", "warning", "problem"]
_LIBRARIES = {
    "pango-1.0": "libpango-1.0-0",
    "pangoft2-1.0": "libpangoft2-1.0-0",
    "harfbuzz-subset": "libharfbuzz-subset0",
}
_PACKAGES = ("mlflow", "great-expectations", "weasyprint", "cryptography", "pydantic", "sqlmodel")
_ROOM = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(start: Path | None = None) -> list[Check]:
    """Check the machine, and the workspace at or above `start` (default: the current folder) if there is one."""
    from compliance.services import config
    from compliance.services.workspace import Workspace

    checks = [*_machine()]
    try:
        root = config.find(start or Path.cwd())
    except ComplianceError as error:
        if start is not None:
            return [*checks, Check("workspace", "problem", error.problem, error.remedy)]
        return [*checks, Check("workspace", "warning", "none here; only the machine was checked", error.remedy)]
    try:
        with Workspace.open(root, read_only=True) as ws:
            checks += _workspace(ws)
    except ComplianceError as error:
        checks.append(Check("workspace", "problem", error.problem, error.remedy))
    return checks


def _machine() -> Iterator[Check]:
    version = platform.python_version()
    supported = (3, 11) <= sys.version_info[:2] < (3, 14)
    yield Check(
        "python", "ok" if supported else "problem", version, "" if supported else "Use Python 3.11, 3.12 or 3.13."
    )
    absent = [package for package in _PACKAGES if not _installed(package)]
    yield Check(
        "packages",
        "problem" if absent else "ok",
        f"missing: {', '.join(absent)}" if absent else ", ".join(f"{p} {_installed(p)}" for p in _PACKAGES),
        "Run `make setup`, or reinstall compliance-tracker with its dependencies." if absent else "",
    )
    lacking = [package for library, package in _LIBRARIES.items() if not ctypes.util.find_library(library)]
    yield Check(
        "libraries for PDF",
        "problem" if lacking else "ok",
        f"missing: {', '.join(lacking)}" if lacking else "pango and harfbuzz found",
        f"apt-get install {' '.join(lacking)}" if lacking else "",
    )
    fonts = sorted(path.name for path in (assets.folder("templates") / "fonts").glob("*.[to]tf"))
    yield Check(
        "fonts",
        "ok" if fonts else "problem",
        f"{len(fonts)} font files ship with the templates" if fonts else "the templates' fonts are missing",
        "" if fonts else "Reinstall compliance-tracker: a dossier names its fonts by file.",
    )
    yield _clock()


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _clock() -> Check:
    """A clock before this program was made is wrong for certain; other errors only later evidence can show."""
    made = Path(__file__).stat().st_mtime
    if time.time() < made - 86_400:
        return Check("clock", "problem", "the clock stands before this program was installed", "Set the system's time.")
    return Check("clock", "ok", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


def _workspace(ws: "Workspace") -> Iterator[Check]:
    yield Check("workspace", "ok", str(ws.root))
    size = ws.ledger.size
    yield Check("ledger", "ok", f"{size} entries, {ws.config.ledger.url.partition(':')[0]}")
    yield _order(ws)
    yield from _keys(ws)
    yield _admins(ws)
    yield _room(ws)
    yield _description(ws)
    yield _mirror(ws)
    yield _moved(ws)
    yield _reachable(ws)


def _order(ws: "Workspace") -> Check:
    """Entries cannot be newer than now: the ledger refuses to go back, so it would stand still until then."""
    size = ws.ledger.size
    last = ws.ledger.entry(size - 1).logged_at if size else ""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if last > now:
        return Check(
            "ledger's clock",
            "warning",
            f"the newest entry is of {last}, later than this machine's {now}",
            "Set the system's time; until then new entries are dated like the newest one.",
        )
    return Check("ledger's clock", "ok", f"newest entry {last}")


def _keys(ws: "Workspace") -> Iterator[Check]:
    from compliance.services.workspace import KEYS

    folder = ws.root / KEYS
    private = sorted(folder.glob("*.pem"))
    open_to_others = [path.name for path in private if path.stat().st_mode & 0o077]
    if not private:
        yield Check(
            "keys", "warning", "no private key here: this workspace can be read, not written", "Fine for a copy."
        )
    elif open_to_others:
        remedy = f"chmod 600 {' '.join(str(folder / name) for name in open_to_others)}"
        yield Check("keys", "problem", f"readable by others: {', '.join(open_to_others)}", remedy)
    else:
        yield Check("keys", "ok", ", ".join(path.stem for path in private))
    if os.environ.get("COMPLIANCE_PASSPHRASE"):
        yield Check("pass phrase", "ok", "from COMPLIANCE_PASSPHRASE")
    elif ws.config.keys.passphrase_file:
        path = ws.root / ws.config.keys.passphrase_file
        if not path.is_file():
            yield Check(
                "pass phrase", "problem", f"{path} is not there", "Set COMPLIANCE_PASSPHRASE, or restore the file."
            )
        elif not ws.config.system.demonstration:
            yield Check(
                "pass phrase",
                "warning",
                f"lies beside the keys in {path.name}",
                "For demonstrations only: set COMPLIANCE_PASSPHRASE and delete the file.",
            )
        else:
            yield Check("pass phrase", "ok", f"from {path.name}, as demonstrations may")
    else:
        yield Check("pass phrase", "ok", "asked for on a terminal; pipelines set COMPLIANCE_PASSPHRASE")


def _admins(ws: "Workspace") -> Check:
    """Who can read a pipeline's pass phrase should neither register keys nor sign the profile."""
    from compliance.services import keys

    admins = [key for key in keys.list_(ws) if key.state == "active" and "admin" in key.roles]
    pipelines = [key.name for key in admins if key.holder_type != "person"]
    if pipelines and not ws.config.system.demonstration:
        return Check(
            "admins",
            "warning",
            f"a pipeline's key may register keys and sign the profile: {', '.join(pipelines)}",
            "Let a person be the admin, and take the role from the pipeline: docs/how-to/look-after-keys.md.",
        )
    return Check("admins", "ok", ", ".join(key.name for key in admins))


def _room(ws: "Workspace") -> Check:
    free = shutil.disk_usage(ws.root).free
    state: State = "ok" if free >= _ROOM else "warning"
    return Check(
        "disk", state, f"{free / _ROOM:.1f} GiB free", "" if state == "ok" else "Make room: a full disk stops logging."
    )


def _description(ws: "Workspace") -> Check:
    try:
        differs = ws.profile_differs()
    except ComplianceError as error:
        return Check("profile", "problem", error.problem, error.remedy)
    if differs:
        remedy = "compliance log record compliance.toml"
        return Check("profile", "warning", "compliance.toml differs from what is signed; the signed one counts", remedy)
    return Check("profile", "ok", "compliance.toml says what is signed")


def _mirror(ws: "Workspace") -> Check:
    pending = ws.ledger.pending_count()
    if pending:
        return Check(
            "mirror", "warning", f"{pending} of {ws.ledger.size} entries are not in MLflow yet", "compliance sync"
        )
    return Check("mirror", "ok", f"all {ws.ledger.size} entries are in MLflow")


def _moved(ws: "Workspace") -> Check:
    """MLflow keeps absolute artifact paths, which a copied or moved workspace carries along."""
    from compliance.services import mirroring

    move = mirroring.moved(ws)
    if move is not None:
        return Check(
            "artifact paths",
            "warning",
            f"this workspace came from {move.old}, and MLflow still says so",
            "compliance sync",
        )
    return Check("artifact paths", "ok", "nothing to mend")


def _reachable(ws: "Workspace") -> Check:
    """Only a server can be out of reach; opening a database would cost seconds, and `verify --all` reads it."""
    from compliance.services import mirroring

    place = mirroring.place(ws)
    if not place.is_server:
        return Check("MLflow", "ok", f"{place.label}: no server to reach")
    try:
        mirroring.read_mirror(ws)
    except ComplianceError as error:
        return Check("MLflow", "warning", error.problem, error.remedy)
    return Check("MLflow", "ok", f"{place.label} answers")
