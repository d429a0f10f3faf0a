"""Where Great Expectations validates: a frame in memory, a database by its own SQL, or Spark.

A database and Spark count where the data are; only counts come back. Spark is an extra, and reads Parquet.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import InvalidInput, Unavailable
from compliance.services.profile import type_of
from compliance.services.reading.sql import Sql
from compliance.services.reading.table import Table, as_text

if TYPE_CHECKING:
    import pandas as pd

ENGINES = ("pandas", "spark")


def batch(context: Any, source: object, table: Table, engine: str) -> Any:
    """Return the batch of all rows of a source. Raises InvalidInput for an engine that it does not go with."""
    if engine not in ENGINES:
        raise InvalidInput(f"There is no engine {engine}.", remedy=f"Choose one of {', '.join(ENGINES)}.")
    if engine == "spark":
        return _spark(context, source)
    if isinstance(source, Sql):
        return _database(context, source)
    rows = context.data_sources.add_pandas("table").add_dataframe_asset("rows")
    return rows.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame(table)})


def frame(table: Table) -> "pd.DataFrame":
    """Return a table as pandas would read it; of text, numbers and truth values where all values are such."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {}
    for name in table.columns:
        column = table.data[name]
        if not table.typed or pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = as_text(column)
        kind = "text" if table.typed else type_of(column)
        if kind in ("integer", "number"):
            plain = pc.replace_substring_regex(column, r"^\+", "")
            whole = kind == "integer" and not pc.any(pc.match_substring(plain, ".")).as_py()
            column = _cast(plain, pa.int64() if whole else pa.float64())
        elif kind == "boolean":
            column = pc.utf8_lower(column).cast(pa.bool_())
        columns[name] = column
    return pa.table(columns).to_pandas()


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
