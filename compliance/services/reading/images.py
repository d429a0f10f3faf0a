"""Image folders: one row an image, of what its header says. No pixel is decoded and no EXIF tag is read.

Two images are the same record where their bytes are the same: a copy that was resized, cropped or saved again is not
found by that.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from compliance.services.reading.data import Data
from compliance.services.reading.table import from_text

MAGIC = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+",
    b"\x00\x00\x00\x0cjP  ",
)  # fmt: skip
COLUMNS = ("folder", "format", "width", "height", "mode", "sha256")


def is_image(start: bytes) -> bool:
    return start.startswith(MAGIC) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


def read(root: Path, files: Sequence[str], digests: Mapping[str, str]) -> Data:
    """Read the headers of `files` under `root`; `digests` holds the SHA-256 of each."""
    from PIL import Image, UnidentifiedImageError

    rows: list[tuple[str | None, ...]] = []
    with _headers_only():
        for name in files:
            try:
                with Image.open(root / name) as image:
                    said = image.format, str(image.width), str(image.height), image.mode
            except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
                continue
            rows.append((folder(name), *said, digests[name]))
    broken = len(files) - len(rows)
    gaps = [f"{broken} of {len(files)} images could not be read."] if broken else []
    if not rows:
        return Data(gaps=gaps)
    columns = {column: list(values) for column, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)}
    table = from_text(str(root), "image folder", [columns], 0)
    return Data(table, {"file_format": "image folder"}, gaps, {"groups": ["format"]}, ("sha256",))


def folder(name: str) -> str | None:
    """Return the first folder on the way to a file: in many image sets, its class."""
    parts = PurePosixPath(name).parts
    return parts[0] if len(parts) > 1 else None


@contextmanager
def _headers_only() -> Iterator[None]:
    """Let Pillow open whole-slide images: its limit protects those who decode."""
    from PIL import Image

    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
