"""Verification: is every record in the ledger what its signer signed, in the order in which it was logged?

Needs the workspace (or a bundle) and nothing else: no MLflow, no server, no pydantic. It lists everything that does
not hold, first bad record first. A pass says who signed what and when, and that nothing was changed since; it does
not say that a statement is true. Against an insider who holds the keys and rewrites everything, only a checkpoint
kept elsewhere helps (`against`).
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from compliance.core import checkpoint, merkle
from compliance.core.checkpoint import Checkpoint
from compliance.core.wire import evidence_number, meant_index
from compliance.errors import BadSignature, InvalidInput, Unavailable, UnknownReference, VerificationFailed
from compliance.services.archive import read_member
from compliance.services.checking import Problem, Trust, check_record, leaf_problem, read_leaf
from compliance.services.scan import Plan, Stretch, stretches
from compliance.storage.ledger import Ledger

LIMITS = (
    "A pass means who signed what, when and in which order, and that nothing was changed since; not that it is true.",
    "If the ledger and every checkpoint near it were replaced together, only a checkpoint kept elsewhere can tell "
    "(--against).",
)
MAX_PROBLEMS = 500


@dataclass(slots=True)
class Report:
    """What verification found."""

    checked: int = 0
    """Records looked at."""
    problems: list[Problem] = field(default_factory=list)
    pending: int = 0
    """Records that MLflow does not hold yet. No problem."""
    mirror: str = "left out"
    """`checked`, `unreachable` or `left out`."""
    notes: list[str] = field(default_factory=list)
    """What the reader should know beside the verdict."""

    @property
    def ok(self) -> bool:
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        problems = [problem.to_dict() for problem in self.problems]
        return {
            "ok": self.ok,
            "checked": self.checked,
            "problems": problems,
            "pending": self.pending,
            "mirror": self.mirror,
            "notes": self.notes,
        }


@dataclass(frozen=True, slots=True)
class Settings:
    """What verification needs of compliance.toml."""

    root: Path
    url: str
    log_key: str
    genesis: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A checkpoint found somewhere, which the ledger must extend."""

    where: str
    checkpoint: Checkpoint


def verify_workspace(start: str | Path, against: str | Path | None = None, all: bool = False) -> Report:
    """Check a whole workspace: ledger, keys, checkpoints, attachments; with `all`, MLflow's copy as well.

    `against` is a checkpoint (file or text), a bundle that holds one, or a log key, kept elsewhere.
    Raises InvalidInput where there is no workspace, Unavailable where it cannot be read.
    """
    settings = _settings(Path(start))
    report = Report(notes=list(LIMITS))
    try:
        with Ledger.open(settings.url, settings.root, read_only=True) as ledger:
            report.checked = size = ledger.size
            trust = read_trust(ledger)
            claims = list(_claims(settings, against, report.problems))
            report.problems += trust.all_problems() + _genesis(settings, ledger, trust)
            _whole(settings, ledger, size, trust, claims, report)
            report.pending = ledger.pending_count()
    except Unavailable as error:
        if not error.facts.get("damaged"):
            raise
        report.problems.append(Problem(None, error.problem))
    if all:
        _mirror(settings, report)
    report.problems = _in_order(report.problems)
    return report


def verify_evidence(start: str | Path, number: str) -> Report:
    """Check one piece of evidence: its entry, envelope, key, attachments, and its place under the last checkpoint."""
    settings = _settings(Path(start))
    index = meant_index(number)
    if index is None:
        raise InvalidInput(f"{number!r} is no evidence number.", remedy="Write it as EV-000017.")
    report = Report(checked=1, notes=list(LIMITS[:1]))
    with Ledger.open(settings.url, settings.root, read_only=True) as ledger:
        rows = ledger.stored_entries(index, index + 1)
        if not rows:
            raise UnknownReference(f"{number} is not on record.", remedy="`compliance list` shows what is on record.")
        _, leaf, hashed, _, envelope = rows[0]
        parts = read_leaf(leaf)
        trust = read_trust(ledger)
        found = [leaf_problem(leaf, bytes(hashed)), *_place(settings, ledger, index, leaf)]
        if parts is None:
            found.append("the entry cannot be read")
        elif envelope is None:
            found.append("its envelope is gone; `compliance verify` says whether an erasure is on record")
        else:
            checked = check_record(index, parts, bytes(envelope), trust)
            found += checked.problems
            for digest, size, name in checked.attachments():
                found.append(_attachment(settings.root, digest, size, name))
    report.problems = [Problem(index, problem) for problem in found if problem]
    return report


def verify_bundle(path: Path, against: str | Path | None = None) -> Report:
    """Check a bundle (or a PDF that carries one) with the keys that it brings. See `services.verify_bundle`."""
    from compliance.services.verify_bundle import check

    return check(path, against)


def read_trust(ledger: Ledger) -> Trust:
    """Return the ledger's keys, every key-event's signature checked. A damaged one is the scan's to report."""
    trust = Trust()
    for index, leaf, envelope in ledger.stored_key_events():
        parts = read_leaf(leaf)
        if parts and parts[1] == "key-event" and sha256(envelope).hexdigest() == parts[0]:
            trust.take(index, parts[2], bytes(envelope))
    return trust


def read_against(against: str | Path) -> str:
    """Return what `--against` names: the text of a checkpoint, or a log key. Raises InvalidInput."""
    text = str(against)
    if "\n" not in text and (path := Path(text)).is_file():
        if path.suffix == ".zip":
            return read_member(path, "checkpoint").decode("utf-8", "replace")
        if path.stat().st_size > checkpoint.MAX_NOTE:
            raise InvalidInput(f"{path} is no checkpoint.", remedy="Give a file named `checkpoint`, or a bundle.")
        text = path.read_text(encoding="utf-8", errors="replace")
    if "\n" not in text and "+" not in text:
        raise InvalidInput(
            f"There is no file {text}, and it is no log key.",
            remedy="Give a checkpoint, a bundle or a log key (NAME+ID+KEY).",
        )
    if "\n\n" not in text:
        checkpoint.parse_vkey(text)
    return text


def _settings(start: Path) -> Settings:
    """Read what verification needs of the nearest compliance.toml upwards; no model of the rest is built."""
    start = start.resolve()
    for folder in (start, *start.parents):
        path = folder / "compliance.toml"
        if not path.is_file():
            continue
        try:
            ledger = tomllib.loads(path.read_text(encoding="utf-8"))["ledger"]
            return Settings(
                folder,
                str(ledger.get("url", "sqlite:///.compliance/ledger.db")),
                str(ledger["log_key"]),
                str(ledger["genesis"]),
            )
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"{path}: the [ledger] table cannot be read ({error}).",
                remedy="It needs `log_key` and `genesis`, as `compliance init` wrote them.",
            ) from None
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}.", remedy="Check its permissions.") from error
    raise InvalidInput(f"There is no workspace at or above {start}.", remedy="Make one with `compliance init`.")


# --- the ledger as a whole ---------------------------------------------------------------------------------


def _genesis(settings: Settings, ledger: Ledger, trust: Trust) -> list[Problem]:
    """Hold the first entry to what compliance.toml pins."""
    first = ledger.stored_entries(0, 1)
    parts = read_leaf(first[0][1]) if first else None
    if parts is None:
        return [Problem(None if ledger.size == 0 else 0, "the ledger does not hold its first entry: it was emptied")]
    if parts[0] != settings.genesis:
        return [Problem(0, "the ledger does not begin with the genesis that compliance.toml pins")]
    if trust.genesis.get("log_key") != settings.log_key:
        return [Problem(0, "compliance.toml names another log key than the ledger's genesis")]
    return []


def _whole(settings: Settings, ledger: Ledger, size: int, trust: Trust, claims: list[Claim], report: Report) -> None:
    """Check every record, and what only the whole can tell."""
    tree = _Tree(ledger, {claim.checkpoint.size for claim in claims})
    merged = Stretch(0)
    for found in stretches(Plan(settings.url, settings.root, settings.log_key, trust), size):
        report.problems += found.problems
        if found.first < merged.last:
            report.problems.append(Problem(found.start, f"it is dated {found.first}, before the entry that it follows"))
        merged.last = max(merged.last, found.last)
        report.problems += _merge(merged, found)
        report.problems += tree.grow(found)
    report.problems += _last_checkpoint(ledger, size)
    report.problems += [
        Problem(index, f"the same envelope stands as {evidence_number(first)} already")
        for index, first in ledger.repeated_entries()
    ]
    report.problems += [
        Problem(None, f"the table `{table}` holds rows that belong to no entry") for table in ledger.stray_rows(size)
    ]
    report.problems += [Problem(index, "an envelope without an entry") for index in ledger.orphaned_envelopes()]
    report.problems += [
        Problem(index, "the envelope is missing, and no erasure of it is on record")
        for index, digest in merged.missing.items()
        if digest not in merged.erasures
    ]
    report.problems += tree.compare(claims)
    report.problems += _attachments(settings.root, ledger, merged)


def _merge(merged: Stretch, found: Stretch) -> Iterator[Problem]:
    """Take a stretch into the whole; yield names that changed their digest between stretches."""
    for sha, mentions in found.attachments.items():
        merged.attachments.setdefault(sha, []).extend(mentions)
    merged.missing |= found.missing
    merged.erasures |= found.erasures
    for name, (sha, index) in found.names.items():
        if merged.names.setdefault(name, (sha, index))[0] != sha:
            yield Problem(index, f"{name} stands for another digest than before")


class _Tree:
    """The Merkle tree, built again from the entries and held to every root that anyone signed."""

    def __init__(self, ledger: Ledger, sizes: set[int]) -> None:
        self._ledger, self._wanted = ledger, sizes
        self._frontier = merkle.Frontier()
        self._roots = {0: merkle.EMPTY_ROOT}
        self._good = 0
        """Largest size whose stored checkpoint agreed."""
        self._broken = False

    def grow(self, found: Stretch) -> Iterator[Problem]:
        """Add a stretch; yield where a stored checkpoint or the index of inner nodes disagrees, once each."""
        if self._frontier.size != found.start:
            return  # a hole before this stretch: it is reported, and no root after it can be known
        inner: list[bytes] = []
        begin = found.start - found.start.bit_count()
        wrong: int | None = None
        for leaf in found.leaves:
            inner += self._frontier.push(leaf)
            size = self._frontier.size
            signed = found.roots.get(size)
            if signed is not None or size in self._wanted:
                root = self._roots[size] = self._frontier.root()
                if signed == root:
                    self._good = size
                elif signed is not None and wrong is None:
                    wrong = size
        stored = self._ledger.stored_nodes(begin, begin + len(inner))
        if wrong is not None and not self._broken:
            self._broken = True
            last = f" to {evidence_number(wrong - 1)}" if wrong - 1 > self._good else ""
            why = f"changed after it was logged: the tree{last} is not what the checkpoint over {wrong} entries signs"
            yield Problem(self._good, why)
        elif [bytes(row[1]) for row in stored] != inner and not self._broken:
            self._broken = True
            yield Problem(None, f"the index `nodes` is not that of the entries after {evidence_number(found.start)}")

    def compare(self, claims: Iterable[Claim]) -> Iterator[Problem]:
        """Yield the checkpoints kept elsewhere that this ledger did not grow from."""
        for claim in claims:
            size = claim.checkpoint.size
            if size > self._frontier.size:
                yield Problem(
                    None,
                    f"cut or rolled back: {claim.where} knows {size} entries, the ledger holds {self._frontier.size}",
                )
            elif self._roots[size] != claim.checkpoint.root:
                yield Problem(
                    None, f"history was rewritten: the first {size} entries are not those that {claim.where} signs"
                )


def _last_checkpoint(ledger: Ledger, size: int) -> Iterator[Problem]:
    covered = ledger.largest_checkpoint()
    if covered > size:
        yield Problem(size, f"cut off: a checkpoint over {covered} entries is stored, and {size} are left")
    elif covered < size:
        yield Problem(covered, "no checkpoint covers this entry and those after it")


def _claims(settings: Settings, against: str | Path | None, problems: list[Problem]) -> Iterator[Claim]:
    """Yield the checkpoints that lie around; one that cannot be relied on is a problem."""
    found: list[tuple[str, str]] = []
    own = settings.root / ".compliance" / "checkpoint"
    if own.is_file():
        found.append((".compliance/checkpoint", own.read_text(encoding="utf-8", errors="replace")))
    else:
        problems.append(Problem(None, "the file .compliance/checkpoint is missing"))
    for path in sorted((settings.root / "dossiers").rglob("*")):
        name = str(path.relative_to(settings.root))
        if path.name == "checkpoint" and path.is_file():
            found.append((name, path.read_text(encoding="utf-8", errors="replace")))
        elif path.suffix == ".zip" and path.is_file():
            try:
                found.append((name, read_member(path, "checkpoint").decode("utf-8", "replace")))
            except InvalidInput as error:
                problems.append(Problem(None, f"{name}: {error.problem}"))
    if against is not None:
        text = read_against(against)
        if "\n\n" in text:
            found.append(("the checkpoint given with --against", text))
        elif text.strip() != settings.log_key:
            problems.append(Problem(None, "the ledger is signed by another log key than the one given with --against"))
    for where, note in found:
        try:
            yield Claim(where, checkpoint.verify(note, settings.log_key))
        except (BadSignature, VerificationFailed) as error:
            problems.append(Problem(None, f"{where}: {error.problem}"))


# --- attachments, one record, the mirror --------------------------------------------------------------------


def _attachments(root: Path, ledger: Ledger, merged: Stretch) -> Iterator[Problem]:
    for digest, mentions in merged.attachments.items():
        kept = [
            mention
            for mention in mentions
            if ledger.stored_entries(mention[0], mention[0] + 1)[0][3] not in merged.erasures
        ]
        for index, size, name in kept[:1]:
            if problem := _attachment(root, digest, size, name):
                yield Problem(index, problem)


def _attachment(root: Path, digest: str, size: str, name: str) -> str | None:
    """Return what is wrong with an attachment on disk."""
    path = root / ".compliance" / "attachments" / digest
    try:
        with path.open("rb") as stream:
            actual = file_digest(stream, "sha256").hexdigest()
            length = stream.seek(0, 2)
    except FileNotFoundError:
        return f"the attachment {name} is missing"
    except OSError as error:
        return f"the attachment {name} cannot be read: {error.strerror}"
    if actual != digest or str(length) != size:
        return f"the attachment {name} was changed"
    return None


def _place(settings: Settings, ledger: Ledger, index: int, leaf: str) -> Iterator[str]:
    """Yield why the entry is not proved to stand in the tree that the newest checkpoint signs."""
    try:
        signed = checkpoint.verify(ledger.checkpoint() or "", settings.log_key)
        if index >= signed.size:
            yield "no checkpoint covers it"
            return
        path = ledger.inclusion(index, signed.size)
        merkle.verify_inclusion(merkle.leaf_hash(leaf.encode()), index, signed.size, path, signed.root)
    except (BadSignature, VerificationFailed) as error:
        yield error.problem


def _mirror(settings: Settings, report: Report) -> None:
    """Compare what was written to MLflow, which only `--all` reads."""
    from compliance.services import sync
    from compliance.services.workspace import Workspace

    try:
        with Workspace.open(settings.root, read_only=True) as ws:
            report.problems += sync.compare(ws)
        report.mirror = "checked"
    except Unavailable as error:
        report.mirror = "unreachable"
        report.notes.append(f"MLflow was not compared: {error.problem}")


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Return the problems, first bad record first, those of the whole ledger last; a flood is cut and counted."""
    unique = list(dict.fromkeys(problems))
    unique.sort(key=lambda problem: (problem.index is None, problem.index or 0))
    if len(unique) > MAX_PROBLEMS:
        rest = Problem(None, f"and {len(unique) - MAX_PROBLEMS} more problems")
        return [*unique[:MAX_PROBLEMS], rest]
    return unique
