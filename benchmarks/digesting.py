"""Digesting a model, beside OpenSSF model-signing and `openssl dgst -sha256` on the same files; and once more, cached.

Both digest with OpenSSL's SHA-256 on every core, so on an idle machine with SHA extensions the ratio cannot fall much
below one: hashing itself is most of either's time. On a busy machine model-signing, with more threads than cores, gets
more of it.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import Options, Row, in_turns, ratio
from compliance.storage.digest_cache import SETTLED, DigestCache
from compliance.storage.digests import subject_digest
from compliance.storage.keys import create_key

GROUP = "digesting"


def measure(options: Options) -> list[Row]:
    from model_signing import hashing

    def peer(folder: Path) -> None:
        config: Any = hashing.Config
        config().use_file_serialization().hash(folder)

    total = options.size(4 << 30, 256 << 20)
    large = _model(options.scratch / "large", total, 8)
    ours, signing, openssl = in_turns(
        options.size(3, 1),
        lambda: subject_digest(large),
        lambda: peer(large),
        lambda: subprocess.run(["openssl", "dgst", "-sha256", *large.iterdir()], check=True, capture_output=True),
        warm_up=1,
    )
    (again,) = in_turns(5, _logged_before(large, options.scratch), warm_up=1)
    shutil.rmtree(large)
    count = options.size(20_000, 2_000)
    small = _model(options.scratch / "small", count * 1_024, count)
    ours_small, signing_small = in_turns(3, lambda: subject_digest(small), lambda: peer(small), warm_up=1)
    name = f"a model of {total / (1 << 30):.2g} GiB in 8 files"
    return [
        ratio(GROUP, name, ours, signing, "s", "model-signing", 0.70),
        ratio(GROUP, name, ours, openssl, "s", "openssl dgst -sha256", 0.60),
        ratio(GROUP, f"{name}, again with the cache", again, signing, "s", "model-signing", 0.01),
        ratio(GROUP, f"{count:,} files of 1 KiB", ours_small, signing_small, "s", "model-signing", 0.25),
    ]


def _logged_before(model: Path, scratch: Path) -> Callable[[], object]:
    """Return the digesting of a model that was digested before, cache read from disk and all."""
    signer = create_key(scratch / "keys", "benchmark", b"benchmark")
    time.sleep(SETTLED / 1e9)
    first = DigestCache(scratch / "digests.json", signer)
    subject_digest(model, first)
    first.save()
    return lambda: subject_digest(model, DigestCache(scratch / "digests.json", signer))


def _model(folder: Path, size: int, files: int) -> Path:
    """Write a folder of random files; one part of it, as models are, in one file."""
    folder.mkdir()
    each = size // files
    block = os.urandom(min(each, 1 << 24))
    for n in range(files):
        with (folder / f"part-{n:05d}.bin").open("wb") as stream:
            left = each
            while left:
                stream.write(block[:left])
                left -= min(left, len(block))
    return folder
