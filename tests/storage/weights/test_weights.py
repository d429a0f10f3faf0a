"""Facts of model files, as the formats' own tools write them; and files that lie are refused."""

import itertools
import json
import pickle
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import gguf
import joblib
import numpy as np
import onnx
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save
from sklearn.linear_model import LogisticRegression

from compliance.errors import InvalidInput
from compliance.storage import weights
from compliance.storage.weights import Facts, pickles
from compliance.storage.weights.facts import Malformed
from compliance.storage.weights.protobuf import Message


def facts(path: Path) -> Facts:
    found = weights.read(path, path.name)
    assert found is not None
    return found


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


class Boom:
    """Leaves a mark where it is unpickled."""

    mark: str

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)

    def __reduce__(self):
        return (open, (self.mark, "w"))


# --- safetensors -----------------------------------------------------------------------------------


def raw(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def test_safetensors_as_its_own_library_writes_it(tmp_path: Path) -> None:
    tensors = {"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float16), "empty": np.zeros((0, 3), np.float32)}
    found = facts(written(tmp_path / "model.safetensors", save(tensors, {"format": "pt"})))
    assert (found.format, found.tensors, found.parameters, found.runs_code) == ("safetensors", 3, 17, False)
    assert found.elements == {"F32": 12, "F16": 5}


def test_packed_integers_are_not_taken_for_parameters(tmp_path: Path) -> None:
    tensors = {"qweight": np.zeros((8, 8), np.int32), "scales": np.zeros(8, np.float16)}
    found = facts(written(tmp_path / "gptq.safetensors", save(tensors)))
    assert found.parameters is None
    assert "64 numbers are stored as integers" in found.remarks[0]


def tensor(begin: int, end: int, shape: list[object] | None = None, dtype: str = "U8") -> dict[str, object]:
    return {"dtype": dtype, "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "does not begin"),
        (b"\xff" * 8 + b"{", "claims"),
        (struct.pack("<Q", 1 << 62) + b"{}", "claims"),
        (raw(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":1}', b"x"), "twice"),
        (raw({"a": tensor(0, 4), "b": tensor(2, 6)}, b"xxxxxx"), "overlaps"),
        (raw({"a": tensor(0, 2), "b": tensor(4, 6)}, b"xxxxxx"), "belong to none"),
        (raw({"a": tensor(0, 2)}, b"xxxxxx"), "belong to no tensor"),
        (raw({"a": tensor(0, 9)}, b"x"), "outside the file"),
        (raw({"a": tensor(0, 4, [9])}, b"xxxx"), "takes 4 bytes"),
        (raw({"a": tensor(0, 4, [-1])}, b"xxxx"), "impossible"),
        (raw({"a": tensor(0, 4, [True] * 4)}, b"xxxx"), "impossible"),
        (raw({"a": tensor(0, 4, dtype="F7")}, b"xxxx"), "none of the format's"),
        (raw({"a": {"dtype": "U8"}}), "lacks"),
        (raw({"__metadata__": {"x": 1}}), "not texts"),
        (raw(b"[" * 100_000), "begin with"),
        (raw(b'{"a":' + b"[" * 100_000), "nested deeper"),
    ],
)
def test_a_safetensors_header_that_lies_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        facts(written(tmp_path / "x.safetensors", data))
    assert caught.value.remedy


# --- GGUF ------------------------------------------------------------------------------------------


@pytest.fixture
def model_gguf(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_license("apache-2.0")
    writer.add_context_length(4096)
    writer.add_languages(["en", "de"])
    writer.add_token_list([f"token-{n}" for n in range(300)])
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, "Base 7B")
    writer.add_tensor("x", np.zeros((4, 32), np.float32))
    writer.add_tensor("y", np.zeros((8, 18), np.uint8), raw_dtype=gguf.GGMLQuantizationType.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_gguf_as_its_own_library_writes_it(model_gguf: Path) -> None:
    found = facts(model_gguf)
    assert (found.format, found.tensors, found.parameters) == ("GGUF", 2, 4 * 32 + 8 * 32)
    assert found.elements == {"F32": 128, "Q4_0": 256}
    assert found.fields == {
        "architecture": "llama",
        "licence": "apache-2.0",
        "context_length": 4096,
        "languages": ["en", "de"],
    }
    assert found.base_models == ["Base 7B"]


def header(keys: bytes = b"", tensors: bytes = b"", *, of: tuple[int, int] = (0, 0), body: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, of[1], of[0]) + keys + tensors + body


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def place(name: bytes, dims: list[int], kind: int, begin: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, begin)


ONE = text(b"k") + struct.pack("<II", 4, 1)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GGUX" + bytes(60), "does not begin as GGUF"),
        (header(of=(1 << 60, 0)), "claims 1152921504606846976 keys or tensors"),
        (header(of=(9, 0)), "does not end|cut off"),
        (header(struct.pack("<Q", 1 << 60), of=(1, 0)), "does not end"),
        (header(ONE + ONE, of=(2, 0)), "twice"),
        (header(text(b"k") + struct.pack("<I", 99), of=(1, 0)), "none of the format's"),
        (header(text(b"k") + struct.pack("<IIQ", 9, 9, 1 << 40), of=(1, 0)), "none may hold"),
        (header(text(b"k") + struct.pack("<IIQ", 9, 0, 1 << 62), of=(1, 0)), "does not end"),
        (header(b"", place(b"a", [8], 0, 0) * 2, of=(0, 2), body=bytes(64)), "twice"),
        (header(b"", place(b"a", [8], 0, 0) + place(b"b", [8], 0, 16), of=(0, 2), body=bytes(128)), "overlaps"),
        (header(b"", place(b"a", [1 << 20], 0, 0), of=(0, 1), body=bytes(64)), "outside"),
        (header(b"", place(b"a", [2] * 9, 0, 0), of=(0, 1), body=bytes(64)), "9 dimensions"),
        (header(b"", place(b"a", [1 << 63, 1 << 63], 33, 0), of=(0, 1), body=bytes(64)), "more numbers"),
    ],
)
def test_a_gguf_header_that_lies_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        facts(written(tmp_path / "x.gguf", data))


# --- ONNX ------------------------------------------------------------------------------------------


def onnx_model(**options: object) -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(np.zeros((3, 2), np.float32), "w")],
    )
    return helper.make_model(graph, producer_name="pytorch", producer_version="2.9", **options)


def test_onnx_as_its_own_library_writes_it(tmp_path: Path) -> None:
    model = onnx_model(opset_imports=[helper.make_opsetid("", 21)])
    found = facts(written(tmp_path / "m.onnx", model.SerializeToString()))
    assert (found.format, found.tensors, found.parameters, found.runs_code) == ("ONNX", 1, 6, False)
    assert found.elements == {"F32": 6}
    assert found.fields["framework"] == f"ONNX IR {model.ir_version}, operators ai.onnx 21, written by pytorch 2.9"
    assert found.fields["inputs"] == [{"name": "x", "type": "FLOAT[N, 3]"}]
    assert found.fields["outputs"] == [{"name": "y", "type": "FLOAT[N, 2]"}]


def test_foreign_operators_are_told_and_external_data_named(tmp_path: Path) -> None:
    model = onnx_model(opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.example", 1)])
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    found = facts(tmp_path / "m.onnx")
    assert found.needs == ["w.data"]
    assert found.runs_code is None
    assert "com.example" in found.remarks[0]


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "a/../../b", "..\\b"])
def test_onnx_weights_outside_the_folder_are_refused(tmp_path: Path, place: str) -> None:
    model = onnx_model()
    (initializer,) = model.graph.initializer
    initializer.data_location = TensorProto.EXTERNAL
    initializer.external_data.add(key="location", value=place)
    with pytest.raises(InvalidInput, match="outside the model's folder"):
        facts(written(tmp_path / "m.onnx", model.SerializeToString()))


def test_onnx_that_claims_what_it_does_not_hold_is_refused(tmp_path: Path) -> None:
    model = onnx_model()
    model.graph.initializer[0].dims[:] = [1 << 40, 1 << 10]
    whole = model.SerializeToString()
    for data in (whole, b"", onnx_model().SerializeToString()[:-5], b"\xff" * 30, b"\x0a\xff\xff\xff\xff\x0f"):
        with pytest.raises(InvalidInput, match="cannot be trusted"):
            facts(written(tmp_path / "m.onnx", data))


def test_a_field_that_reaches_beyond_its_message_is_refused(tmp_path: Path) -> None:
    inner = b"\x0a\x7f" + b"x" * 4  # says 127 bytes, in a message of six
    path = written(tmp_path / "m.bin", b"\x0a" + bytes([len(inner)]) + inner + bytes(200))
    with path.open("rb") as file:
        (number, outer), *_ = itertools.islice(Message.whole(file, path.stat().st_size), 1)
        assert number == 1
        assert isinstance(outer, Message)
        with pytest.raises(Malformed, match="longer than"):
            next(iter(outer))


# --- pickles and what holds them -------------------------------------------------------------------

FITTED = LogisticRegression().fit(np.arange(20).reshape(10, 2), [0, 1] * 5)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_named_and_never_loaded(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "mark"
    found = facts(written(tmp_path / "m.pkl", pickle.dumps([FITTED, Boom(mark)], protocol=protocol)))
    assert (found.format, found.runs_code) == ("pickle", True)
    assert "sklearn.linear_model._logistic.LogisticRegression" in found.imports
    assert {"io.open", "__builtin__.open", "builtins.open", "_io.open"} & set(found.imports)
    assert not found.remarks
    assert not mark.exists()
    if protocol in (2, 3, 4):  # the module's name stands in the pickle once, and is fetched again
        assert {"numpy.ndarray", "numpy.dtype"} <= set(found.imports)


@pytest.mark.parametrize("name", ["m.joblib", "m.joblib.gz", "m.joblib.z", "m.joblib.xz", "m.joblib.bz2", "zlib"])
def test_joblib_is_a_pickle_that_cannot_be_followed_to_its_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / name.replace("zlib", "c.joblib")
    joblib.dump(FITTED, path, compress=3 if name == "zlib" else 0)  # 0: as the name says
    found = facts(path)
    assert (found.format, found.runs_code) == ("pickle", True)
    assert found.imports[0] == "sklearn.linear_model._logistic.LogisticRegression"
    assert "may import more" in found.remarks[0]


def test_pickles_of_hostile_sizes_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert facts(written(tmp_path / "m.pkl", b"\x80\x02c\n\n.")).imports == ["unknown"]
    for body in (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f", b"\x80\x04", b"\x80\x05" + b"\x93" * 9):
        found = facts(written(tmp_path / "m.pkl", body))
        assert found.runs_code
    found = facts(written(tmp_path / "m.pkl", pickle.dumps([[FITTED], [1] * 600_000, 2.5])))
    assert "sklearn.linear_model._logistic.LogisticRegression" in found.imports
    monkeypatch.setattr(pickles, "MOST_STEPS", 1000)
    assert "may import more" in facts(tmp_path / "m.pkl").remarks[0]
    bomb = pickle.dumps(bytes(100 << 20))
    found = facts(written(tmp_path / "m.joblib", zlib.compress(bomb)))
    assert "may import more" in found.remarks[0]


def test_pickles_in_a_row_are_all_named(tmp_path: Path) -> None:
    """As PyTorch wrote files before version 1.6: small pickles, then the model, then raw numbers."""
    row = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps({"little_endian": True}, 2) + pickle.dumps(FITTED, 2)
    whole = facts(written(tmp_path / "m.pt", row))
    assert "sklearn.linear_model._logistic.LogisticRegression" in whole.imports
    assert not whole.remarks
    followed = facts(written(tmp_path / "m.pt", row + bytes(100)))
    assert followed.imports == whole.imports
    assert "may import more" in followed.remarks[0]


def test_pickles_inside_others_keep_their_own_memory(tmp_path: Path) -> None:
    """As joblib writes arrays of objects; what comes after them is fetched from the outer pickle's memory."""
    joblib.dump([np.array(["a", FITTED], dtype=object), FITTED, np.float64(1)], tmp_path / "m.joblib")
    modules = {name.partition(".")[0] for name in facts(tmp_path / "m.joblib").imports}
    assert modules <= {"numpy", "joblib", "sklearn", "_codecs"}


def torch_like(path: Path, extra: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", pickle.dumps(FITTED))
        archive.writestr("m/version", "3")
        if extra:
            archive.writestr(extra, "def forward(self): pass")
    return path


def test_zip_formats_are_told_apart(tmp_path: Path) -> None:
    assert facts(torch_like(tmp_path / "m.pt")).format == "PyTorch pickle"
    script = facts(torch_like(tmp_path / "s.pt", "m/code/__torch__.py"))
    assert (script.format, script.runs_code) == ("TorchScript", True)
    assert "sklearn.linear_model._logistic.LogisticRegression" in script.imports
    with zipfile.ZipFile(tmp_path / "d.pt", "w") as archive:
        archive.writestr("m/data.pkl", b"a")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("m/data.pkl", b"b")
    with pytest.raises(InvalidInput, match="same name"):
        facts(tmp_path / "d.pt")
    with pytest.raises(InvalidInput, match="zip"):
        facts(written(tmp_path / "b.pt", b"PK\x03\x04 and no more"))
    with zipfile.ZipFile(tmp_path / "office.docx", "w") as archive:
        archive.writestr("word.xml", "x")
    assert weights.read(tmp_path / "office.docx", "office.docx") is None


def test_skops_names_its_types(tmp_path: Path) -> None:
    import skops.io

    skops.io.dump(FITTED, tmp_path / "m.skops")
    found = facts(tmp_path / "m.skops")
    assert (found.format, found.runs_code) == ("skops", None)
    assert "sklearn.linear_model._logistic.LogisticRegression" in found.imports


def keras_like(path: Path, config: object) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.11.0"}))
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    return path


def test_keras_layers_with_code_are_flagged(tmp_path: Path) -> None:
    layers = [{"class_name": "Dense"}]
    plain = facts(keras_like(tmp_path / "m.keras", {"class_name": "Sequential", "config": {"layers": layers}}))
    assert (plain.format, plain.runs_code, plain.fields) == ("Keras", False, {"framework": "Keras 3.11.0"})
    layers.append({"class_name": "Lambda"})
    risky = facts(keras_like(tmp_path / "m.keras", {"class_name": "Sequential", "config": {"layers": layers}}))
    assert risky.runs_code
    assert "Lambda" in risky.remarks[0]


def test_numpy_arrays_of_objects_are_pickles(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3), np.float32))
    assert facts(tmp_path / "a.npy").elements == {"F32": 6}
    np.save(tmp_path / "o.npy", np.array([FITTED], dtype=object), allow_pickle=True)
    assert facts(tmp_path / "o.npy").runs_code
    np.savez(tmp_path / "a.npz", x=np.zeros(3), y=np.zeros(2))
    assert facts(tmp_path / "a.npz").elements == {"F64": 5}
    np.savez(tmp_path / "o.npz", x=np.array([FITTED], dtype=object))
    assert "sklearn.linear_model._logistic.LogisticRegression" in facts(tmp_path / "o.npz").imports
    for header in (b"{'descr': '<f4', 'shape': (1 << 60,)}", b"(" * 5000, b"{'descr':'<f4','shape':(9000000000,)}"):
        with pytest.raises(InvalidInput, match="cannot be trusted"):
            facts(written(tmp_path / "x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header))


def saved_model(version: str, operations: list[str]) -> bytes:
    """Encode a SavedModel with protobuf itself, from the few fields of TensorFlow's messages that are read."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{version}.proto", package="t", syntax="proto3")
    shape = {
        "Node": [(1, "name", ""), (2, "op", "")],
        "Graph": [(1, "node", "*Node")],
        "Info": [(5, "tensorflow_version", "")],
        "Meta": [(1, "info", "Info"), (2, "graph", "Graph")],
        "Saved": [(2, "metas", "*Meta")],
    }
    for name, fields in shape.items():
        message = file.message_type.add(name=name)
        for number, label, kind in fields:
            field = message.field.add(name=label, number=number, label=3 if kind.startswith("*") else 1)
            field.type = 11 if kind else 9
            if kind:
                field.type_name = f".t.{kind.lstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    saved = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Saved"))()
    meta = saved.metas.add()
    meta.info.tensorflow_version = version
    for operation in operations:
        meta.graph.node.add(name="n", op=operation)
    return saved.SerializeToString()


def test_a_saved_model_tells_its_version_and_what_it_does_to_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "saved_model.pb"
    plain = facts(written(path, saved_model("2.19.0", ["MatMul"])))
    assert (plain.format, plain.runs_code, plain.fields) == ("SavedModel", False, {"framework": "TensorFlow 2.19.0"})
    risky = facts(written(path, saved_model("2.19.1", ["MatMul", "WriteFile"])))
    assert risky.runs_code
    assert "WriteFile" in risky.remarks[0]


# --- anything --------------------------------------------------------------------------------------

STARTS = [b"", b"GGUF", b"\x93NUMPY", b"PK\x03\x04", b"\x80\x04", b"\x89HDF\r\n\x1a\n", struct.pack("<Q", 2) + b"{}"]
NAMES = ["x", "x.safetensors", "x.gguf", "x.onnx", "x.pkl", "x.joblib", "saved_model.pb"]


@given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(NAMES))
def test_no_bytes_raise_anything_but_a_refusal(tmp_path_factory, start: bytes, rest: bytes, name: str) -> None:
    path = written(tmp_path_factory.getbasetemp() / name, start + rest)
    with suppress(InvalidInput):
        weights.read(path, name)


@given(st.data())
def test_a_broken_copy_of_a_true_file_raises_nothing_but_a_refusal(tmp_path_factory, data) -> None:
    name, whole = data.draw(
        st.sampled_from(
            [
                ("x.safetensors", save({"a": np.zeros((3, 4), np.float32)})),
                ("x.onnx", onnx_model().SerializeToString()),
                ("x.pkl", pickle.dumps(FITTED)),
                ("saved_model.pb", saved_model("2.0", ["MatMul"])),
            ]
        )
    )
    broken = bytearray(whole)
    for position in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        broken[position] = data.draw(st.integers(0, 255))
    path = written(tmp_path_factory.getbasetemp() / name, bytes(broken[: data.draw(st.integers(0, len(whole)))]))
    with suppress(InvalidInput):
        weights.read(path, name)
