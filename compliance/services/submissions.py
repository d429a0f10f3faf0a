"""Files of a submission, measured where they lie: `files: [{path: 001_summary.pdf, section: …}]` is enough."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from compliance.errors import InvalidInput

Found = Callable[[Path], Path]
"""Returns the real path of a file that a record names, or refuses it."""


def measured(record: Mapping[str, Any], found: Found) -> Mapping[str, Any]:
    """Replace each `path` among the files of a submission by what is measured there.

    Raises InvalidInput where a file is not there or is no PDF, or where the record says otherwise than its bytes.
    """
    lists = {name: record[name] for name in ("files", "other_files") if isinstance(record.get(name), list)}
    if not any(_named(file) for files in lists.values() for file in files):
        return record
    import pikepdf

    read: dict[str, Any] = {name: [_file(file, found, pdf=name == "files") for file in lists[name]] for name in lists}
    sizes = [file.get("bytes") for files in read.values() for file in files if isinstance(file, Mapping)]
    if all(isinstance(size, str) and size.isdecimal() for size in sizes):
        read["package"] = record.get("package", {"bytes": str(sum(int(str(size)) for size in sizes))})
    if "files" in lists and all(map(_named, lists["files"])):
        read["files_checked_by"] = f"pikepdf {pikepdf.__version__}"
    return {**record, **read}


def _named(file: Any) -> bool:
    return isinstance(file, Mapping) and "path" in file


def _file(file: Any, found: Found, *, pdf: bool) -> Any:
    from compliance.render.facts import pdf_facts
    from compliance.storage.digests import file_digest

    if not _named(file):
        return file
    path = found(Path(str(file["path"])))
    facts = {"name": path.name, "bytes": str(path.stat().st_size), "sha256": file_digest(path)}
    facts |= pdf_facts(path) if pdf else _archive(path)
    given = {name: value for name, value in file.items() if name != "path"}
    for name, value in facts.items():
        if given.get(name, value) != value:
            raise InvalidInput(
                f"{path.name}: {name} is given as {given[name]}, but it is {value}.", remedy=f"Leave {name} out."
            )
    return facts | given


def _archive(path: Path) -> dict[str, Any]:
    from zipfile import BadZipFile, ZipFile, is_zipfile

    if not is_zipfile(path):
        return {"zipped": False, "holds_pdf": path.suffix.lower() == ".pdf"}
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except BadZipFile as error:
        raise InvalidInput(f"{path.name} is a damaged zip file ({error}).", remedy="Pack it again.") from error
    return {"zipped": True, "holds_pdf": any(name.lower().endswith(".pdf") for name in names)}
