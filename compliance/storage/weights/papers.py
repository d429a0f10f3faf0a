"""The small files beside the weights that say what they are: MLflow's, Hugging Face's, and the environment's.

Known by their names at the top of the folder, as the tools that write them have it. They are a statement by whoever
made the folder, not a measurement; what cannot be read as their format says is told in a remark, and no more is taken.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from compliance.core import packages
from compliance.core.reading import read_foreign, read_records
from compliance.errors import InvalidInput
from compliance.storage.weights.facts import Facts

MAX_BYTES = 16 << 20
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def read(path: Path, name: str) -> Facts | None:
    """Return what a file beside the weights says, or None for a file of another name."""
    reader = _READERS.get(name) or (_index if name.endswith(".index.json") else None)
    if reader is None or not path.is_file() or path.is_symlink():
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            return Facts("", remarks=[f"{name} is larger than {MAX_BYTES >> 20} MB and was not read."])
        data = path.read_bytes()
    except OSError:
        return None  # digesting it says what is wrong
    try:
        return reader(data, name)
    except InvalidInput as error:
        return Facts("", remarks=[f"Nothing was taken from {name}: {error.problem}"])


def _mlmodel(data: bytes, name: str) -> Facts:
    told = _yaml(data, name)
    flavors = _mapping(told.get("flavors"))
    python = _mapping(flavors.get("python_function")).get("python_version")
    frameworks = [_flavor(flavor, _mapping(said)) for flavor, said in flavors.items() if flavor != "python_function"]
    signature = _mapping(told.get("signature"))
    fields = {
        "framework": ", ".join(frameworks)[:200],
        "inputs": _columns(signature.get("inputs"), name),
        "outputs": _columns(signature.get("outputs"), name),
        "environment": {"python": python} if isinstance(python, str) else None,
    }
    code = _mapping(flavors.get("python_function")).get("code")
    remarks = [f"{name} has code of its own loaded with the model, from {code}."] if isinstance(code, str) else []
    return Facts("", fields=_said(fields), remarks=remarks)


def _flavor(name: str, told: Mapping[str, Any]) -> str:
    version = next((said for key, said in told.items() if key.endswith("_version") and isinstance(said, str)), "")
    return f"{name} {version}".strip()


def _columns(told: Any, name: str) -> list[dict[str, Any]] | None:
    """Return a side of MLflow's signature, a JSON text inside the YAML, as columns."""
    side = read_foreign(told.encode(), f"The signature in {name}") if isinstance(told, str) else None
    if not isinstance(side, list):
        return None
    columns = []
    for position, column in enumerate(map(_mapping, side)):
        spec = _mapping(column.get("tensor-spec"))
        sizes = spec.get("shape")
        shape = ", ".join(map(str, sizes)) if isinstance(sizes, list) else "?"
        kind = f"{spec.get('dtype')}[{shape}]" if spec else str(column.get("type"))
        required = column.get("required")
        columns.append(
            {"name": str(column.get("name") or f"tensor_{position}")[:200], "type": kind[:200]}
            | ({"required": required} if isinstance(required, bool) else {})
        )
    return columns or None


def _config(data: bytes, name: str) -> Facts:
    told = _mapping(read_foreign(data, name))
    if not {"model_type", "architectures"} & told.keys():
        return Facts("")
    architectures = told.get("architectures")
    version = told.get("transformers_version")
    context = told.get("max_position_embeddings") or told.get("n_positions")
    fields = {
        "architecture": ", ".join(map(str, architectures)) if isinstance(architectures, list) else None,
        "framework": f"transformers {version}"[:200] if isinstance(version, str) else None,
        "vocabulary": _positive(told.get("vocab_size")),
        "context_length": _positive(context),
    }
    remarks = []
    if told.get("auto_map"):
        remarks.append(f"{name} asks for code of the model's own (`trust_remote_code`) when it is loaded.")
    if method := _mapping(told.get("quantization_config")).get("quant_method"):
        remarks.append(f"{name} says that the weights are quantized: {method}.")
    return Facts("", fields=_said(fields), remarks=remarks)


def _adapter(data: bytes, name: str) -> Facts:
    told = _mapping(read_foreign(data, name))
    base, kind = told.get("base_model_name_or_path"), told.get("peft_type")
    remarks = [f"The weights are an adapter ({kind}); they are nothing without the base model."] if kind else []
    return Facts("", base_models=[base] if isinstance(base, str) and base else [], remarks=remarks)


def _index(data: bytes, name: str) -> Facts:
    shards = _mapping(_mapping(read_foreign(data, name)).get("weight_map")).values()
    return Facts("", needs=sorted({shard for shard in shards if isinstance(shard, str)}))


def _readme(data: bytes, name: str) -> Facts:
    front = _FRONT.match(data.decode("utf-8-sig", "replace"))
    if front is None:
        return Facts("")
    told = _yaml(front[1].encode(), f"The front matter of {name}")
    licence = told.get("license")
    languages = [one for one in _texts(told.get("language")) if _LANGUAGE.fullmatch(one)]
    datasets = _texts(told.get("datasets"))
    fields = {
        "licence": told.get("license_name") if licence == "other" else licence,
        "licence_terms": told.get("license_link"),
        "languages": languages,
        "framework": told.get("library_name"),
        "task": told.get("pipeline_tag"),
        "development_data_statement": f"{name} names as datasets: {', '.join(datasets)}." if datasets else None,
    }
    fields = {field: said for field, said in fields.items() if isinstance(said, str | list)}
    return Facts("", fields=_said(fields), base_models=_texts(told.get("base_model")))


def _requirements(data: bytes, name: str) -> Facts:
    return _environment(packages.requirements(data.decode("utf-8-sig", "replace")))


def _conda(data: bytes, name: str) -> Facts:
    return _environment(packages.conda(_yaml(data, name)))


def _environment(found: packages.Environment) -> Facts:
    listed = [{"name": one.name, "version": one.version} for one in found.packages if one.version]
    said = {"python": found.python, "packages": listed}
    return Facts("", fields=_said({"environment": _said(said)}))


def _yaml(data: bytes, name: str) -> dict[str, Any]:
    return read_records(data, name)[0].value


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    """Return one text or a list of texts as a list."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one]


def _positive(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if value not in (None, "", [], {})}


_READERS: dict[str, Callable[[bytes, str], Facts]] = {
    "MLmodel": _mlmodel,
    "config.json": _config,
    "adapter_config.json": _adapter,
    "README.md": _readme,
    "requirements.txt": _requirements,
    "conda.yaml": _conda,
    "python_env.yaml": _conda,
}
NAMES = tuple(_READERS)
