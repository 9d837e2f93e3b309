"""Django's PostgreSQL backend, made strict: a lost connection is replaced, and none crosses a fork."""
