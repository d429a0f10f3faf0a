"""`compliance.toml`: what it may say (DESIGN 11.1), how it is read, how `init` writes it.

Paths start at the workspace and no secret stands in it. The profile in the file is a wish:
it counts once it is signed as `system-description`.
"""

import textwrap
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from compliance.core.evidence import Name, Sha256, Strict
from compliance.core.policy import Policy
from compliance.core.system import Description, Profile, System
from compliance.errors import InvalidInput, Unavailable

FILE = "compliance.toml"


class MLflowConfig(Strict):
    """`MLFLOW_TRACKING_URI` wins over `tracking_uri`."""

    tracking_uri: str = "sqlite:///mlflow.db"
    artifacts: str = "mlartifacts"
    experiments: list[str] = Field(default=[])
    """Experiments whose runs are to have evidence: names, or patterns such as `triage-*`."""
    models: list[str] = Field(default=[])
    """Registered models whose versions are to have evidence: names, or patterns."""


class KeysConfig(Strict):
    default: Name
    """Name of the key that signs where none is named."""
    log: str = "file:.compliance/keys/log.pem"
    """URI of the Ed25519 key that signs checkpoints."""
    passphrase_file: str | None = None
    """For demonstrations only: a pass phrase beside the keys protects nothing."""


class LedgerConfig(Strict):
    url: str = "sqlite:///.compliance/ledger.db"
    log_key: str
    """Verifier key of the log; its name is the checkpoints' origin."""
    genesis: Sha256
    """Digest of EV-000000."""


class Config(Strict):
    schema_version: Literal[1] = Field(alias="schema")
    mlflow: MLflowConfig = MLflowConfig()
    keys: KeysConfig
    system: System
    profile: Profile = Profile()
    description: Description = Description()
    ledger: LedgerConfig
    gate: Policy = Policy()

    def system_content(self) -> dict[str, Any]:
        """Return what `system-description` evidence of this file says."""
        return {
            "system": self.system.model_dump(mode="json", exclude_none=True),
            "profile": self.profile.model_dump(mode="json", exclude_none=True),
            "description": self.description.model_dump(mode="json", exclude_none=True),
        }


def read(root: Path) -> Config:
    """Read `root`/compliance.toml. Raises InvalidInput with file and field, Unavailable where it cannot be read."""
    path = root / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {error.strerror}.", remedy="Check the file's permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text.", remedy="Save it as UTF-8.") from error
    try:
        return Config.model_validate(toml(text, path))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
        raise InvalidInput(
            f"{path}: {'; '.join(problems)}.",
            remedy="Mend these fields; docs/reference/generated/configuration lists them all.",
        ) from error


def toml(text: str, path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file. Raises InvalidInput for whatever is none, its parser's own limits included."""
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{path} is not TOML: {error}.", remedy="Mend that line.") from error
    except RecursionError:
        raise InvalidInput(
            f"{path} is not TOML that can be read: it is nested too deeply.", remedy="Flatten it."
        ) from None


def is_inside(start: Path) -> bool:
    """Whether a workspace is found from `start` upwards."""
    return _nearest(start) is not None


def find(start: Path) -> Path:
    """Return the nearest folder upwards from `start` that holds a compliance.toml. Raises InvalidInput."""
    start = start.resolve()
    if (folder := _nearest(start)) is not None:
        return folder
    raise InvalidInput(
        f"No workspace here: neither {start} nor a folder above it holds a {FILE}.",
        remedy="Make one with `compliance init`, or name it with --workspace.",
    )


def _nearest(start: Path) -> Path | None:
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


_LAYOUT = """\
# The file of one AI system. Paths start at this folder; no secret stands here.
# [profile] decides which requirements apply and counts only as signed: after a change, run
#   compliance log record compliance.toml
schema = 1
mlflow = {mlflow}   # MLFLOW_TRACKING_URI wins
keys = {keys}

[system]
{system}

# A key left out means "not said", and leaves what hangs on it undetermined:
#   roles: provider, manufacturer, deployer, gpai-provider, authorised-representative, importer, distributor, sponsor
#   high_risk: annex-i, annex-iii, annex-iii-exempt, or empty · markets: EU, US, UK, CH, other
#   features: talks-to-people, generates-content, keeps-learning, special-category-data
#   device = {{ law = "MDR", class = "IIa", rule = "11", notified_body = true }}
#   gpai = {{ systemic_risk = false, open_source = true, exemption_claimed = false }}
#   us = {{ pathway = "510(k)", class = "II" }}
[profile]
{profile}

# What Annex IV(1) and FDA's device description ask for, each a key with text; what is left out is printed as missing:
{described}
[description]
{description}

[ledger]
{ledger}
"""


def render(config: Config) -> str:
    """Return `config` as the text of a compliance.toml that a person can go on editing."""
    import tomlkit

    def inline(values: dict[str, Any]) -> str:
        table = tomlkit.inline_table()
        table.update(values)
        return table.as_string()

    def lines(values: dict[str, Any]) -> str:
        return "\n".join(
            f"{name} = {inline(value) if isinstance(value, dict) else tomlkit.item(value).as_string()}"
            for name, value in values.items()
        )

    content = config.system_content()
    fields = ", ".join(Description.model_fields)
    return _LAYOUT.format(
        described=textwrap.fill(fields, 118, initial_indent="#   ", subsequent_indent="#   "),
        mlflow=inline({name: value for name, value in config.mlflow.model_dump().items() if value}),
        keys=inline(config.keys.model_dump(exclude_none=True)),
        ledger=lines(config.ledger.model_dump()),
        **{part: lines(values) for part, values in content.items()},
    )
