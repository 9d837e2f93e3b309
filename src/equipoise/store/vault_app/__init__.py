"""The vault's own Django application: one table, in a database of its own."""
