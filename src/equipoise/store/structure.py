"""A trial's database compared with one that this release makes: damage, other tables, triggers, functions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.db import connections, transaction

from equipoise.store import setup
from equipoise.store.failures import storage_errors

Structure = dict[str, list[tuple[object, ...]]]
"""What no entry leads to, under what it is called."""

_SCHEMA = "schema"
_HEADS = "list of heads"
# What no entry leads to: each is to be as in a trial that was made this moment.
_EVERYWHERE = {
    "list of migrations": "SELECT id, app, name, applied FROM django_migrations ORDER BY id",
    _HEADS: "SELECT id FROM ledger_head ORDER BY id",
    # Of receipts only those that cannot be: the others come and go with what is sent.
    "list of receipts": """
        SELECT key FROM receipt
         WHERE length(key) <> 64 OR length(said) <> 64 OR position < 0 OR entries < 0
            OR position + entries - 1 > (SELECT max(position) FROM ledger_head)
         ORDER BY key
    """,
}
_SQLITE = {
    _SCHEMA: "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",
    "list of counters": "SELECT name, seq FROM sqlite_sequence ORDER BY name",
}
# Everything in the schema by its kind and name, with how it is made; each constraint that tables of it are
# under, and what would show among their rows. That a column is not null stands with the column: what the
# constraint for it is called, where the server keeps one, depends on how the trial came there.
_POSTGRESQL = {
    _SCHEMA: """
        WITH ours AS (SELECT * FROM pg_class WHERE relnamespace = current_schema()::regnamespace)
        SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'i' THEN 'index' WHEN 'v' THEN 'view'
                 WHEN 'S' THEN 'sequence' ELSE 'relation ' || relkind::text END,
               relname::text,
               concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, relispartition,
                 CASE WHEN relkind IN ('i', 'I') THEN pg_get_indexdef(ours.oid, 0, true) END,
                 indisvalid, indisready)
          FROM ours LEFT JOIN pg_index ON indexrelid = ours.oid
        UNION ALL
        SELECT 'column', relname || '.' || attname,
               concat_ws(' ', row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
                 format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
                 pg_get_expr(adbin, adrelid), collname)
          FROM ours JOIN pg_attribute ON attrelid = ours.oid
               LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
               LEFT JOIN pg_collation ON pg_collation.oid = attcollation
         WHERE attnum > 0 AND NOT attisdropped AND relkind NOT IN ('i', 'I', 'S')
        UNION ALL
        SELECT 'constraint', relname || '.' || conname,
               concat_ws(' ', pg_get_constraintdef(pg_constraint.oid, true), convalidated)
          FROM ours JOIN pg_constraint ON ours.oid IN (conrelid, confrelid)
         WHERE contype <> 'n'
        UNION ALL
        SELECT 'trigger', relname || '.' || tgname, pg_get_triggerdef(pg_trigger.oid, true)
          FROM ours JOIN pg_trigger ON tgrelid = ours.oid WHERE NOT tgisinternal
        UNION ALL
        SELECT 'rule', relname || '.' || rulename, pg_get_ruledef(pg_rewrite.oid, true)
          FROM ours JOIN pg_rewrite ON ev_class = ours.oid
        UNION ALL
        SELECT 'policy', relname || '.' || polname, '' FROM ours JOIN pg_policy ON polrelid = ours.oid
        UNION ALL
        SELECT 'heir', relname || '.' || inhrelid::regclass, ''
          FROM ours JOIN pg_inherits ON inhparent = ours.oid
        UNION ALL
        SELECT 'function', oid::regprocedure::text, pg_get_function_result(oid)
          FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
        UNION ALL
        SELECT 'operator', oid::regoperator::text, ''
          FROM pg_operator WHERE oprnamespace = current_schema()::regnamespace
        UNION ALL
        SELECT 'type', typname::text, typtype::text
          FROM pg_type WHERE typnamespace = current_schema()::regnamespace AND typrelid = 0 AND typelem = 0
    """,
    "list of counters": """
        SELECT sequencename::text, last_value FROM pg_sequences
         WHERE schemaname = current_schema() ORDER BY sequencename
    """,
}


def find_damage(alias: str) -> list[str]:
    """Say what of a SQLite file is damaged; PostgreSQL itself fails where it reads a damaged page."""
    if connections[alias].vendor != "sqlite":
        return []
    return [str(line) for (line,) in _rows(alias, "PRAGMA integrity_check(10)") if line != "ok"]


def find_differences(alias: str) -> Iterator[str]:
    """Say where the structure is not what this release makes; each completes 'The storage has ...'."""
    if connections[alias].vendor == "sqlite":
        yield from _compare(_read(alias, _SQLITE), _expected_in_memory())
    else:
        yield from _compare(_read(alias, _POSTGRESQL), _expected_beside(alias))


def _compare(found: Structure, expected: Structure) -> Iterator[str]:
    schema, expected_schema = set(found[_SCHEMA]), set(expected[_SCHEMA])
    for kind, name, *_ in sorted(schema - expected_schema, key=repr):
        yield f"an unexpected {kind} {name}"
    for kind, name, *_ in sorted(expected_schema - schema, key=repr):
        yield f"a missing {kind} {name}"
    for what in found.keys() - {_SCHEMA}:
        if found[what] != expected[what]:
            yield f"another {what} than this release makes"


def _read(alias: str, statements: dict[str, str]) -> Structure:
    return {what: _rows(alias, statement) for what, statement in (statements | _EVERYWHERE).items()}


def _rows(alias: str, statement: str) -> list[tuple[Any, ...]]:
    with storage_errors(), connections[alias].cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@cache
def _expected_in_memory() -> Structure:
    alias = setup.connect_memory()
    try:
        setup.migrate(alias, setup.TRIAL_APP)
        return _read(alias, _SQLITE) | {_HEADS: [(1,)]}
    finally:
        setup.discard(alias)


_EXPECTED_BY_VERSION: dict[int, Structure] = {}
"""What was made before on a server of the same version."""


def _expected_beside(alias: str) -> Structure:
    """Make the tables anew in a schema beside the trial's, in a transaction that is rolled back."""
    with storage_errors(), connections[alias].cursor() as cursor:
        version = connections[alias].connection.info.server_version
        if version not in _EXPECTED_BY_VERSION:
            with transaction.atomic(using=alias):
                cursor.execute("SELECT 'expected_' || pg_backend_pid()")
                ((schema,),) = cursor.fetchall()
                cursor.execute(f"CREATE SCHEMA {schema}")
                cursor.execute(f"SET LOCAL search_path TO {schema}, pg_temp")
                setup.migrate(alias, setup.TRIAL_APP)
                _EXPECTED_BY_VERSION[version] = _read(alias, _POSTGRESQL) | {_HEADS: [(1,)]}
                transaction.set_rollback(True, using=alias)
    return _EXPECTED_BY_VERSION[version]
