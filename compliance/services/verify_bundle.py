"""Verifying a bundle offline, as a stranger: with the keys it brings, unless a log key or checkpoint is given.

A bundle is a zip (or a PDF with the same members attached):

    checkpoint                       signed note that every proof leads to
    log.vkey                         the log's verifier key
    evidence/EV-000017.sigstore.json, .entry.json, .tlog-proof     envelope, leaf and proof of inclusion
    attachments/<sha256>             those that may leave
    leaves.bin                       all leaf hashes, 32 bytes each: lets it be held to any earlier checkpoint
    approvals/                       approvals given after that checkpoint, key-events and revocations up to them, each
                                     in three files as above; a later `checkpoint`, and `consistency.json`, which proves
                                     that it extends the first
    SHA256SUMS                       digests of all other members, as `sha256sum` writes them

EV-000000 and every key-event are among the evidence, since trust is read from them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from compliance.core import checkpoint, merkle
from compliance.core.checkpoint import Checkpoint
from compliance.core.wire import evidence_index, evidence_number
from compliance.errors import BadSignature, InvalidInput, VerificationFailed
from compliance.exporters.sigstore import SUFFIX, from_bundle
from compliance.services.archive import MAX_BYTES, MAX_MEMBERS, read_archive
from compliance.services.checking import Problem, Trust, check_record, read_leaf
from compliance.services.verify import LIMITS, Report, read_against

SUMS = "SHA256SUMS"
LEAVES = "leaves.bin"
BROUGHT = (
    "Checked with the keys that the bundle itself brings: it is whole, and one log signed it; whose log that is, only "
    "a log key or an earlier checkpoint from another source can tell (--against)."
)
_SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True, slots=True)
class _Record:
    index: int
    leaf: str
    parts: tuple[str, str, str]
    envelope: bytes


def check(path: Path, against: str | Path | None = None) -> Report:
    """Check a bundle. Raises InvalidInput where the file is none, or can say nothing about `against`."""
    members = _members(path)
    report = Report(notes=[LIMITS[0]])
    given = read_against(against) if against is not None else None
    vkey = _text(members, path, "log.vkey").strip()
    if given is None:
        report.notes.append(BROUGHT)
    elif "\n\n" not in given and given.strip() != vkey:
        report.problems.append(Problem(None, "the bundle was signed by another log than the one given with --against"))
    try:
        signed = checkpoint.verify(_text(members, path, "checkpoint"), vkey)
    except (BadSignature, VerificationFailed) as error:
        report.problems.append(Problem(None, f"checkpoint: {error.problem}"))
        return report
    records = list(_records(members, "evidence", signed, vkey, report.problems))
    if not records:
        report.problems.append(Problem(None, "the bundle holds no evidence that its checkpoint covers"))
    report.notes += _left_out(records, signed)
    records += _approvals(members, signed, vkey, report.problems)
    report.checked = len(records)
    trust = _trust(records, vkey, report.problems)
    withheld = 0
    signed_off: dict[str, list[str]] = {}
    for record in records:
        checked = check_record(record.index, record.parts, record.envelope, trust)
        report.problems += [Problem(record.index, problem) for problem in checked.problems]
        withheld += sum(f"attachments/{digest}" not in members for digest, _, _ in checked.attachments())
        dossier = checked.content.get("dossier")
        if record.parts[1] == "approval" and not checked.problems and isinstance(dossier, dict):
            act = f"{evidence_number(record.index)} ({checked.content.get('meaning')})"
            signed_off.setdefault(str(dossier.get("sha256")), []).append(act)
    report.notes += _pages(members, signed_off)
    if withheld:
        report.notes.append(f"{withheld} attachments are not in the bundle; their digests are signed.")
    report.problems += _keys(members, trust)
    report.problems += _attachments(members)
    report.problems += _sums(members)
    if LEAVES in members:
        report.problems += _leaves(members[LEAVES], signed, records)
    if given is not None and "\n\n" in given:
        report.problems += _extends(path, members.get(LEAVES), signed, given, vkey)
    report.problems.sort(key=lambda problem: (problem.index is None, problem.index or 0))
    return report


def _members(path: Path) -> dict[str, bytes]:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", remedy="Give a bundle (.zip), a PDF or an evidence number.")
    if path.suffix.lower() == ".pdf":
        return _attached(path)
    return read_archive(path)


def _attached(path: Path) -> dict[str, bytes]:
    """Return what a PDF carries inside, under the same limits as an archive."""
    import pikepdf

    try:
        with pikepdf.open(path) as pdf:
            found = {str(name): spec.get_file() for name, spec in pdf.attachments.items()}
            members = {name: file.read_bytes() for name, file in list(found.items())[: MAX_MEMBERS + 1]}
    except pikepdf.PdfError as error:
        raise InvalidInput(
            f"{path} is no PDF that can be read ({error}).", remedy="Give the file as handed out."
        ) from None
    if len(members) > MAX_MEMBERS or sum(map(len, members.values())) > MAX_BYTES:
        raise InvalidInput(f"{path} carries too much.", remedy="A dossier of ours carries at most 10,000 files, 1 GB.")
    return members


def _text(members: Mapping[str, bytes], path: Path, name: str) -> str:
    try:
        return members[name].decode()
    except KeyError:
        raise InvalidInput(
            f"{path} holds no {name}: it carries no evidence that could be checked.",
            remedy="Give the bundle as it was handed out: the dossier's .zip or its -archive.pdf.",
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path}: {name} is not text.", remedy="Give a bundle as it was handed out.") from None


def _records(
    members: Mapping[str, bytes], folder: str, signed: Checkpoint, vkey: str, problems: list[Problem]
) -> Iterator[_Record]:
    """Yield the evidence in `folder` whose entry is proved to stand under the checkpoint, in order."""
    stems = sorted(
        name.removesuffix(SUFFIX) for name in members if name.startswith(f"{folder}/") and name.endswith(SUFFIX)
    )
    for stem in stems:
        index = evidence_index(stem.removeprefix(f"{folder}/"))
        if index is None:
            problems.append(Problem(None, f"{stem}{SUFFIX} is not named after an evidence number"))
            continue
        try:
            leaf = members[f"{stem}.entry.json"].decode()
            at, path, note = checkpoint.read_proof(members[f"{stem}.tlog-proof"].decode())
            parts = read_leaf(leaf)
            if parts is None or at != index:
                raise VerificationFailed("its entry or proof is another record's, or damaged")
            if checkpoint.verify(note, vkey) != signed:
                raise VerificationFailed("its proof leads to another checkpoint")
            merkle.verify_inclusion(merkle.leaf_hash(leaf.encode()), index, signed.size, path, signed.root)
            yield _Record(index, leaf, parts, from_bundle(members[f"{stem}{SUFFIX}"]))
        except KeyError as error:
            problems.append(Problem(index, f"{error.args[0]} is missing"))
        except UnicodeDecodeError:
            problems.append(Problem(index, "its entry or proof is not text"))
        except (BadSignature, VerificationFailed, InvalidInput) as error:
            problems.append(Problem(index, error.problem))


def _pages(members: Mapping[str, bytes], signed_off: Mapping[str, list[str]]) -> Iterator[str]:
    """Say what vouches for the dossier's own pages: the approvals that name their content, or nothing."""
    for name in sorted(name for name in members if name.startswith("dossier/") and name.endswith(".json")):
        acts = signed_off.get(sha256(members[name]).hexdigest())
        yield (
            f"{name} is the content that {', '.join(acts)} signs."
            if acts
            else f"No signature covers {name} and what is printed from it, only the evidence cited: draft, or changed."
        )


def _left_out(records: list[_Record], signed: Checkpoint) -> Iterator[str]:
    """Say how much of the ledger the bundle does not show: who hands it out may have left out a revocation."""
    held = {record.index for record in records}
    missing = [index for index in range(signed.size) if index not in held]
    if missing:
        yield (
            f"{len(missing)} of the {signed.size} entries under the checkpoint are not in the bundle, the first "
            f"{evidence_number(missing[0])}; a revocation among them would go unseen."
        )


def _approvals(
    members: Mapping[str, bytes], signed: Checkpoint, vkey: str, problems: list[Problem]
) -> Iterator[_Record]:
    """Yield the records given after the cut-off, under their own checkpoint, which must extend the bundle's."""
    if not any(name.startswith("approvals/") for name in members):
        return
    try:
        later = checkpoint.verify(members["approvals/checkpoint"].decode(), vkey)
        proof = json.loads(members["approvals/consistency.json"])
        path = [bytes.fromhex(node) for node in proof["hashes"]]
        merkle.verify_consistency(signed.size, later.size, signed.root, later.root, path)
    except (BadSignature, VerificationFailed) as error:
        problems.append(Problem(None, f"approvals/checkpoint does not extend the bundle's checkpoint: {error.problem}"))
    except (KeyError, TypeError, ValueError):
        problems.append(Problem(None, "approvals/ lacks a checkpoint, or the proof that it extends the bundle's"))
    else:
        yield from _records(members, "approvals", later, vkey, problems)


def _trust(records: list[_Record], vkey: str, problems: list[Problem]) -> Trust:
    trust = Trust()
    for record in sorted(records, key=lambda record: record.index):
        if record.parts[1] == "key-event" and sha256(record.envelope).hexdigest() == record.parts[0]:
            trust.take(record.index, record.parts[2], record.envelope)
    if not trust.genesis:
        problems.append(Problem(0, "the bundle does not hold the ledger's first entry, so no key can be checked"))
    elif trust.genesis.get("log_key") != vkey:
        problems.append(Problem(0, "log.vkey is not the log key that the ledger's first entry names"))
    problems += trust.all_problems()
    return trust


def _keys(members: Mapping[str, bytes], trust: Trust) -> Iterator[Problem]:
    """Hold the public keys, which other people's tools verify by, to those that the evidence registers."""
    registered = {key.pem.encode() for key in trust.keys.values()}
    for name, data in members.items():
        if name.startswith("keys/") and name.endswith(".pub") and data not in registered:
            yield Problem(None, f"{name} is no key that the evidence registers")


def _attachments(members: Mapping[str, bytes]) -> Iterator[Problem]:
    for name, data in members.items():
        if name.startswith("attachments/") and sha256(data).hexdigest() != name.removeprefix("attachments/"):
            yield Problem(None, f"{name} was changed")


def _sums(members: Mapping[str, bytes]) -> Iterator[Problem]:
    """Hold every member to the list of digests, where there is one."""
    if SUMS not in members:
        return
    listed: dict[str, str] = {}
    for line in members[SUMS].decode("utf-8", "replace").splitlines():
        if match := _SUM_LINE.fullmatch(line):
            listed[match[2]] = match[1]
    for name in sorted(listed.keys() | members.keys() - {SUMS}):
        if name not in members:
            yield Problem(None, f"{name} is missing from the bundle")
        elif name not in listed:
            yield Problem(None, f"{name} is not listed in {SUMS}")
        elif sha256(members[name]).hexdigest() != listed[name]:
            yield Problem(None, f"{name} was changed: it is not what {SUMS} lists")


def _leaves(data: bytes, signed: Checkpoint, records: list[_Record]) -> Iterator[Problem]:
    leaves = _split(data)
    if len(leaves) != signed.size or merkle.root(leaves) != signed.root:
        yield Problem(None, f"{LEAVES} is not the tree that the checkpoint signs")
        return
    for record in records:
        if record.index < signed.size and leaves[record.index] != merkle.leaf_hash(record.leaf.encode()):
            yield Problem(record.index, f"{LEAVES} holds another entry in its place")


def _extends(path: Path, leaves: bytes | None, signed: Checkpoint, note: str, vkey: str) -> Iterator[Problem]:
    """Hold the bundle to an earlier checkpoint."""
    try:
        earlier = checkpoint.verify(note, vkey)
    except (BadSignature, VerificationFailed) as error:
        yield Problem(None, f"--against: {error.problem}")
        return
    if earlier.size > signed.size or (leaves is None and earlier.size < signed.size):
        raise InvalidInput(
            f"{path} covers {signed.size} entries and cannot be compared with a checkpoint over {earlier.size}.",
            remedy="Verify the workspace itself against that checkpoint, or ask for a later bundle.",
        )
    root = signed.root if leaves is None else merkle.root(_split(leaves)[: earlier.size])
    if root != earlier.root:
        last = evidence_number(earlier.size - 1)
        yield Problem(None, f"history was rewritten: the entries up to {last} are not those of the earlier checkpoint")


def _split(data: bytes) -> list[bytes]:
    return [data[at : at + merkle.HASH_SIZE] for at in range(0, len(data), merkle.HASH_SIZE)]
