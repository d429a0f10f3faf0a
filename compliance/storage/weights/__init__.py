"""What the files of a model say of themselves, read from their headers: nothing is loaded, imported or executed.

One module per format. Each takes an open file and returns `Facts`, or None for a file that is not its format; it reads
headers only, under limits, and raises Malformed for one that lies: lengths beyond the file, names given twice, tensors
that overlap. Formats that are programs (pickles) are taken apart as bytes, to name what loading them would import.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from compliance.errors import InvalidInput
from compliance.storage.weights import archives, gguf, numpys, onnx, pickles, safetensors, saved_model
from compliance.storage.weights.facts import Facts, Malformed

__all__ = ["Facts", "read"]

_READERS: tuple[Callable[[BinaryIO, str, int], Facts | None], ...] = (
    safetensors.read,
    gguf.read,
    numpys.read,
    archives.read,
    onnx.read,
    saved_model.read,
    pickles.read,
)
"""Asked in this order: formats that begin with a sign of their own first, those known by a file's name last."""


def read(path: Path, name: str) -> Facts | None:
    """Return what one file says of itself, or None where it is no format known here.

    Raises InvalidInput for a file that is of a known format and breaks its rules, naming it as `name`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            for reader in _READERS:
                file.seek(0)
                if (facts := reader(file, name, status.st_size)) is not None:
                    return facts
    except Malformed as error:
        raise InvalidInput(
            f"{name} cannot be trusted: {error}.",
            remedy="Make the file again with the tool that wrote it, or fetch it again and compare its digest.",
        ) from None
    except OSError:
        return None  # digesting it, which nothing can be logged without, says what is wrong
    return None
