"""Names and tokens in addresses: whoever writes one there does not mean it to be signed and kept for ever."""

import re

SECRET = re.compile(r"://(?!git@)(?![^/\s@]*\$\{)[^/\s@]+@")
"""A user or token in an address; `git@` is none, and a variable (`${TOKEN}`) holds it elsewhere."""


def withheld(text: str) -> str:
    """Return the text with what stands before the host of an address withheld, visibly."""
    return SECRET.sub("://[withheld]@", text)
