"""Trials on disk: the database ledger, the current-state tables and the vault, through Django's backends.

A trial is a SQLite file, or a schema of the PostgreSQL database that one setting names (see `place`); both
are made by the same migrations and written by the same statements. What is sealed, the vault and the register
of identities, is in SQLite files of their own: the register because what is erased must be overwritten, which
no row of PostgreSQL's is when it is deleted.
"""
