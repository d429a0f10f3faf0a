"""A signature over a model or dataset folder that `model_signing verify key` accepts.

An OpenSSF Model Signing v1.0 statement in a DSSE envelope in a Sigstore bundle. The key hint differs from
our evidence's: model-signing looks for the SHA-256 of the key's PEM text, and takes P-256 but not Ed25519.
"""

import json
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256

from compliance.core import envelope, oms
from compliance.core.canonical import canonical
from compliance.errors import InvalidInput
from compliance.exporters.sigstore import to_bundle

FILE_NAME = "model.sig"


def sign_folder(name: str, files: oms.Manifest, key: envelope.PublicKey, sign: Callable[[bytes], bytes]) -> bytes:
    """Return the bundle that vouches for `files` as the folder called `name`."""
    if key.algorithm != "p256":
        raise InvalidInput(
            "OpenSSF Model Signing takes no Ed25519 key.", remedy="Sign the folder with an ECDSA P-256 key."
        )
    hint = sha256(key.pem.encode()).hexdigest()
    return to_bundle(envelope.seal(canonical(oms.statement(name, files)), sign, hint))


def signed_files(bundle: bytes) -> list[tuple[str, str]]:
    """Return the files that such a signature names; nothing is verified. Empty where it is none."""
    try:
        payload = json.loads(b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))
        return [(file["name"], file["digest"]) for file in payload["predicate"]["resources"]]
    except (KeyError, TypeError, ValueError):
        return []
