"""Where Great Expectations validates: a frame in memory, a database by its own SQL, or Spark.

A database and Spark count where the data are; only counts come back. Spark is an extra, and reads Parquet.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import InvalidInput, Unavailable
from compliance.services.profile import type_of
from compliance.services.reading.sql import Sql
from compliance.services.reading.table import Table, as_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ENGINES = ("pandas", "spark")


def batches(
    context: Any, source: object, table: Table, asked: Sequence[Mapping[str, Any]], engine: str
) -> Iterator[tuple[list[int], Any]]:
    """Yield batches of all rows, each with the numbers of the expectations to hold it to.

    In a database and in Spark there is one. In memory there is one for each set of columns that expectations speak
    of, since Great Expectations copies what it looks at. Raises InvalidInput for an engine that there is not.
    """
    if engine not in ENGINES:
        raise InvalidInput(f"There is no engine {engine}.", remedy=f"Choose one of {', '.join(ENGINES)}.")
    if engine == "spark":
        yield list(range(len(asked))), _spark(context, source)
    elif isinstance(source, Sql):
        yield list(range(len(asked))), _database(context, source)
    else:
        rows = context.data_sources.add_pandas("table").add_dataframe_asset("rows")
        whole = rows.add_batch_definition_whole_dataframe("all")
        for columns, numbers in _by_columns(table, asked).items():
            yield numbers, whole.get_batch({"dataframe": frame(table, columns)})


def _by_columns(table: Table, asked: Sequence[Mapping[str, Any]]) -> dict[frozenset[str], list[int]]:
    """Return the numbers of the expectations by the columns whose values they need."""
    found: dict[frozenset[str], list[int]] = {}
    for number, item in enumerate(asked):
        said = list(_texts(item.get("kwargs", {}))) if not item["type"].startswith("expect_table_") else []
        needed = frozenset(name for name in table.columns if any(name == text or f'"{name}"' in text for text in said))
        found.setdefault(needed, []).append(number)
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


def frame(table: Table, needed: Collection[str] | None = None) -> "pd.DataFrame":
    """Return a table as pandas would read it; of text, numbers and truth values where all values are such.

    Columns that are not `needed` are there in name and length only.
    """
    import numpy as np
    import pyarrow as pa

    columns = {}
    for name in table.columns:
        blank = needed is not None and name not in needed
        columns[name] = pa.array(np.zeros(table.rows, np.int8)) if blank else _typed(table, name)
    return pa.table(columns).to_pandas()


def _typed(table: Table, name: str) -> "pa.ChunkedArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.data[name]
    if not table.typed or pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = as_text(column)
    kind = "text" if table.typed else type_of(column)
    if kind in ("integer", "number"):
        plain = pc.replace_substring_regex(column, r"^\+", "")
        whole = kind == "integer" and not pc.any(pc.match_substring(plain, ".")).as_py()
        return _cast(plain, pa.int64() if whole else pa.float64())
    if kind == "boolean":
        return pc.utf8_lower(column).cast(pa.bool_())
    return column


def _cast(column: Any, wanted: Any) -> Any:
    import pyarrow as pa

    try:
        return column.cast(wanted)
    except pa.ArrowInvalid:  # a whole number that no 64 bits hold
        return column.cast(pa.float64())


def _database(context: Any, source: Sql) -> Any:
    url = source.connection_string.replace("$", r"\$")  # a library that fills in $NAME from the environment
    place = context.data_sources.add_sql("database", connection_string=url, create_temp_table=False)
    if source.query is not None:
        return place.add_query_asset("rows", query=source.query).add_batch_definition_whole_table("all").get_batch()
    schema, _, name = (source.table or "").rpartition(".")
    asset = place.add_table_asset("rows", table_name=name, schema_name=schema or None)
    return asset.add_batch_definition_whole_table("all").get_batch()


def _spark(context: Any, source: object) -> Any:
    """Read Parquet in Spark: the session there is, or a local one."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Unavailable(
            "Spark is not installed.", remedy="pip install 'compliance-tracker[spark]'; it needs Java 17."
        ) from error
    if not isinstance(source, Path) or not _is_parquet(source):
        raise InvalidInput("Spark validates Parquet files.", remedy="Write the data as Parquet, or leave out --engine.")
    try:
        session = SparkSession.getActiveSession() or SparkSession.builder.appName("compliance").getOrCreate()
        rows = session.read.option("recursiveFileLookup", "true").parquet(str(source))
    except (PySparkException, RuntimeError) as error:
        raise Unavailable(
            f"Spark cannot read {source} ({type(error).__name__}).", remedy="Check JAVA_HOME: it needs Java 17."
        ) from error
    asset = context.data_sources.add_spark("spark").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})


def _is_parquet(path: Path) -> bool:
    found = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return bool(found) and all(file.suffix.lower() in (".parquet", ".pq") for file in found)
