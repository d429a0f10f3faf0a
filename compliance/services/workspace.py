"""A workspace: the folder with `compliance.toml` and `.compliance/` that is one AI system's file.

Opening reads the configuration and the ledger and imports nothing heavy; each verb is imported
when it is called. Everything here that is public is the Python API of the product.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from compliance.core import checkpoint
from compliance.core.canonical import canonical, digest
from compliance.core.envelope import seal
from compliance.core.evidence import (
    PAYLOAD_TYPE,
    STATEMENT_TYPE,
    Basis,
    Evidence,
    Subject,
    predicate_type,
    utc_text,
)
from compliance.core.system import Description, Profile, System
from compliance.errors import Conflict, UnknownReference
from compliance.services import config as configuration
from compliance.services.config import Config, KeysConfig, LedgerConfig, MLflowConfig
from compliance.storage.keys import Signer, create_key, load_signer, passphrase_source
from compliance.storage.ledger import Ledger

if TYPE_CHECKING:
    from pandas import DataFrame

    from compliance.core.assessment import Assessment
    from compliance.services.dossiers import Built
    from compliance.services.reading.sql import Sql
    from compliance.services.record import Logged

PRIVATE = ".compliance"
KEYS = f"{PRIVATE}/keys"


def now() -> str:
    """Return this moment as UtcTime: the one place where the clock is read for the record."""
    return utc_text(datetime.now(UTC))


def utc_offset() -> str:
    """Return by how much local time here differs from UTC now: `+01:00`."""
    offset = datetime.now(UTC).astimezone().strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"


class Workspace:
    """One AI system's file. Use `Workspace.open()`; close it, or use it in a `with` statement."""

    def __init__(self, root: Path, config: Config, ledger: Ledger) -> None:
        self.root, self.config, self.ledger = root, config, ledger
        self._signers: dict[str, Signer] = {}

    @classmethod
    def open(cls, start: str | Path | None = None, *, read_only: bool = False) -> Self:
        """Open the workspace at or above `start` (default: the current folder).

        Raises InvalidInput where there is none, Unavailable where its ledger cannot be opened.
        """
        root = configuration.find(Path(start) if start is not None else Path.cwd())
        config = configuration.read(root)
        return cls(root, config, Ledger.open(config.ledger.url, root, read_only=read_only))

    @classmethod
    def create(
        cls,
        root: str | Path,
        *,
        system: System,
        profile: Profile | None = None,
        description: Description | None = None,
        origin: str,
        key: str = "training-pipeline",
        mlflow: MLflowConfig | None = None,
        ledger_url: str = "sqlite:///.compliance/ledger.db",
        passphrase_file: str | None = None,
    ) -> Self:
        """Make a workspace: two key pairs, a ledger that begins with its own key-event, compliance.toml.

        `origin` names the log (a URL without scheme, by C2SP tlog-checkpoint) and must be the log's alone.
        Either everything stands at the end or nothing does. Raises Conflict where a workspace stands already.
        """
        root = Path(root).resolve()
        if (root / configuration.FILE).exists() or (root / PRIVATE).exists():
            raise Conflict(
                f"{root} already holds a workspace, or the rest of one.",
                remedy=f"Choose another folder, or look at {root / configuration.FILE} and {root / PRIVATE} first.",
            )
        from compliance.services import own_catalogs

        root.mkdir(parents=True, exist_ok=True)
        passphrase = passphrase_source(root, passphrase_file)
        log_passphrase = passphrase_source(root, passphrase_file, variable="COMPLIANCE_LOG_PASSPHRASE")
        draft_root = root / f"{PRIVATE}.new"
        shutil.rmtree(draft_root, ignore_errors=True)
        try:
            keys = draft_root / KEYS
            keys.mkdir(parents=True, mode=0o700)
            signer = create_key(keys, key, passphrase())
            log_signer = create_key(keys, "log", log_passphrase(), algorithm="ed25519")
            vkey = checkpoint.vkey(origin, log_signer.public_key.raw)
            genesis = _genesis(system.id, origin, key, signer, vkey)
            with Ledger.create(ledger_url, draft_root) as ledger:
                ledger.append([("key-event", genesis)], sign_checkpoint=_checkpoints(origin, log_signer), now=now())
                _replace(draft_root / PRIVATE / "checkpoint", ledger.checkpoint() or "")
            config = Config(
                schema=1,
                mlflow=mlflow or MLflowConfig(),
                keys=KeysConfig(default=key, passphrase_file=passphrase_file),
                system=system,
                profile=profile or Profile(),
                description=description or Description(),
                ledger=LedgerConfig(url=ledger_url, log_key=vkey, genesis=digest(genesis)),
            )
            record = own_catalogs.to_sign(root, config)
            (draft_root / PRIVATE).rename(root / PRIVATE)
            _replace(root / configuration.FILE, configuration.render(config))
        finally:
            shutil.rmtree(draft_root, ignore_errors=True)
        workspace = cls.open(root)
        workspace.log_records([record], how="init")
        return workspace

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.ledger.close()

    # --- reading -------------------------------------------------------------------------------

    @property
    def attachments(self) -> Path:
        """Folder of attachments, each named by its SHA-256."""
        return self.root / PRIVATE / "attachments"

    def evidence(self, *, stop: int | None = None, as_of: date | None = None) -> list[Evidence]:
        """Return the evidence on record, oldest first, up to a ledger size and to the end of a day (UTC)."""
        found = list(self.ledger.evidence(stop=stop))
        if as_of is None:
            return found
        last = f"{as_of.isoformat()}T23:59:59Z"
        return [piece for piece in found if piece.logged_at <= last]

    def system_record(self, evidence: Sequence[Evidence] | None = None) -> Evidence:
        """Return the newest signed `system-description`. Raises UnknownReference where none is on record."""
        for piece in reversed(self.evidence() if evidence is None else evidence):
            if piece.kind == "system-description":
                return piece
        raise UnknownReference(
            "No system description is on record.", remedy="Sign it: `compliance log record compliance.toml`."
        )

    def signed_profile(self, evidence: Sequence[Evidence] | None = None) -> Profile:
        """Return the profile as signed: what decides which requirements apply."""
        return Profile.model_validate(self.system_record(evidence).content["profile"])

    def profile_differs(self, evidence: Sequence[Evidence] | None = None) -> bool:
        """Say whether compliance.toml, or a catalog it names, differs from what is signed; then the signed counts."""
        from compliance.services import own_catalogs

        return own_catalogs.differs(self.root, self.config, self.system_record(evidence).content)

    def subject(self, name: str) -> Subject:
        """Return the subject that NAME@VERSION, or the newest version of NAME, stands for."""
        from compliance.services.resolver import LedgerResolver

        return LedgerResolver(self.ledger).thing(name)

    # --- signing -------------------------------------------------------------------------------

    def passphrase(self, variable: str = "COMPLIANCE_PASSPHRASE", *, ask: bool = True) -> Callable[[], bytes]:
        return passphrase_source(self.root, self.config.keys.passphrase_file, variable=variable, ask=ask)

    def signer(self, name: str | None = None, *, ask: bool = True) -> Signer:
        """Return a signing key by name or URI. Raises Unavailable for a wrong or missing pass phrase."""
        name = name or self.config.keys.default
        if name not in self._signers:
            uri = name if ":" in name else f"file:{KEYS}/{name}.pem"
            self._signers[name] = load_signer(uri, self.root, self.passphrase(ask=ask))
        return self._signers[name]

    def forget_signer(self, name: str) -> None:
        """Read this key from disk again when it is next needed: it was rotated."""
        self._signers.pop(name, None)

    def sign_checkpoint(self) -> Callable[[int, bytes], str]:
        """Return the function that the ledger calls with its size and root to get a signed note."""
        if "log" not in self._signers:
            self._signers["log"] = load_signer(
                self.config.keys.log, self.root, self.passphrase("COMPLIANCE_LOG_PASSPHRASE")
            )
        return _checkpoints(self.origin, self._signers["log"])

    @property
    def origin(self) -> str:
        return self.config.ledger.log_key.split("+", 1)[0]

    def keep_checkpoint(self) -> None:
        """Put the ledger's newest checkpoint into `.compliance/checkpoint`, in one step."""
        _replace(self.root / PRIVATE / "checkpoint", self.ledger.checkpoint() or "")

    # --- verbs ---------------------------------------------------------------------------------

    def log_records(self, records: Sequence[Mapping[str, Any]], **options: Any) -> "list[Logged]":
        """Log records as authored (`kind:` and its fields), all or none. See `services.record.log`."""
        from compliance.services import record

        return record.log(self, records, **options)

    def log_model(self, path: str | Path, *, name: str, version: str, **fields: Any) -> "list[Logged]":
        """Digest a model file or folder and log it as `model-version`. See `services.models.log_model`."""
        from compliance.services import models

        return models.log_model(self, Path(path), name=name, version=version, **fields)

    def log_dataset(
        self, source: "str | Path | Sql | DataFrame", /, *, name: str, version: str, role: str, **options: Any
    ) -> "list[Logged]":
        """Profile and digest a dataset and log it. See `services.datasets.log`."""
        from compliance.services import datasets

        where = Path(source) if isinstance(source, str) else source
        return datasets.log(self, where, name=name, version=version, role=role, **options)

    def log_evaluation(self, *, model: str, dataset: str, **fields: Any) -> "list[Logged]":
        """Log an evaluation: metrics as counts or stated values, or `predictions=` to compute them from."""
        if "predictions" in fields:
            from compliance.services import evaluations

            return evaluations.log(self, model=model, dataset=dataset, **fields)
        return self.log_records([{"kind": "evaluation", "model": model, "dataset": dataset, **fields}])

    def log_safety(self, *, model: str, **fields: Any) -> "list[Logged]":
        """Log a safety result."""
        return self.log_records([{"kind": "safety-result", "model": model, **fields}])

    def capture_run(self, run_id: str, **options: Any) -> "list[Logged]":
        """Make evidence of a finished MLflow run."""
        from compliance.services import capture

        return capture.capture_run(self, run_id, **options)

    def assess(self, **options: Any) -> "Assessment":
        """Return one finding per requirement. See `services.assess.assess_workspace`."""
        from compliance.services import assess

        return assess.assess_workspace(self, **options)

    def build_dossier(self, dossier: str, **options: Any) -> "Built":
        """Compile a dossier. See `services.dossiers.build`."""
        from compliance.services import dossiers

        return dossiers.build(self, dossier, **options)


def _genesis(system: str, origin: str, name: str, signer: Signer, vkey: str) -> bytes:
    """Return EV-000000: a self-signed key-event that says whose ledger this is and who may write to it."""
    at = now()
    content = {
        "event": "registered",
        "name": name,
        "holder": name,
        "holder_type": "pipeline",
        "roles": ["admin", "recorder"],
        "public_key": signer.public_pem,
        "hint": signer.hint,
        "algorithm": signer.algorithm,
        "valid_from": at,
        "system": system,
        "origin": origin,
        "log_key": vkey,
    }
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [Subject.of(f"key-{name}@1", digest(canonical(content)), Basis.CONTENT).model_dump(mode="json")],
        "predicateType": predicate_type("key-event"),
        "predicate": _predicate(system, at, name, f"The ledger of {system} begins", content),
    }
    return seal(canonical(statement), signer.sign, signer.hint, PAYLOAD_TYPE)


def _predicate(system: str, at: str, by: str, title: str, content: dict[str, Any]) -> dict[str, Any]:
    from compliance import __version__

    return {
        "schema_version": 1,
        "system": system,
        "recorded_at": at,
        "recorded_by": by,
        "title": title,
        "summary": "",
        "source": {"basis": "measured", "how": "init", "tool": "compliance", "tool_version": __version__},
        "completeness": "complete",
        "attachments": [],
        "data_classification": "internal",
        "content": content,
    }


def _checkpoints(origin: str, signer: Signer) -> Callable[[int, bytes], str]:
    return lambda size, root: checkpoint.sign(
        checkpoint.Checkpoint(origin, size, root), signer.sign, signer.public_key.raw
    )


def _replace(path: Path, text: str) -> None:
    """Write a whole file or leave the old one."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with new.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
