"""Datasets with their metadata, and the forms they leave in: Dataset-JSON, XPT, Parquet, CSV, Define-XML."""
