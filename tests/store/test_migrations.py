"""The migrations make what the models declare, and the models declare what the row types do."""

import io

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import override_settings

from equipoise.store.rows import ROW_TYPES, sql_of
from equipoise.store.setup import IDENTITIES_APP, TRIAL_APP, VAULT_APP, set_up_django


@pytest.mark.parametrize("app", [TRIAL_APP, VAULT_APP, IDENTITIES_APP])
def test_migrations_are_up_to_date(app):
    set_up_django()
    said = io.StringIO()
    try:
        # With a router, every database that an earlier test had would be asked for its history.
        with override_settings(DATABASE_ROUTERS=[]):
            call_command("makemigrations", app, "--check", "--dry-run", stdout=said, stderr=said)
    except SystemExit:
        pytest.fail(f"The row types or models changed. Make the migration anew.\n{said.getvalue()}")


def test_every_row_type_has_its_table(store):
    introspection = connections[store.ledger.alias].introspection
    with connections[store.ledger.alias].cursor() as cursor:
        for row_type in ROW_TYPES:
            described = introspection.get_table_description(cursor, row_type.table)
            assert tuple(column.name for column in described) == sql_of(row_type).columns
            constraints = introspection.get_constraints(cursor, row_type.table).values()
            unique = {tuple(each["columns"]) for each in constraints if each["unique"] or each["primary_key"]}
            assert unique == {row_type.key, *row_type.unique}


def test_tables_have_names_that_nothing_else_has():
    tables = [row_type.table for row_type in ROW_TYPES]
    assert len(set(tables)) == len(tables) > 15
    assert not {"ledger", "ledger_head", "study_definition"} & set(tables)
