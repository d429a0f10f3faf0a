"""TensorFlow's SavedModel: the version that wrote it, and operations that touch the machine it runs on.

A protobuf message (tensorflow/core/protobuf/saved_model.proto); the variables beside it are not read.
"""

from collections.abc import Iterator
from typing import BinaryIO

from compliance.storage.weights.facts import Facts
from compliance.storage.weights.protobuf import Message

NAME = "saved_model.pb"
_RISKY = frozenset({"ReadFile", "WriteFile", "PyFunc", "PyFuncStateless", "EagerPyFunc"})


def read(file: BinaryIO, name: str, size: int) -> Facts | None:
    """Return the facts of a `saved_model.pb`."""
    if name.rpartition("/")[2] != NAME:
        return None
    version, operations = "", set[str]()
    for meta_graph in _inside(Message.whole(file, size), 2):
        for info in _inside(meta_graph, 1):
            version = next((said.text() for said in _inside(info, 5)), version)
        for graph in _inside(meta_graph, 2):
            operations |= {op for node in _inside(graph, 1) for op in _operation(node)}
            functions = (function for library in _inside(graph, 2) for function in _inside(library, 1))
            operations |= {op for function in functions for node in _inside(function, 3) for op in _operation(node)}
    risky = sorted(operations & _RISKY)
    remarks = [f"{name} reads or writes files, or calls Python: {', '.join(risky)}."] if risky else []
    fields = {"framework": f"TensorFlow {version}"[:200]} if version else {}
    return Facts("SavedModel", fields=fields, runs_code=bool(risky), remarks=remarks)


def _inside(message: Message, wanted: int) -> Iterator[Message]:
    for number, value in message:
        if number == wanted and isinstance(value, Message):
            yield value


def _operation(node: Message) -> Iterator[str]:
    yield from (said.text() for said in _inside(node, 2))
