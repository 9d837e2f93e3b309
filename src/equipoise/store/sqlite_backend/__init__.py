"""Django's SQLite backend, made strict: what is kept is read as it is, and no connection crosses a fork."""
