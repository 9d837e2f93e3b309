"""What the clinic keeps beside the trial, in a database of its own.

Nothing here is a fact of the trial: those are entries of the ledger. An account is never deleted, because
entries name it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    """Makes and finds accounts."""

    def get_by_natural_key(self, username: str | None) -> Account:
        """Return the account of this name, in any case of letters."""
        return self.get(username__iexact=username)


class Account(AbstractBaseUser):
    """One person's account; its name is the one that entries of the ledger bear, and never changes.

    `printed_name` is what a signature shows (21 CFR 11.50). Roles are no part of it: they are granted in the
    ledger.
    """

    username: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    printed_name: models.CharField[str, str] = models.CharField(max_length=200)
    email: models.EmailField[str, str] = models.EmailField(blank=True)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    password_set_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)

    USERNAME_FIELD: ClassVar[str] = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["printed_name"]

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        db_table = "account"

    def __str__(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        """Return the name that a signature shows."""
        return self.printed_name


def printed_name_of(account: Account) -> str:
    """Return how an account is shown to its owner."""
    return account.printed_name


class AccessEvent(models.Model):
    """Somebody came, failed to come, or took something away: never changed, never removed.

    ICH E6(R3) 4.2.2(a)(i); 21 CFR 11.300(d).
    """

    happened_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    what: models.CharField[str, str] = models.CharField(max_length=40)
    account: models.CharField[str, str] = models.CharField(max_length=64)
    by: models.CharField[str, str] = models.CharField(max_length=64, blank=True)
    address: models.CharField[str, str] = models.CharField(max_length=64, blank=True)
    detail: models.CharField[str, str] = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "access_event"
        ordering: ClassVar[list[str]] = ["-id"]


class Invitation(models.Model):
    """A link with which somebody sets the password of their account, once, before it expires."""

    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.PROTECT)
    token_hash: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    made_by: models.CharField[str, str] = models.CharField(max_length=64)
    expires_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    used_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)

    class Meta:
        db_table = "invitation"


class ApiToken(models.Model):
    """A key with which a program acts for an account in one role; only its hash is kept."""

    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.PROTECT)
    account_id: int
    label: models.CharField[str, str] = models.CharField(max_length=100)
    role: models.CharField[str, str] = models.CharField(max_length=64)
    site: models.CharField[str, str] = models.CharField(max_length=8, blank=True)
    token_hash: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    made_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    expires_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    revoked_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_token"


class Draft(models.Model):
    """A half-filled form, for whoever is filling it in and nobody else; gone when it is recorded."""

    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.PROTECT)
    role: models.CharField[str, str] = models.CharField(max_length=64)
    page: models.CharField[str, str] = models.CharField(max_length=300)
    fields: models.JSONField[Any, Any] = models.JSONField()
    definition: models.CharField[str, str] = models.CharField(max_length=64)
    saved_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()

    class Meta:
        db_table = "draft"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "role", "page"], name="draft_unique")
        ]


class Job(models.Model):
    """A long work that a page asked for, how far it is, and what it made."""

    job: models.CharField[str, str] = models.CharField(max_length=32, primary_key=True)
    account: models.CharField[str, str] = models.CharField(max_length=64)
    role: models.CharField[str, str] = models.CharField(max_length=64)
    site: models.CharField[str, str] = models.CharField(max_length=8, blank=True)
    kind: models.CharField[str, str] = models.CharField(max_length=40)
    arguments: models.JSONField[Any, Any] = models.JSONField(default=dict)
    status: models.CharField[str, str] = models.CharField(max_length=12, default="running")
    done: models.IntegerField[int, int] = models.IntegerField(default=0)
    total: models.IntegerField[int, int] = models.IntegerField(default=0)
    file: models.CharField[str, str] = models.CharField(max_length=200, blank=True)
    code: models.CharField[str, str] = models.CharField(max_length=40, blank=True)
    sentence: models.CharField[str, str] = models.CharField(max_length=500, blank=True)
    started_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)
    beat_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "job"


class Setting(models.Model):
    """What holds for this clinic as a whole, by name."""

    name: models.CharField[str, str] = models.CharField(max_length=40, primary_key=True)
    value: models.CharField[str, str] = models.CharField(max_length=200)

    class Meta:
        db_table = "setting"
