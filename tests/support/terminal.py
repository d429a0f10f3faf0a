"""A command on a terminal of a given width: what a person would see, colours included."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE = 90
"""Seconds without a word after which a command is taken to wait for keys that nobody typed."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def screen(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], columns: int = 80, keys: str = ""
) -> tuple[int, str]:
    """Run `compliance` on a pseudo-terminal, typing `keys`; return its exit code and all that was shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "compliance", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env={name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")} | {"TERM": "xterm"},
        close_fds=True,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, keys.encode())
    shown = b""
    while select.select([ours], [], [], PATIENCE)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side was closed: Linux answers EIO
            break
        shown += part
    else:
        process.kill()
    os.close(ours)
    return process.wait(timeout=PATIENCE), shown.decode().replace("\r\n", "\n")


def plain(shown: str) -> str:
    """Return what was shown without its colours."""
    return COLOUR.sub("", shown)
