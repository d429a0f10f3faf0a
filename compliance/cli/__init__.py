"""The command line: thin commands, one file per group; each parses, calls one service and prints.

Results go to stdout, talk to stderr. Nothing heavy is imported before a command needs it:
`compliance --help` reads a static table (`commands.py`), and a command's file is imported
when that command is run.
"""

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line. Even its own imports may be interrupted without a traceback."""
    try:
        from compliance.cli.edge import main as run

        run()
    except KeyboardInterrupt:
        print("Interrupted before anything was done.", file=sys.stderr)
        sys.exit(130)
