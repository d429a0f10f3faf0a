"""`compliance demo`: the main job on two real systems, each in a process of its own.

Makes two workspaces anew at every run. What stands in their place is removed only if a demonstration made it,
which a marker file in the folder tells; anything else is refused, never touched.
"""

import multiprocessing
import os
import shutil
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic
from typing import Any

from compliance.errors import ComplianceError, InvalidInput, Unavailable

EXAMPLES = ("clinical-risk", "deepseek-r1")
STEPS = 7
"""Steps that each example tells of."""
MARKER = ".compliance-demo"
OUTPUT = "demo.log"
"""What libraries print while an example is built; in the example's workspace."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What one example made and found."""

    title: str
    workspace: str
    summary: dict[str, str] = field(default_factory=dict)
    """Lines for the screen: what was made, what was found missing, what opens the portal."""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """Findings by catalog and verdict."""
    dossiers: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def run(target: Path, progress: Callable[..., None]) -> list[DemoResult]:
    """Build both examples below `target`. Raises InvalidInput where something else stands in their place."""
    folders = {name: _fresh(Path(target).resolve() / name) for name in EXAMPLES}
    spawn = multiprocessing.get_context("spawn")
    running: dict[Connection, tuple[str, Any]] = {}
    for name, folder in folders.items():
        here, there = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_build, args=(name, folder, there), name=name)
        process.start()
        there.close()
        running[here] = (name, process)
    try:
        results = _follow(running, progress)
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
    return [results[name] for name in EXAMPLES]


def _follow(running: dict[Connection, tuple[str, Any]], progress: Callable[..., None]) -> dict[str, DemoResult]:
    """Hand on what the examples tell until both are done. Raises what one of them could not do."""
    results: dict[str, DemoResult] = {}
    waiting, steps = set(running), 0
    while waiting:
        for ready in wait(waiting):
            assert isinstance(ready, Connection)
            name, process = running[ready]
            try:
                said = ready.recv()
            except EOFError:
                process.join()
                raise Unavailable(
                    f"The example {name} was ended before it was done (exit code {process.exitcode}).",
                    remedy=f"Look for the reason in its {OUTPUT}, and whether memory ran out; then try again.",
                ) from None
            if isinstance(said, DemoResult):
                results[name] = said
                waiting.discard(ready)
            elif isinstance(said, str):
                steps += 1
                progress(f"{name}: {said}", steps, STEPS * len(EXAMPLES))
            else:
                kind, problem, remedy = said
                raise kind(f"{name}: {problem}", remedy=remedy)
    return results


def _fresh(folder: Path) -> Path:
    """Return an empty folder that carries the marker. Raises InvalidInput for one that no demonstration made."""
    if folder.is_symlink() or (folder.exists() and not (folder / MARKER).is_file()):
        raise InvalidInput(
            f"{folder} was not made by `compliance demo`, so it is left alone.",
            remedy="Move it away, or name another folder with --workspace.",
        )
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        (folder / MARKER).write_text("Made by `compliance demo`, which removes this folder when it is run again.\n")
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be made anew: {error.strerror}.",
            remedy="Check permissions and space, or name another folder.",
        ) from error
    return folder


def _build(name: str, folder: Path, told: Connection) -> None:
    """Build one example in this process; what libraries print goes to its log."""
    log = os.open(folder / OUTPUT, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    started = monotonic()
    try:
        from compliance.services import demo_examples

        made = demo_examples.build(name, folder, told.send)
        told.send(DemoResult(**made, seconds=round(monotonic() - started, 1)))
    except ComplianceError as error:
        told.send((type(error), error.problem, error.remedy))
    except Exception as error:
        traceback.print_exc()
        told.send((Unavailable, f"{type(error).__name__}: {error}", f"{folder / OUTPUT} has the whole of it."))
    finally:
        told.close()
