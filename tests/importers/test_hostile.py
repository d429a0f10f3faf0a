"""What is made to harm whoever opens it: bombs, entities, depth, names that lead elsewhere. Refused, by name."""

import io
import json
import math
import stat
import struct
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.imports import SAMPLES

from compliance.importers import Given, Source, read, recognise, whose
from compliance.importers import archive as archives
from compliance.importers.archive import Archive, BadArchiveError
from compliance.importers.markup import BadMarkupError, parse
from compliance.importers.metrics import Rows, named
from compliance.importers.values import cases, count, number, utc
from compliance.kinds.metrics import KNOWN, MetricRow


def packed(members: dict[str, bytes], **options: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = options.get("mode", 0o600) << 16
            new.writestr(info, data)
    return out.getvalue()


def test_an_archive_unpacks_to_its_limit_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 1 << 20)
    archive = Archive(packed({"a": bytes(900_000), "b": bytes(900_000)}))
    assert len(archive["a"]) == 900_000
    with pytest.raises(BadArchiveError, match="more than 1 MB"):
        archive["b"]


def test_a_bomb_that_lies_about_its_size_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 1 << 20)
    bomb = bytearray(packed({"header.json": bytes(50_000_000)}))
    size = struct.pack("<L", 50_000_000)
    while (at := bomb.find(size)) >= 0:
        bomb[at : at + 4] = struct.pack("<L", 100)
    with pytest.raises(BadArchiveError):
        Archive(bytes(bomb))["header.json"]


def test_a_zstandard_bomb_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import zstandard

    monkeypatch.setattr(archives, "MAX_UNPACKED", 1 << 20)
    small = zstandard.ZstdCompressor().compress(bytes(100_000_000))
    with pytest.raises(BadArchiveError, match="more than 1 MB"):
        Archive(_with_method(93, small))["header.json"]
    with pytest.raises(BadArchiveError, match="cannot be unpacked"):
        Archive(_with_method(93, b"no zstandard at all"))["header.json"]


def test_a_zstandard_member_has_its_checksum_checked() -> None:
    import zstandard

    with pytest.raises(BadArchiveError, match="wrong checksum"):
        Archive(_with_method(93, zstandard.ZstdCompressor().compress(b"passed: 99")))["header.json"]


def _with_method(method: int, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr("header.json", data)
    plain = bytearray(out.getvalue())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = plain.find(signature) + offset
        plain[at : at + 2] = struct.pack("<H", method)
    return bytes(plain)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "..\\x", "C:\\x", "\\x"])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    with pytest.raises(BadArchiveError, match="outside"):
        Archive(packed({name: b"x"}))


def test_links_doubles_and_crowds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadArchiveError, match="link"):
        Archive(packed({"a": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            new.writestr("a", b"2")
    with pytest.raises(BadArchiveError, match="two files of one name"):
        Archive(out.getvalue())
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    with pytest.raises(BadArchiveError, match="more than 3"):
        Archive(packed({str(i): b"" for i in range(4)}))


def test_a_log_whose_header_is_damaged_is_kept_and_never_a_crash() -> None:
    """Looking for a member unpacks nothing: a wrong checksum is the reader's to tell."""
    whole = bytearray((SAMPLES / "inspect_ai/whole.eval").read_bytes())
    at = whole.rindex(b"PK\x01\x02", 0, whole.rindex(b"header.json"))
    whole[at + 16] ^= 1
    source = Source.of("x", bytes(whole))
    importer = recognise(source)
    assert importer is not None
    record = read(importer, source, Given()).records[0]
    assert record["completeness_reason"] == "It holds header.json with a wrong checksum."


def test_a_changed_byte_breaks_the_checksum() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr("a", b"passed: 10")
    with pytest.raises(BadArchiveError):
        Archive(out.getvalue().replace(b"passed: 10", b"passed: 99"))["a"]


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><testsuites>&b;</testsuites>'
OUTSIDE = b'<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuites name="&x;"/>'


@pytest.mark.parametrize("data", [LAUGHS, OUTSIDE, b"<!DOCTYPE testsuites SYSTEM 'http://127.0.0.1:9/x'><testsuites/>"])
def test_document_types_and_entities_are_refused(data: bytes) -> None:
    with pytest.raises(BadMarkupError, match="document type"):
        parse(data)
    assert recognise(Source.of("x.xml", data)) is None


def test_xml_has_a_depth() -> None:
    with pytest.raises(BadMarkupError, match="deeper than 64"):
        parse(b"<a>" * 100_000)


@pytest.mark.parametrize(
    "data", [b"<a", b"<a></b>", b'<?xml version="1.0" encoding="no-such"?><a/>', b"<a>&unknown;</a>", b"<a/><b/>", b""]
)
def test_what_is_no_xml_is_refused(data: bytes) -> None:
    with pytest.raises(BadMarkupError):
        parse(data)


@pytest.mark.parametrize(
    "data", [b"[" * 1_000_000, b'{"a":' * 100_000, b'{"a": 1, "a": 2}', b'{"a": ' + b"9" * 5_000 + b"}"]
)
def test_json_made_to_harm_is_nobodys(data: bytes) -> None:
    assert recognise(Source.of("x.json", data)) is None


def test_a_damaged_file_betrays_its_tool() -> None:
    for name, tool in (
        ("inspect_ai/whole.eval", "inspect-ai"),
        ("inspect_ai/limited.json", "inspect-ai"),
        ("great_expectations/validation.json", "Great Expectations"),
        ("sarif/bandit.sarif.json", "SARIF"),
        ("cyclonedx/env-1.6.xml", "CycloneDX"),
    ):
        source = Source.of("x", (SAMPLES / name).read_bytes()[:-20])
        assert recognise(source) is None
        found = whose(source)
        assert found is not None, name
        assert found.tool == tool


@settings(deadline=None)  # the first example loads every importer
@given(st.binary(max_size=300))
def test_no_bytes_crash_a_recogniser(data: bytes) -> None:
    source = Source.of("x", data)
    recognise(source)
    whose(source)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SIGNS = (
    {"version": 2, "status": "success", "eval": {}, "plan": {}},
    {"results": {"t": {"acc": 1}}, "versions": {"t": 1}, "configs": {}, "n-shot": {}},
    {"schema_version": "0.3", "evaluation_id": "x", "evaluation_results": []},
    {"metadata": {"endpoints": []}, "results": {"recipes": []}},
    {"sensitive_feature": [], "output_classes": [], "results": []},
    {"statistics": {"evaluated_expectations": 1}, "meta": {"great_expectations_version": "1"}},
    {"conformsTo": "http://mlcommons.org/croissant/1.0", "name": "n"},
    {"bomFormat": "CycloneDX"},
    {"spdxVersion": "SPDX-2.3"},
    {"artifacts": [], "descriptor": {"name": "syft"}},
    {"dependencies": [], "fixes": []},
    {"$schema": "sarif", "runs": []},
    {"macro avg": {}, "weighted avg": {}},
    {"entry_type": "start_run setup"},
)


@settings(deadline=None)
@given(st.sampled_from(SIGNS), st.data())
def test_a_sign_with_anything_beneath_it_is_read_or_kept_and_never_complete_by_luck(
    sign: dict[str, object], data: st.DataObject
) -> None:
    from support.imports import imported

    changed = dict(sign)
    for key in data.draw(st.lists(st.sampled_from(sorted(sign)), unique=True)):
        changed[key] = data.draw(json_values)
    text = json.dumps(changed).encode()
    if recognise(Source.of("x", text)) is not None:
        assert imported(text, dataset="data@1").records


# --- values ----------------------------------------------------------------------------------------


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_figure_is_decimal_text_or_nothing(value: float) -> None:
    text = number(value)
    if text is None:
        assert math.isnan(value) or abs(value) > 1e30
    else:
        assert abs(float(text) - value) <= abs(value) * 1e-14 + 1e-30
        assert MetricRow.model_validate({"name": "elo", "value": text}).value == text


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_gives_back_its_cases(pair: tuple[int, int]) -> None:
    x, n = pair
    assert cases(x / n, n) == x


def test_no_figure_and_no_count() -> None:
    assert [number(value) for value in (True, None, "N/A", "nan", float("inf"), [], "1e99999999", "")] == [None] * 8
    assert [count(value) for value in (True, 1.5, -1, "x", None, 2**60)] == [None] * 6
    assert [count(value) for value in (0, "7", 3.0)] == [0, 7, 3]
    assert cases(0.333, 3) is None
    assert number(Decimal("1.1125369292536313e-308")) == "0"
    assert number(Decimal("1e-999999999")) == "0"
    assert number(Decimal("0.90")) == "0.90"
    assert number(2 / 3) == "0.666666666666667", "the sixteenth digit of a float is noise"


def test_a_time_without_a_zone_is_no_utc_time() -> None:
    assert utc("2025-08-28T14:06:47.715886") is None
    assert utc("2025-07-03T16:44:30+02:00") == "2025-07-03T14:44:30Z"
    assert utc("20200727T171932.962507Z") == "2020-07-27T17:19:32Z"
    assert utc("1770682486.623709") == "2026-02-10T00:14:46Z"
    assert [utc(value) for value in ("redacted", None, True, 1e300, {})] == [None] * 5


@given(st.sampled_from(sorted(KNOWN)))
def test_known_metrics_keep_their_direction(name: str) -> None:
    assert named(name) == {"name": name}
    other = "lower" if KNOWN[name].better == "higher" else "higher"
    if KNOWN[name].better != "target":
        assert named(name, other) == {"name": f"{name}_as_stated", "unit": "score", "better": other}


def test_a_metric_without_direction_is_named_and_left_out() -> None:
    rows = Rows()
    rows.add("vibes", 0.9)
    rows.add("accuracy", float("nan"))
    assert [row["name"] for row in rows.rows] == ["accuracy"]
    assert rows.rows[0]["reason"]
    assert rows.gaps
    assert "vibes" in rows.notes()[0]
