"""What was found in many records, as a Parquet table: a row for each finding. Made with Polars (extra
`tables`).
"""

from __future__ import annotations

from pathlib import Path

from equipoise.exchange.made import NotWritten


def check_polars() -> None:
    """Raise NotWritten (EXTRA-MISSING) where Polars is not installed."""
    try:
        import polars  # noqa: F401, PLC0415 - only who writes Parquet needs it, and has it
    except ImportError as error:
        raise NotWritten(
            "EXTRA-MISSING",
            "Parquet files need Polars. Install equipoise[tables], or give --out a name ending in .jsonl.",
            "--out",
        ) from error


def write_parquet(lines: Path, out: Path) -> None:
    """Write the lines of JSON of a run as a Parquet file, piece by piece: a row for each finding.

    Columns: file, line, nctId, code, severity, comment, sentence, remedy, places. A record without findings
    has no row; one that could not be read has one with its error's code.
    """
    check_polars()
    import polars as pl  # noqa: PLC0415

    text, place = pl.String(), pl.Struct({"section": pl.String(), "line": pl.Int64(), "quote": pl.String()})
    told = dict.fromkeys(("code", "severity", "comment", "sentence", "remedy"), text)
    schema = {
        "file": text,
        "line": pl.Int64(),
        "nctId": text,
        "findings": pl.List(pl.Struct({**told, "places": pl.List(place)})),
        "error": pl.Struct({"code": text, "sentence": text, "place": text}),
    }
    read = pl.scan_ndjson(lines, schema=schema)
    error = pl.col("error").struct
    broken = pl.struct(
        error.field("code"),
        pl.lit("error").alias("severity"),
        pl.lit("major").alias("comment"),
        error.field("sentence"),
        pl.lit("").alias("remedy"),
        pl.lit(None, dtype=pl.List(place)).alias("places"),
    )
    finding = pl.when(error.field("code").is_not_null()).then(broken).otherwise(pl.col("findings"))
    rows = read.explode("findings").with_columns(finding.alias("finding")).drop("findings", "error")
    rows.filter(pl.col("finding").struct.field("code").is_not_null()).unnest("finding").sink_parquet(out)
