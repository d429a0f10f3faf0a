"""What commands print with: results to stdout, talk to stderr, tables, progress.

On a terminal tables are Rich's; in a pipe they are plain aligned text, whole and uncoloured.
Text from evidence is data of others: control and direction characters in it, which could repaint a
terminal or turn a line around, are shown as escapes and never sent.
"""

import json
import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_HARMLESS = {"\n", "\t", "\u200c", "\u200d"}  # the last two join letters in Persian and Hindi
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}

COLOURS = {
    "met": "green",
    "passed": "green",
    "ok": "green",
    "partial": "yellow",
    "insufficient": "yellow",
    "stale": "yellow",
    "undetermined": "cyan",
    "warning": "yellow",
    "gap": "magenta",
    "failed": "bold red",
    "problem": "bold red",
    "not-applicable": "dim",
}
"""Colour repeats what the word says; nothing is said by colour alone."""
_ANSI = {"green": "1;32", "yellow": "1;33", "cyan": "1;36", "magenta": "1;35", "bold red": "1;31", "dim": "2"}
"""The same colours for lines that Rich does not print."""


def prepare() -> None:
    """Make both streams take any text: what their encoding lacks is escaped; a closed one takes it nowhere."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def silence() -> None:
    """Send what is still buffered nowhere: the reader of our pipe has left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def clean(text: object) -> str:
    """Return `text` with every control, direction and invisible character spelled out."""
    string = str(text)
    if string.isascii() and string.isprintable():
        return string
    return "".join(
        c if c in _HARMLESS or unicodedata.category(c) not in _UNSAFE else c.encode("unicode_escape").decode()
        for c in string
    )


def line(text: object) -> str:
    """Return `text` cleaned and on one line."""
    return " ".join(clean(text).split())


def result(value: Any) -> None:
    """Print a result as JSON, in ASCII, so that no terminal can be addressed through it."""
    print(json.dumps(value, indent=2, ensure_ascii=True))


def row(value: Any) -> None:
    """Print one of a stream of results: a line of JSON each."""
    print(json.dumps(value, ensure_ascii=True), flush=True)


def put(text: object = "") -> None:
    """Print a line of a result."""
    print(clean(text))


def say(text: object) -> None:
    """Say something about the work, on stderr."""
    shown = clean(text)
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        shown = "\n".join(textwrap.fill(paragraph, width, break_long_words=False) for paragraph in shown.splitlines())
    print(shown, file=sys.stderr)


def error(problem: str, remedy: str) -> None:
    """Say what is wrong and, on the next line, what to do."""
    label = "\x1b[1;31mError:\x1b[0m" if _colour(sys.stderr) else "Error:"
    print(f"{label} {clean(problem)}", file=sys.stderr)
    if remedy:
        print(f"  {clean(remedy)}", file=sys.stderr)


def _colour(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def console() -> "Console":
    """Return Rich's console for stdout; only terminals pay for its import."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, colours: Sequence[str] = ()) -> None:
    """Print a table. On a terminal columns wrap; the first, which names the row, only where it takes over half.

    `colours` names, by column, the finding whose colour its counts have; noughts stay dim.
    """
    cells = [[line(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        _plain(headers, cells)
        return
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    whole = max((len(row[0]) for row in cells), default=0) <= console().width // 2
    for position, header in enumerate(headers):
        numbers = bool(cells) and all(row[position].isdigit() for row in cells)
        grid.add_column(
            header, no_wrap=position == 0 and whole, overflow="fold", justify="right" if numbers else "left"
        )
    for row in cells:
        named = zip(row, colours or row, strict=True)
        grid.add_row(*(Text(cell, style="dim" if cell == "0" else COLOURS.get(name, "")) for cell, name in named))
    console().print(grid)


def _plain(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in (headers, *rows)) for i in range(len(headers))]
    for row in (headers, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def heading(text: object, *, colour: str = "") -> None:
    """Print a heading above the part that follows, in the colour of a finding where it is about one."""
    put()
    if _colour(sys.stdout):
        print(f"\x1b[{_ANSI.get(COLOURS.get(colour, ''), '1')}m{line(text)}\x1b[0m")
    else:
        print(line(text))


def fields(pairs: Mapping[str, object] | Iterable[tuple[str, object]], *, indent: int = 0) -> None:
    """Print name and value pairs, values wrapped to the terminal beside their names."""
    items = [(name, clean(value)) for name, value in (pairs.items() if isinstance(pairs, Mapping) else pairs)]
    edge = indent + max((len(name) for name, _ in items), default=0) + 2
    width = max(shutil.get_terminal_size().columns, edge + 30) if sys.stdout.isatty() else 10**6
    for name, value in items:
        start = f"{' ' * indent}{name}".ljust(edge)
        for paragraph in value.splitlines() or [""]:
            print(textwrap.fill(paragraph, width, initial_indent=start, subsequent_indent=" " * edge) or start.rstrip())
            start = " " * edge


class Progress(Protocol):
    """What services call while they work: what they are doing, and how far they are where that is known."""

    def __call__(self, text: str, done: int | None = None, total: int | None = None) -> None: ...


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """Show progress on stderr: a bar on a terminal, one plain line per step elsewhere."""
    if quiet:
        yield lambda text, done=None, total=None: None
    elif sys.stderr.isatty():
        yield from _bar(title)
    else:
        last = ""

        def step(text: str, done: int | None = None, total: int | None = None) -> None:
            nonlocal last
            if text != last:
                say(text)
                last = text

        yield step


def _bar(title: str) -> Iterator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from compliance.storage import keys

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, markup=False), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def step(text: str, done: int | None = None, total: int | None = None) -> None:
            bar.update(task, description=line(text)[:50], completed=done or 0, total=total)

        def prompt(text: str) -> str:
            bar.stop()
            try:
                return plain(text)
            finally:
                bar.start()

        plain, keys.prompt = keys.prompt, prompt
        try:
            yield step
        finally:
            keys.prompt = plain
