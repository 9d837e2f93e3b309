"""Trials on disk: the database ledger, the current-state tables and the vault, through Django's ORM."""
