"""Parquet as other programs write it: forms of columns, and files read in batches chosen by bytes."""
