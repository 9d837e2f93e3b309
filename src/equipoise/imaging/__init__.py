"""Scans, independent masked readings, and their adjudication."""
