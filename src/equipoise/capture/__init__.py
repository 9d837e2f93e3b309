"""Encounters, filled forms, corrections, queries, signatures and freezing."""
