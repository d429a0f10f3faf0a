"""The signed archive PDF: the same pages with the evidence attached inside, and a PAdES signature.

Attachments are PDF/A-3 associated files. The certificate is self-signed over the signer's own P-256
key, and says so: it proves which key signed, which the evidence index names, and nobody's identity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

from compliance.errors import InvalidInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

FIELD = "Archive"
_VALID = timedelta(days=365 * 15)
"""The longest retention period of the files this archives."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One file to put inside."""

    name: str
    media_type: str
    data: bytes
    description: str
    relationship: str = "Data"
    """PDF/A-3: what the file is to the document: Data, Source, Supplement."""


def with_attachments(pdf: bytes, files: Sequence[Attached], moment: str) -> bytes:
    """Return the PDF with `files` embedded, each once, dated `moment`. Same arguments, same bytes."""
    import pikepdf
    from pikepdf import Array, Dictionary, Name, String

    with pikepdf.open(BytesIO(pdf)) as document:
        stamp = f"D:{moment.translate(str.maketrans('', '', '-:TZ'))}Z"
        names, associated = Array(), Array()
        for file in sorted(files, key=lambda f: f.name):
            stream = document.make_stream(
                file.data,
                Type=Name.EmbeddedFile,
                Subtype=Name("/" + file.media_type),
                Params=Dictionary(Size=len(file.data), ModDate=String(stamp), CreationDate=String(stamp)),
            )
            specification = document.make_indirect(
                Dictionary(
                    Type=Name.Filespec,
                    F=String(file.name),
                    UF=String(file.name),
                    Desc=String(file.description),
                    AFRelationship=Name("/" + file.relationship),
                    EF=Dictionary(F=stream, UF=stream),
                )
            )
            names.append(String(file.name))
            names.append(specification)
            associated.append(specification)
        if Name.Names not in document.Root:
            document.Root.Names = Dictionary()
        document.Root.Names.EmbeddedFiles = Dictionary(Names=names)
        document.Root.AF = associated
        out = BytesIO()
        document.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def signed(pdf: bytes, key: object, holder: str, reason: str, moment: str) -> bytes:
    """Return the PDF with a PAdES B-B signature by a P-256 private key, under a self-signed certificate.

    ECDSA takes a random number and PAdES the clock, so signed bytes differ every time. Raises InvalidInput
    for a key of another kind.
    """
    from asn1crypto import keys, x509
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class Writer(IncrementalPdfFileWriter):
        def ensure_output_version(self, version: object) -> None:
            """Keep 1.7: pyHanko would write /Version 2.0 for an elliptic curve, which PDF/A-3 does not allow."""

    p256 = _p256(key)
    certificate = x509.Certificate.load(self_signed(p256, holder, moment))
    private = p256.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko types it only in part
    registry.register(certificate)
    signer = signers.SimpleSigner(
        signing_cert=certificate, signing_key=keys.PrivateKeyInfo.load(private), cert_registry=registry
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD, subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256", reason=reason, name=holder
    )
    out = signers.sign_pdf(Writer(BytesIO(pdf)), metadata, signer=signer)
    return bytes(out.getvalue())


def self_signed(key: "EllipticCurvePrivateKey", holder: str, moment: str) -> bytes:
    """Return a DER certificate over the key itself, valid from `moment` on."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    start = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, holder),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Self-signed: shows the key, not an identity"),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(int.from_bytes(x509.SubjectKeyIdentifier.from_public_key(public).digest[:15], "big"))
        .not_valid_before(start)
        .not_valid_after(start + _VALID)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def _p256(key: object) -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey

    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise InvalidInput(
            "The archive PDF is signed with ECDSA P-256 only.", remedy="Choose a P-256 key as the default signer."
        )
    return key
