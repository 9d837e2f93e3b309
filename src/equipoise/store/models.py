"""What a trial's database holds: the ledger, its head, receipts, the definition, a table for each row type.

The tables' models are made from the row types, which are the one place where a row's fields are declared.
"""

from __future__ import annotations

import typing
from dataclasses import fields
from types import UnionType
from typing import Any

from django.db import models

from equipoise.ledger.tables import Row
from equipoise.store.rows import ROW_TYPES


class EntryRecord(models.Model):
    """One sealed entry; `body` is its canonical JSON."""

    position: models.BigIntegerField[int, int] = models.BigIntegerField(primary_key=True)
    previous: models.TextField[str, str] = models.TextField()
    hash: models.TextField[str, str] = models.TextField(unique=True)
    body: models.TextField[str, str] = models.TextField()

    class Meta:
        db_table = "ledger"


class HeadRecord(models.Model):
    """The head of the chain, in one row that a writer locks."""

    id: models.SmallIntegerField[int, int] = models.SmallIntegerField(primary_key=True)
    position: models.BigIntegerField[int, int] = models.BigIntegerField()
    hash: models.TextField[str, str] = models.TextField()

    class Meta:
        db_table = "ledger_head"


class DefinitionRecord(models.Model):
    """A study definition under which entries were made, as canonical JSON."""

    hash: models.TextField[str, str] = models.TextField(primary_key=True)
    canonical: models.TextField[str, str] = models.TextField()

    class Meta:
        db_table = "study_definition"


class ReceiptRecord(models.Model):
    """That a form or command was recorded, so that the same is not recorded again when it comes again."""

    key: models.TextField[str, str] = models.TextField(primary_key=True)
    said: models.TextField[str, str] = models.TextField()
    position: models.BigIntegerField[int, int] = models.BigIntegerField()
    entries: models.BigIntegerField[int, int] = models.BigIntegerField()
    recorded_at: models.TextField[str, str] = models.TextField()

    class Meta:
        db_table = "receipt"


class DictionaryRecord(models.Model):
    """A dictionary whose terms are kept here, under their SHA-256; `counts` is JSON."""

    id: models.SmallIntegerField[int, int] = models.SmallIntegerField(primary_key=True)
    sha256: models.TextField[str, str] = models.TextField(unique=True)
    counts: models.TextField[str, str] = models.TextField()

    class Meta:
        db_table = "dictionary_content"


class DictionaryPathRecord(models.Model):
    """What stands above terms of the lowest level, as JSON; several terms share it."""

    pk = models.CompositePrimaryKey("dictionary", "number")
    dictionary: models.SmallIntegerField[int, int] = models.SmallIntegerField()
    number: models.IntegerField[int, int] = models.IntegerField()
    levels: models.TextField[str, str] = models.TextField()

    class Meta:
        db_table = "dictionary_path"


class DictionaryTermRecord(models.Model):
    """A term of the lowest level; `folded` is its text as UTF-8 without regard to case, `size` its words."""

    pk = models.CompositePrimaryKey("dictionary", "code")
    dictionary: models.SmallIntegerField[int, int] = models.SmallIntegerField()
    code: models.TextField[str, str] = models.TextField()
    level: models.TextField[str, str] = models.TextField()
    text: models.TextField[str, str] = models.TextField()
    folded: models.BinaryField[bytes, bytes] = models.BinaryField()
    size: models.IntegerField[int, int] = models.IntegerField()
    is_current: models.BooleanField[bool, bool] = models.BooleanField()
    path: models.IntegerField[int, int] = models.IntegerField()

    class Meta:
        db_table = "dictionary_term"
        indexes = [models.Index(fields=["dictionary", "folded"], name="dictionary_term_folded")]


class DictionaryWordRecord(models.Model):
    """A word of a current term, as UTF-8 without regard to case."""

    pk = models.CompositePrimaryKey("dictionary", "word", "code")
    dictionary: models.SmallIntegerField[int, int] = models.SmallIntegerField()
    word: models.BinaryField[bytes, bytes] = models.BinaryField()
    code: models.TextField[str, str] = models.TextField()

    class Meta:
        db_table = "dictionary_word"


def _field(hint: Any, *, is_key: bool) -> models.Field[Any, Any]:
    options = set(typing.get_args(hint)) if isinstance(hint, UnionType) else {hint}
    nullable = type(None) in options
    (solid,) = options - {type(None)}
    if solid is int:
        return models.BigIntegerField(null=nullable, primary_key=is_key)
    if solid is bool:
        return models.BooleanField(null=nullable, primary_key=is_key)
    # Text as it is; dictionaries and tuples as canonical JSON, so that an edited byte shows.
    return models.TextField(null=nullable, primary_key=is_key)


def _model_of(row_type: type[Row]) -> type[models.Model]:
    hints = typing.get_type_hints(row_type)
    is_single = len(row_type.key) == 1
    namespace: dict[str, Any] = {
        each.name: _field(hints[each.name], is_key=is_single and each.name == row_type.key[0])
        for each in fields(typing.cast(Any, row_type))
    }
    if not is_single:
        namespace["pk"] = models.CompositePrimaryKey(*row_type.key)
    constraints = [
        models.UniqueConstraint(fields=list(group), name="_".join((row_type.table, "unique", *group)))
        for group in row_type.unique
    ]
    meta = type("Meta", (), {"db_table": row_type.table, "app_label": "store", "constraints": constraints})
    namespace |= {"__module__": __name__, "__doc__": row_type.__doc__, "Meta": meta}
    return type(f"{row_type.__name__}Record", (models.Model,), namespace)


MODELS: dict[type[Row], type[models.Model]] = {row_type: _model_of(row_type) for row_type in ROW_TYPES}
"""The table of each row type."""
