"""The command line: thin commands, one file per group; each parses, calls one service and prints.

Results go to stdout, talk to stderr. Nothing heavy is imported before a command needs it:
`compliance --help` reads a static table (`commands.py`), and a command's file is imported
when that command is run.
"""

from compliance.cli.edge import main

__all__ = ["main"]
