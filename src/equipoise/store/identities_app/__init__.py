"""The Django application of the register of identities: one table, in a database of its own."""
